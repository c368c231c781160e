// Reads rows for a snapshot: a connection of its own in the exported view, COPY of one range after the other; range-chunks.ts makes
// chunks of them. Which thread that is in, is worker-pool.ts's decision.
import type { Codec } from '../frame/codec.js';
import type { EncodedMember } from '../frame/encode.js';
import { TidemarkError } from '../model/errors.js';
import { type Copy, copyAllOut } from '../pg/copy-out.js';
import { queryError, sqlstateOf } from '../pg/errors.js';
import type { Session } from '../pg/session.js';
import { describeConnection } from '../pg/settings.js';
import { ChunkBuilder } from './chunk-builder.js';
import { FrameMemory } from './frame-memory.js';
import { importSnapshot, inTheWay } from './import-snapshot.js';
import type { FromWorker, QuestionTask, RangeTask, Row, WorkerSettings } from './messages.js';
import { type ChunkTools, RangeChunks } from './range-chunks.js';
import { readSample, type TableSample } from './read-sample.js';
import { SeenRows } from './seen-rows.js';
import { Window } from './window.js';

/** The buffer of a reader that has closed, for the next one of this thread: that of another size is not of use. Where snapshots of little
 *  follow each other, new ones would keep the collector busy, and only what was written to takes memory. */
let spare: Buffer | undefined;
/** Enough for chunks of the usual size. */
const mostSpare = 16 << 20;

function takeBuffer(chunkBytes: number): Buffer {
  const buffer = spare;
  spare = undefined;
  return buffer !== undefined && buffer.length === ChunkBuilder.bytesFor(chunkBytes) ? buffer : ChunkBuilder.allocate(chunkBytes);
}

/** The way to whoever gives the work. Buffers that are passed on belong to the other side from then on. */
export type Post = (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void;

/** Names a LOCK statement takes at once. */
const lockBatch = 500;

export class RangeReader {
  readonly #session: Session;
  readonly #settings: WorkerSettings;
  readonly #post: Post;
  readonly #tools: ChunkTools;
  #spools = 0;
  /** Of the range whose rows come. */
  #chunks: RangeChunks | undefined;

  constructor(session: Session, { codec, settings, post }: { codec: Codec; settings: WorkerSettings; post: Post }) {
    this.#session = session;
    this.#settings = settings;
    this.#post = post;
    const { chunkBytes, window, framesComeBack } = settings;
    const buffer = takeBuffer(chunkBytes);
    this.#tools = {
      codec,
      settings,
      buffer,
      frames: new FrameMemory(framesComeBack),
      window: new Window(window * chunkBytes),
      seen: new SeenRows(),
      spoolPath: () => this.#spoolPath(),
      send: (task, rows, member) => this.#send(task, rows, member),
      stop: () => session.destroy(),
    };
  }

  /** Takes the view that was exported, and locks these tables (quoted names). */
  async attach(snapshotId: string, tables: readonly string[]): Promise<void> {
    await importSnapshot(this.#session, snapshotId);
    for (let at = 0; at < tables.length; at += lockBatch) {
      const some = tables.slice(at, at + lockBatch);
      try {
        await this.#session.query(`LOCK TABLE ${some.map((table) => `ONLY ${table}`).join(', ')} IN ACCESS SHARE MODE`);
      } catch (error) {
        throw inTheWay(some.length === 1 ? `${some[0]}` : 'the tables', error) ?? error;
      }
    }
  }

  /** Nothing is read any more. */
  close(): void {
    const { buffer } = this.#tools;
    if (buffer.length <= mostSpare) spare = buffer;
  }

  /** One chunk of ours was written. */
  written(rawBytes: number, memory: ArrayBuffer | undefined): void {
    this.#tools.window.give(rawBytes);
    this.#tools.frames.give(memory);
    this.#chunks?.written();
  }

  /** Reads these ranges, in one message to the server, and tells of each when it is read. */
  async read(tasks: readonly RangeTask[], level: number): Promise<void> {
    await this.#tools.window.room();
    let current = tasks[0] as RangeTask;
    /** Of those with large rows, which are still on their way when all rows have come. */
    const later: Promise<void>[] = [];
    const copies = tasks.map((task): Copy => {
      const done = (rows: bigint): void => this.#post({ type: 'done', id: task.id, rows });
      return {
        statement: task.statement,
        begin: () => {
          current = task;
          this.#chunks = new RangeChunks(task, level, this.#tools);
          return this.#chunks.builder;
        },
        end: (rows) => {
          const sending = this.#chunks?.end(rows);
          if (sending === undefined) return done(rows);
          const sent = sending.then(() => done(rows));
          // Looked at when all others have come, or the connection is gone.
          sent.catch(() => undefined);
          later.push(sent);
        },
      };
    });
    try {
      await copyAllOut(this.#session, copies);
      await Promise.all(later);
    } catch (error) {
      const failure = await firstFailure([...later, this.#chunks?.abandon()]);
      throw copyError(failure ?? error, current, this.#settings);
    } finally {
      this.#chunks = undefined;
    }
  }

  async answer({ about, statement, table, widths = false }: QuestionTask): Promise<Row | TableSample> {
    try {
      if (about === 'sample') return await readSample(this.#session, this.#tools.codec, { statement, widths });
      return await this.#session.one<Record<string, string>>(statement);
    } catch (error) {
      throw copyError(error, { statement, table }, this.#settings);
    }
  }

  #send(task: RangeTask, rows: bigint, member: EncodedMember): void {
    const { content } = member;
    this.#post({ type: 'chunk', id: task.id, rows, member }, content.kind === 'buffer' ? [content.bytes.buffer as ArrayBuffer] : []);
  }

  #spoolPath(): string {
    this.#spools += 1;
    return `${this.#settings.spoolPrefix}-${this.#spools}`;
  }
}

async function firstFailure(work: readonly (Promise<void> | undefined)[]): Promise<unknown> {
  const results = await Promise.allSettled(work);
  return results.find((result) => result.status === 'rejected')?.reason;
}

function copyError(error: unknown, task: Pick<RangeTask, 'statement' | 'table'>, { connection }: WorkerSettings): unknown {
  if (error instanceof TidemarkError) return error;
  const lockError = inTheWay(task.table, error);
  if (lockError !== undefined) return lockError;
  const known = queryError(error, task.statement, describeConnection(connection));
  if (sqlstateOf(known) === '40001') {
    return new TidemarkError('SERVER_ERROR', `copy ${task.table} out: the standby cancelled it, because replay had to go on`, {
      cause: error,
      hint: 'set hot_standby_feedback = on or raise max_standby_streaming_delay on the standby',
    });
  }
  return new TidemarkError(known.code, `copy ${task.table} out: ${(error as Error).message}`, {
    details: known.details,
    hint: known.hint ?? "see the server's log for the reason; nothing was published",
  });
}
