// Entry of a loading thread: a connection of its own, and a file handle where the archive is a file; takes one chunk at a time from the main thread and says what
// became of it. Order and number of chunks are load-pool.ts's business.
import { parentPort, workerData } from 'node:worker_threads';
import { FileBytes } from '../frame/file-bytes.js';
import { loadCodec } from '../frame/zstd.js';
import { packError } from '../model/thread-error.js';
import { openSession } from '../pg/session.js';
import { archiveOf } from './archives.js';
import { deliverChunk } from './load-chunk.js';
import type { LoadReply, LoadWorkerData, ToLoadWorker } from './load-messages.js';
import { PortBytes } from './port-bytes.js';

const { archives, connection, applicationName, encodings } = workerData as LoadWorkerData;

function reply(message: LoadReply): void {
  parentPort?.postMessage(message);
}

async function work(port: NonNullable<typeof parentPort>): Promise<void> {
  const codec = await loadCodec();
  const bytes = await Promise.all(
    archives.map(async (one, archive) => {
      if (one === null) return undefined;
      return 'path' in one ? await FileBytes.open(one.path) : new PortBytes(port, { ...one, archive });
    }),
  );
  const session = await openSession(connection, { use: 'write', encoding: encodings.text, applicationName });
  await session.carryRows(encodings.rows);
  // Awaited by the main thread one by one: there is never a second chunk before the reply to the first.
  port.on('message', (message: ToLoadWorker) => {
    if (message.type === 'bytes') {
      for (const one of bytes) if (one instanceof PortBytes) one.answer(message);
      return;
    }
    if (message.type === 'end') {
      port.close();
      void Promise.all([session.close(), ...bytes.map((one) => one?.[Symbol.asyncDispose]())]);
      return;
    }
    deliverChunk(session, { ...message.request, codec, bytes: archiveOf(bytes, message.request.archive) }).then(
      (rows) => reply({ type: 'loaded', rows }),
      (error: unknown) => reply({ type: 'failed', error: packError(error) }),
    );
  });
  reply({ type: 'ready' });
}

if (parentPort) work(parentPort).catch((error: unknown) => reply({ type: 'failed', error: packError(error) }));
