// Entry of a checking thread: takes members with their frames, and says of each what is wrong with it. Which it gets is for check-pool.ts.
import { parentPort } from 'node:worker_threads';
import { loadCodec } from '../frame/zstd.js';
import { packError } from '../model/thread-error.js';
import { checkHeld, problemOf } from './check-member.js';
import type { CheckReply, CheckRequest } from './check-messages.js';
import { ReusedMemory } from './reused-memory.js';

if (parentPort === null) throw new Error('check-worker.js runs as a worker thread only');
const port = parentPort;
const codec = loadCodec();
// Told with the first member.
codec.catch(() => undefined);
const content = new ReusedMemory();

async function check({ task, memory, bytes }: CheckRequest): Promise<void> {
  try {
    const problem = await problemOf(checkHeld(await codec, Buffer.from(memory, 0, bytes), task, (length) => content.take(length)));
    port.postMessage({ memory, problem } satisfies CheckReply, [memory]);
  } catch (error) {
    port.postMessage({ error: packError(error) } satisfies CheckReply);
  }
}

/** One after the other: there is one memory for what is decompressed. */
let last = Promise.resolve();
port.on('message', (request: CheckRequest) => {
  last = last.then(() => check(request));
});
