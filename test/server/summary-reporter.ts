// Prints `N passed, N failed` as the very last line of a run, for whoever reads only that: after vitest's own report and after the global
// teardown, whose failure counts as well.
import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  #passed = 0;
  #failed = 0;

  onInit(): void {
    process.once('exit', (code) => {
      // A file that does not load, an error outside of any test, a leak found at the end: no test failed, the run did.
      const failed = code !== 0 && this.#failed === 0 ? 1 : this.#failed;
      writeSync(1, `${this.#passed} passed, ${failed} failed\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    this.#passed = tests.filter((state) => state === 'passed').length;
    const brokenFiles = modules.filter(
      (module) => module.state() === 'failed' && [...module.children.allTests('failed')].length === 0,
    ).length;
    this.#failed = tests.filter((state) => state === 'failed').length + brokenFiles;
  }
}
