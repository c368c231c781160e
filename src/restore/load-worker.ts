// Entry of a loading thread: a connection of its own once it is told so, and a file handle where the archive is a file; takes chunks from the main
// thread and says what became of them. Order and number of chunks are load-pool.ts's business.
import { parentPort, workerData } from 'node:worker_threads';
import { FileBytes } from '../frame/file-bytes.js';
import { loadCodec } from '../frame/zstd.js';
import { packError } from '../model/thread-error.js';
import { openSession, type Session } from '../pg/session.js';
import { deliverChunks } from './load-chunk.js';
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
  let session: Session | undefined;
  const connect = async (): Promise<void> => {
    session = await openSession(connection, { use: 'write', encoding: encodings.text, applicationName });
    await session.carryRows(encodings.rows);
  };
  const answer = (work: Promise<void>, type: 'ready' | 'loaded'): void => {
    work.then(() => reply({ type }), failed);
  };
  // The main thread waits for the reply before it sends others.
  port.on('message', (message: ToLoadWorker) => {
    switch (message.type) {
      case 'connect':
        return answer(connect(), 'ready');
      case 'load':
        return answer(deliverChunks(session as Session, message.requests, { codec, archives: bytes }), 'loaded');
      case 'bytes':
        for (const one of bytes) if (one instanceof PortBytes) one.answer(message);
        return;
      case 'end':
        port.close();
        void Promise.all([session?.close(), ...bytes.map((one) => one?.[Symbol.asyncDispose]())]);
    }
  });
}

function failed(error: unknown): void {
  reply({ type: 'failed', error: packError(error) });
}

if (parentPort) work(parentPort).catch(failed);
