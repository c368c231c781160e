// A worker of a snapshot, wherever it runs: takes messages, and gives messages.
import { loadCodec } from '../frame/zstd.js';
import { packError } from '../model/thread-error.js';
import { openSession, type Session } from '../pg/session.js';
import type { FromWorker, RangeTask, ToWorker, WorkerSettings } from './messages.js';
import { type Post, RangeReader } from './range-reader.js';

/** Connects, and then does what it is told, until that is to close. Whatever fails is told, and ends the connection. */
export class Reader {
  readonly #post: Post;
  readonly #session: Promise<Session>;
  readonly #reader: Promise<RangeReader>;
  readonly #tasks: RangeTask[] = [];
  #reading = false;

  /** @param signal cuts the connection */
  constructor(settings: WorkerSettings, post: Post, signal?: AbortSignal) {
    this.#post = post;
    this.#session = connect(settings, signal);
    this.#reader = this.#session.then(async (session) => new RangeReader(session, { codec: await loadCodec(), settings, post }));
    this.#answer(async () => {
      await this.#reader;
      return { type: 'connected' };
    });
  }

  /** Resolves once it was told to close, and has. */
  take(message: ToWorker): void {
    this.#answer(async () => {
      const reader = await this.#reader;
      switch (message.type) {
        case 'attach':
          await reader.attach(message.snapshotId, message.tables);
          return { type: 'attached' };
        case 'read':
          this.#tasks.push(...message.tasks);
          await this.#readAll(reader, message.level);
          return undefined;
        case 'ask':
          return { type: 'answer', id: message.task.id, answer: await reader.answer(message.task) };
        case 'written':
          reader.written(message.rawBytes, message.memory);
          return undefined;
        case 'close':
          await (await this.#session).close();
          reader.close();
          return { type: 'closed' };
      }
    });
  }

  /** Whatever was given while others were read is read together. */
  async #readAll(reader: RangeReader, level: number): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    while (this.#tasks.length > 0) await reader.read(this.#tasks.splice(0), level);
    this.#reading = false;
  }

  #answer(work: () => Promise<FromWorker | undefined>): void {
    work().then(
      (answer) => answer && this.#post(answer),
      (error: unknown) => {
        this.#session.then((session) => session.destroy()).catch(() => undefined);
        this.#post({ type: 'failed', error: packError(error) });
      },
    );
  }
}

async function connect({ connection, encoding, foreignTables, bare }: WorkerSettings, signal: AbortSignal | undefined): Promise<Session> {
  const applicationName = 'tidemark worker';
  const session = await openSession(connection, { use: 'read', encoding, applicationName, copiesOut: true, foreignTables, signal });
  if (!bare) await session.carryRows(session.serverEncoding);
  return session;
}
