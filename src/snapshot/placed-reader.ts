// Where a reader does its work: in a thread of its own, or in this one. Both take the same messages and give the same.
import { Worker } from 'node:worker_threads';
import { TidemarkError } from '../model/errors.js';
import { mailbox } from './mailbox.js';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.js';
import { Reader } from './reader.js';

export interface PlacedReader {
  /** @param transfer memory that belongs to the reader from then on */
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  /** Ends it, and its connection, at once. */
  terminate(): Promise<unknown>;
  /** Resolves when it is no more, whatever the reason. */
  readonly ended: Promise<void>;
}

export interface Listener {
  message(message: FromWorker): void;
  /** Nothing more comes: it was terminated, has closed as it was told to, or failed without a word. */
  ended(error: unknown): void;
}

export type Place = (settings: WorkerSettings, listener: Listener) => PlacedReader;

const byItself = (): TidemarkError => new TidemarkError('INTERNAL', 'read the tables: a worker thread ended by itself');

/** Of a thread, for what it makes anew: rows go through buffers, and what a chunk needs beside them is little. Of many small ones the usual
 *  48 MB would fill up first. */
const maxYoungGenerationSizeMb = 6;

export const readerInThread: Place = (settings, listener) => {
  const thread = new Worker(new URL('../bundle/read-worker.js', import.meta.url), {
    workerData: settings,
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  thread.on('message', (messages: readonly FromWorker[]) => {
    for (const message of messages) listener.message(message);
  });
  thread.on('error', (error) => listener.ended(error));
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  thread.once('exit', () => listener.ended(byItself()));
  const post = mailbox<ToWorker>((messages, transfer) => thread.postMessage(messages, transfer));
  return { post, terminate: () => thread.terminate(), ended };
};

export const readerHere: Place = (settings, listener) => {
  const stop = new AbortController();
  let over = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const end = (): void => {
    over();
    listener.ended(byItself());
  };
  const reader = new Reader(
    settings,
    (message) => {
      if (stop.signal.aborted) return;
      listener.message(message);
      if (message.type === 'closed') end();
    },
    stop.signal,
  );
  const terminate = async (): Promise<void> => {
    stop.abort();
    end();
  };
  return { post: (message) => reader.take(message), terminate, ended };
};
