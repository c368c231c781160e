// How the tests run: against the built package, each file in a process of its own, on the same servers. Three at a time: on two processors
// there is one, then, while others wait for a server.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, then those that take one, whatever their size: vitest would begin with the largest ones, and end with these
 *  alone. */
const long = [/round-trip\/fixtures-|schema\/alterations/, /round-trip\/|cli\/(bad-input|connection)|daemon\/|systems\//];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => [...long, /^/].findIndex((names) => names.test(moduleId));
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 3,
    // The built package goes into Node.js as it is for users: transforming it once more for each file took longer than many tests.
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    globalSetup: ['test/server/global-setup.ts'],
    reporters: ['default', './test/server/summary-reporter.ts'],
    sequence: { sequencer: LongFirst },
  },
});
