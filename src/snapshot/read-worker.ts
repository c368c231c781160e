// A worker thread of a snapshot: a reader with a thread of its own, where its work is in nobody's way.
import { parentPort, workerData } from 'node:worker_threads';
import type { ToWorker, WorkerSettings } from './messages.js';
import { Reader } from './range-reader.js';

if (parentPort === null) throw new Error('read-worker.js runs as a worker thread only');
const port = parentPort;
const reader = new Reader(workerData as WorkerSettings, (message, transfer = []) => {
  port.postMessage(message, transfer);
  if (message.type === 'closed') port.close();
});
port.on('message', (message: ToWorker) => reader.take(message));
