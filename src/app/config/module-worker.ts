// The thread in which a configuration that is JavaScript runs. See evaluate-module.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { defaultLoaders } from 'lilconfig';
import type { Evaluated } from './evaluate-module.js';

const path = workerData as string;

async function evaluate(): Promise<Evaluated> {
  try {
    // Whatever the extension: it is imported.
    const exported: unknown = await defaultLoaders['.mjs']?.(path, '');
    return exported === undefined ? { thrown: 'it has no default export' } : { exported: await exported };
  } catch (error) {
    if (!(error instanceof Error)) return { thrown: `it throws: ${String(error)}` };
    // lilconfig tries `require` after a failed import, whose own complaint hides the reason.
    if (/\brequire\(/.test(error.message)) return { thrown: `it cannot be run: \`node ${path}\` tells why` };
    return { thrown: `it throws: ${error.message.split('\n')[0]}${lineOf(error)}` };
  }
}

/** Where in the file, if the stack tells. */
function lineOf({ stack = '' }: Error): string {
  const at = stack.indexOf(path);
  const line = at < 0 ? undefined : /^(?:\?[^:\s]*)?:(\d+)/.exec(stack.slice(at + path.length))?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}

const answer = await evaluate();
try {
  parentPort?.postMessage(answer);
} catch {
  // Structured clone refuses functions and their like.
  parentPort?.postMessage({ thrown: 'what it exports is not plain data' } satisfies Evaluated);
}
