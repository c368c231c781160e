// How the tests run: against the built package, in processes that many files share, on the same servers. Three at a time: on two processors
// there is one, then, while others wait for a server.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, then those that take half a minute, whatever their size: vitest would begin with the largest ones, and end with these
 *  alone. */
const long = [
  /round-trip\/fixtures-|schema\/alterations|store\/faults/,
  /round-trip\/|daemon\/|systems\/|archive\/damage|rules\/histories|cli\/(bad-input|connection|output|signals|repository)/,
  /app\/(export|bootstrap|repository|schedule)\/|app\/.*(take-snapshot|restore-swap|restore-tune|pull|completed-partitions)/,
  /pg\/copy-in|schema\/introspect|untrusted\/fixtures/,
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => [...long, /^/].findIndex((names) => names.test(moduleId));
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

/** These measure the memory or the threads of the process that they run in. All other files share processes, one after another: a new
 *  one for each, and compiling everything in it again, took more than a second of processor time. So no test may leave anything behind
 *  in its process. */
const alone = ['test/systems/**/*.test.ts', 'test/frame/zstd.test.ts'];

const common = {
  pool: 'forks' as const,
  // The built package goes into Node.js as it is for users: transforming it once more for each file took longer than many tests.
  server: { deps: { external: [/\/dist\//] } },
  // Longer than a connection may take (test/server/connect.ts) by what a test itself needs.
  testTimeout: 180_000,
  hookTimeout: 240_000,
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
      { test: { ...common, name: 'alone', include: alone } },
    ],
    maxWorkers: 3,
    teardownTimeout: 60_000,
    // Once for all, not in the projects.
    globalSetup: ['test/server/global-setup.ts'],
    reporters: ['default', './test/server/summary-reporter.ts'],
    sequence: { sequencer: LongFirst },
  },
});
