// Reads rows for a snapshot: a connection of its own in the exported view, COPY of one range after the other, chunks compressed here and
// handed over. Compression is synchronous and takes the thread; the socket waits meanwhile, which bounds memory. Which thread that is, is
// worker-pool.ts's decision.
import { rm } from 'node:fs/promises';
import { type Codec, frameBound } from '../frame/codec.js';
import { type CompressionParameters, chooseParameters } from '../frame/compression-parameters.js';
import { type EncodedMember, encodeBody, encodeMember, encodeSpooledMember, headroom } from '../frame/encode.js';
import { chunkMember } from '../frame/member-names.js';
import { loadCodec } from '../frame/zstd.js';
import { TidemarkError } from '../model/errors.js';
import { packError } from '../model/thread-error.js';
import { copyOut } from '../pg/copy-out.js';
import { queryError, sqlstateOf } from '../pg/errors.js';
import { quoteLiteral } from '../pg/quote.js';
import { openSession, type Session } from '../pg/session.js';
import { describeConnection } from '../pg/settings.js';
import type { Sample } from './choose-level.js';
import { ChunkBuilder } from './chunk-builder.js';
import type { FromWorker, QuestionTask, RangeTask, Row, ToWorker, WorkerSettings } from './messages.js';
import { readSample } from './read-sample.js';

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

/** How long a worker waits for a lock that the control session has: no longer than whoever is in between may need to give up. */
const relockTimeoutMs = 1000;
/** Bytes of a range's first chunk that decide how its chunks are compressed. */
const sampleBytes = 1 << 20;
/** Frames of bodies up to here get memory of their own size. Handing over that of a whole chunk for each of thousands of small tables
 *  keeps the collectors of both threads busy, for it counts as garbage of that size. */
const smallBytes = 256 << 10;
/** Names a LOCK statement takes at once. */
const lockBatch = 500;

class RangeReader {
  readonly #session: Session;
  readonly #codec: Codec;
  readonly #settings: WorkerSettings;
  readonly #post: Post;
  readonly #buffer: Buffer;
  readonly #locked = new Set<string>();
  /** Memory of frames that were written. Used again and again: new memory for each makes the collector run all the time. */
  readonly #free: ArrayBuffer[] = [];
  readonly #frameBytes: number;
  #spools = 0;
  #onTheWay = 0;
  /** A large row is on its way: nothing more is read until all is written. */
  #large = false;
  #acknowledged: (() => void) | undefined;
  #builder: ChunkBuilder | undefined;

  constructor(session: Session, { codec, settings, post }: { codec: Codec; settings: WorkerSettings; post: Post }) {
    this.#session = session;
    this.#codec = codec;
    this.#settings = settings;
    this.#post = post;
    this.#buffer = takeBuffer(settings.chunkBytes);
    this.#frameBytes = frameBound(this.#buffer.length);
  }

  async attach(snapshotId: string, tables: readonly string[]): Promise<void> {
    await this.#session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await this.#session.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotId)}`);
    await this.#session.query(`SET LOCAL lock_timeout = ${relockTimeoutMs}`);
    for (let at = 0; at < tables.length; at += lockBatch) await this.#lock(tables.slice(at, at + lockBatch));
  }

  /** Nothing is read any more. */
  close(): void {
    if (this.#buffer.length <= mostSpare) spare = this.#buffer;
  }

  /** One chunk of ours was written. */
  written(memory: ArrayBuffer | undefined): void {
    this.#onTheWay -= 1;
    if (memory && memory.byteLength >= this.#frameBytes) this.#free.push(memory);
    this.#acknowledged?.();
    if (this.#large && this.#onTheWay > 0) return;
    this.#large = false;
    const builder = this.#builder;
    if (builder?.full) {
      builder.full = false;
      builder.onRoom?.();
    }
  }

  async read(task: RangeTask, level: number): Promise<bigint> {
    await this.#room();
    if (task.lockable) await this.#lock([task.table]);
    const settings = this.#settings;
    const { bare = false } = settings;
    const encode = bare ? encodeBody : encodeMember;
    let chunks = 0;
    let parameters: CompressionParameters | undefined;
    const large: Promise<void>[] = [];
    const builder = new ChunkBuilder(
      {
        format: task.format,
        bare,
        chunkBytes: settings.chunkBytes,
        spoolPath: () => this.#spoolPath(),
        take: ({ rows, bodyBytes, buffer, spooled }) => {
          const name = chunkMember(task, task.range, chunks);
          if (chunks === 0 && spooled === undefined)
            parameters = this.#parametersFor(buffer.subarray(headroom, headroom + bodyBytes), level);
          chunks += 1;
          this.#onTheWay += 1;
          builder.full = this.#large || this.#onTheWay >= settings.window;
          if (spooled === undefined) {
            this.#send(
              task,
              rows,
              encode(this.#codec, { name, buffer, bodyBytes, level, parameters, output: this.#frameMemory(bodyBytes) }),
            );
          } else {
            // Large rows come one at a time.
            this.#large = true;
            builder.full = true;
            const sent = this.#encodeLarge({ name, path: spooled, bodyBytes, level, bare }).then((member) =>
              this.#send(task, rows, member),
            );
            sent.catch(() => this.#session.destroy());
            large.push(sent);
          }
        },
      },
      this.#buffer,
    );
    this.#builder = builder;
    try {
      const rows = await copyOut(this.#session, task.statement, builder);
      builder.end();
      await Promise.all(large);
      if (rows !== builder.rows) {
        throw new TidemarkError('COPY_INCOMPLETE', `copy ${task.table} out: the server counted ${rows} rows, ${builder.rows} came`);
      }
      return rows;
    } catch (error) {
      const failure = (await Promise.allSettled(large)).find((result) => result.status === 'rejected');
      builder.discard();
      throw copyError(failure ? failure.reason : error, task, settings);
    } finally {
      this.#builder = undefined;
    }
  }

  async answer({ about, statement, table }: QuestionTask): Promise<Row | Sample> {
    await this.#lock([table]);
    try {
      if (about === 'sample') return await readSample(this.#session, this.#codec, statement);
      return await this.#session.one<Record<string, string>>(statement);
    } catch (error) {
      throw copyError(error, { statement, table }, this.#settings);
    }
  }

  /** The control session has these locks already. Who waits for an exclusive one waits for that session, and we would wait behind them:
   *  a deadlock that the server cannot see. */
  async #lock(tables: readonly string[]): Promise<void> {
    const open = tables.filter((table) => !this.#locked.has(table));
    if (open.length === 0) return;
    try {
      await this.#session.query(`LOCK TABLE ${open.map((table) => `ONLY ${table}`).join(', ')} IN ACCESS SHARE MODE`);
    } catch (error) {
      if (sqlstateOf(error) !== '55P03') throw error;
      const what = open.length === 1 ? open[0] : 'the tables';
      throw new TidemarkError('CONCURRENT_DDL', `lock ${what} for reading: another session waits to change or truncate a table`, {
        cause: error,
        hint: 'run the snapshot when no migration is under way',
      });
    }
    for (const table of open) this.#locked.add(table);
  }

  /** Waits until another chunk may be on its way: many small tables are many chunks, too. */
  async #room(): Promise<void> {
    while (this.#large ? this.#onTheWay > 0 : this.#onTheWay >= this.#settings.window) {
      await new Promise<void>((resolve) => {
        this.#acknowledged = resolve;
      });
    }
  }

  #frameMemory(bodyBytes: number): ArrayBuffer | undefined {
    if (!this.#settings.framesComeBack || bodyBytes <= smallBytes) return undefined;
    return this.#free.pop() ?? new ArrayBuffer(this.#frameBytes);
  }

  #parametersFor(body: Buffer, level: number): CompressionParameters | undefined {
    const sample = body.subarray(0, sampleBytes);
    return chooseParameters(level, (parameters) => this.#codec.compress(sample, level, { parameters }).length);
  }

  async #encodeLarge(body: { name: string; path: string; bodyBytes: number; level: number; bare: boolean }): Promise<EncodedMember> {
    try {
      return await encodeSpooledMember(this.#codec, { ...body, spoolPath: this.#spoolPath() });
    } finally {
      await rm(body.path, { force: true });
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

function copyError(error: unknown, task: Pick<RangeTask, 'statement' | 'table'>, { connection }: WorkerSettings): unknown {
  if (error instanceof TidemarkError) return error;
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

/** Connects, and then does what it is told, until that is to close. Whatever fails is told, and ends the connection. */
export class Reader {
  readonly #post: Post;
  readonly #session: Promise<Session>;
  readonly #reader: Promise<RangeReader>;

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
          return { type: 'done', id: message.task.id, rows: await reader.read(message.task, message.level) };
        case 'ask':
          return { type: 'answer', id: message.task.id, answer: await reader.answer(message.task) };
        case 'written':
          reader.written(message.memory);
          return undefined;
        case 'close':
          await (await this.#session).close();
          reader.close();
          return { type: 'closed' };
      }
    });
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
