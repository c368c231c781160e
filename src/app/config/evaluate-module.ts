// Runs a configuration that is JavaScript, and hands over the data that it exports: in a thread of its own, so that a second reading sees
// what has changed (a process never imports the same module anew), and that it cannot end the process.
import { Worker } from 'node:worker_threads';
import { TidemarkError } from '../../model/errors.js';

/** What the thread answers. */
export type Evaluated = { readonly exported: unknown } | { readonly thrown: string };

/** @throws TidemarkError USAGE where it throws, or exports something else than data */
export async function evaluateModule(path: string): Promise<unknown> {
  if (/\.m?ts$/.test(path) && !('typescript' in process.features && process.features.typescript)) {
    throw new TidemarkError('USAGE', `Node.js ${process.version} cannot run TypeScript`, {
      hint: 'write it as tidemark.config.mjs, or take a Node.js that can: from 22.18 on',
    });
  }
  const worker = new Worker(new URL('./module-worker.js', import.meta.url), { workerData: path, stdout: true });
  // Standard output may be the result of a command.
  worker.stdout.pipe(process.stderr, { end: false });
  try {
    const answer = await new Promise<Evaluated>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ thrown: `it throws: ${error.message}` }));
      worker.once('messageerror', reject);
      worker.once('exit', () => resolve({ thrown: 'it ended before it had exported anything' }));
    });
    if ('thrown' in answer) throw new TidemarkError('USAGE', answer.thrown);
    return answer.exported;
  } finally {
    await worker.terminate();
  }
}
