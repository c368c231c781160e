// How the tests run: against the built package, each file in a process of its own, at most two at a time, all on the same servers.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    globalSetup: ['test/server/global-setup.ts'],
    reporters: ['default', './test/server/summary-reporter.ts'],
  },
});
