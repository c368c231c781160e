// A worker thread of a snapshot: a reader with a thread of its own, where its work is in nobody's way.
import { parentPort, workerData } from 'node:worker_threads';
import { mailbox } from './mailbox.js';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.js';
import { Reader } from './reader.js';

if (parentPort === null) throw new Error('read-worker.js runs as a worker thread only');
const port = parentPort;
const post = mailbox<FromWorker>((messages, transfer) => {
  port.postMessage(messages, transfer);
  if (messages.at(-1)?.type === 'closed') port.close();
});
const reader = new Reader(workerData as WorkerSettings, post);
port.on('message', (messages: readonly ToWorker[]) => {
  for (const message of messages) reader.take(message);
});
