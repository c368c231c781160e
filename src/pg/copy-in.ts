// COPY ... FROM STDIN that is only a success when the server said so. Extends the query class of pg-copy-streams where that one falls
// short: it speaks the simple protocol (a second statement in the text would run), allocates and writes a header for every piece it
// is handed, however small or large, and hangs when the connection ends while it waits for 'drain'. What is in the rows is not looked at.
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { from } from 'pg-copy-streams';
import { TidemarkError } from '../model/errors.js';
import { queryError } from './errors.js';
import type { Session } from './session.js';
import { describeConnection } from './settings.js';

/** Largest body of one CopyData message. Large enough that the 5 bytes before it and the call are nothing, small enough that a
 *  server error or an abort is noticed soon. */
const pieceBytes = 128 * 1024;
const nothing = new Uint8Array(0);

/** A server that only drops what we send (after an error) takes it as fast as it comes: `write` says that it is enough, and 'drain' comes, without
 *  a turn of the event loop between them, and what the server has to say would never be read. So it gets one after this many bytes. */
const listenEveryBytes = 1024 * 1024;

/** What the query needs of pg's Connection, which its types leave out. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  flush(): void;
  sync(): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
  readonly stream: Socket;
}

/** The package's class, which it does not export by itself. Its Writable side is not used: rows are sent by `send`. */
const CopyFrom = from('').constructor as new (text: string) => ReturnType<typeof from>;

function copyDataHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(5);
  header.writeUInt8(0x64, 0);
  header.writeUInt32BE(length + 4, 1);
  return header;
}

const fullHeader = copyDataHeader(pieceBytes);

/** One CopyData message. @returns whether the socket wants more */
function writePiece(socket: Socket, piece: Uint8Array): boolean {
  socket.write(piece.length === pieceBytes ? fullHeader : copyDataHeader(piece.length));
  return socket.write(piece);
}

/** One COPY on the wire. pg calls `submit` and the `handle...` methods. */
class CopyInQuery extends CopyFrom {
  /** Resolves when the server wants rows. Rejects with `failure`. */
  readonly opened: Promise<void>;
  /** Resolves at ReadyForQuery with the count of the command tag. Rejects with `failure`. */
  readonly done: Promise<bigint>;
  /** Never resolves; rejects with `failure`. */
  readonly failed: Promise<never>;
  /** What the server or the socket said. Later ones are consequences of the first. */
  failure: Error | undefined;
  #wire: Wire | undefined;
  #synced = false;
  /** Bytes sent since the event loop last had a turn. */
  #unheard = 0;
  #rows: bigint | undefined;
  #open: () => void = () => undefined;
  #finish: (rows: bigint) => void = () => undefined;
  readonly #onFailure = new Set<(error: Error) => void>();
  /** All there is to send, where it is sent at once. */
  readonly #all: Uint8Array | undefined;

  constructor(text: string, all?: Uint8Array) {
    super(text);
    this.#all = all;
    this.opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#onFailure.add(reject);
    });
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#onFailure.add(reject);
    });
    this.failed = new Promise((_resolve, reject) => {
      this.#onFailure.add(reject);
    });
    // Each may fail while another is awaited.
    for (const promise of [this.opened, this.done, this.failed]) promise.catch(() => undefined);
  }

  /** Extended protocol, so that the server refuses a second statement in the text. Sync must wait until after the rows: the server
   *  ignores it in copy-in mode (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY). Rows that come before it wants
   *  them wait for it, or are passed over up to Sync where it refuses the statement. */
  override submit(connection: unknown): void {
    const wire = connection as Wire;
    this.#wire = wire;
    wire.stream.cork();
    wire.parse({ text: this.text });
    wire.bind({});
    wire.execute({});
    if (this.#all === undefined) wire.flush();
    else this.complete(this.#all);
    wire.stream.uncork();
  }

  /** Sends bytes of the row stream; resolves when the socket wants more. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      if (this.failure) throw this.failure;
      const piece = bytes.subarray(start, start + pieceBytes);
      const socket = this.#socket();
      socket.cork();
      const hungry = writePiece(socket, piece);
      socket.uncork();
      this.#unheard += piece.length;
      if (!hungry) await this.#drained(socket);
      if (this.#unheard < listenEveryBytes) continue;
      await nextTurn();
      this.#unheard = 0;
    }
  }

  /** These are the last rows: at most `pieceBytes`, or none. With them goes what ends the COPY: of few rows each call to the system counts. */
  complete(bytes: Uint8Array): void {
    const socket = this.#socket();
    socket.cork();
    if (bytes.length > 0) writePiece(socket, bytes);
    this.#wire?.endCopyFrom();
    this.#sync();
    socket.uncork();
  }

  /** Takes the COPY back; resolves when the server has. */
  async cancel(reason: string): Promise<void> {
    this.#wire?.sendCopyFail(reason);
    this.#sync();
    await this.done.catch(() => undefined);
  }

  handleCopyInResponse(): void {
    this.#open();
  }

  handleCommandComplete(message: { text?: string }): void {
    const count = /^COPY (\d+)$/.exec(message.text ?? '')?.[1];
    if (count !== undefined) this.#rows = BigInt(count);
  }

  /** An ErrorResponse, or the end of the connection. After the former pg forgets this query and waits for ReadyForQuery by itself. */
  handleError(error: Error): void {
    this.#sync();
    this.#fail(error);
  }

  handleReadyForQuery(): void {
    if (this.#rows === undefined || !this.#synced) {
      this.#fail(new TidemarkError('COPY_INCOMPLETE', 'copy rows into a table: the server ended the COPY without counting the rows'));
    } else {
      this.#finish(this.#rows);
    }
  }

  /** Exactly one Sync a COPY: a second one would bring a second ReadyForQuery, which pg takes for the end of the next query. */
  #sync(): void {
    if (this.#synced) return;
    this.#synced = true;
    this.#wire?.sync();
  }

  #fail(error: Error): void {
    this.failure ??= error;
    for (const reject of this.#onFailure) reject(this.failure);
    this.#onFailure.clear();
  }

  #socket(): Socket {
    if (!this.#wire) throw new TidemarkError('INTERNAL', 'copy rows into a table: sent before the statement was');
    return this.#wire.stream;
  }

  #drained(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => {
        socket.off('drain', drained);
        reject(error);
      };
      const drained = () => {
        this.#onFailure.delete(failed);
        resolve();
      };
      socket.once('drain', drained);
      this.#onFailure.add(failed);
    });
  }
}

/** Runs `COPY ... FROM STDIN` with the bytes of `source` and gives the row count of the server's command tag. Resolves only after
 *  `COPY n` and ReadyForQuery: the rows are then committed, or part of the session's transaction.
 *  When `source` throws, the COPY is taken back, the session stays usable, and the source's error is thrown.
 *  @throws TidemarkError with SQLSTATE in `details.sqlstate` when the server refuses, as soon as it says so;
 *  CONNECTION_LOST when the connection ends; COPY_INCOMPLETE when the server gives no count */
export async function copyIn(session: Session, sql: string, source: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<bigint> {
  const all = few(source);
  const query = new CopyInQuery(await session.spell(sql), all);
  session.client.query(query);
  try {
    if (all === undefined) {
      await query.opened;
      query.complete(await pump(query, source));
    }
    return await query.done;
  } catch (error) {
    if (query.failure !== undefined) throw queryError(query.failure, sql, describe(session));
    // The reason reaches the server's log: the error's own text may quote rows or paths, so it stays here.
    await query.cancel('the source of the rows failed');
    throw error;
  }
}

/** @returns all bytes, where they are so few that they go along with the statement: a table of some rows then is one message each way */
function few(source: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Uint8Array | undefined {
  if (!Array.isArray(source) || source.length > 1) return undefined;
  const [all = nothing] = source as readonly Uint8Array[];
  return all.length <= pieceBytes ? all : undefined;
}

/** @returns the last bytes, at most `pieceBytes`, which are not sent yet; none where nobody can say which are the last */
async function pump(query: CopyInQuery, source: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<Uint8Array> {
  if (Array.isArray(source)) {
    const last: Uint8Array = source.at(-1) ?? nothing;
    for (const bytes of source.slice(0, -1)) await query.send(bytes);
    const whole = Math.max(0, Math.ceil(last.length / pieceBytes) - 1) * pieceBytes;
    await query.send(last.subarray(0, whole));
    return last.subarray(whole);
  }
  const rows = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      // A source can be slow (a pipe): the server's error must not wait for its next piece.
      const next = await Promise.race([rows.next(), query.failed]);
      if (next.done) return nothing;
      await query.send(next.value);
    }
  } catch (error) {
    // Not awaited: where `next` hangs, `return` would, too.
    rows.return?.().catch(() => undefined);
    throw error;
  }
}

function describe({ client }: Session): string {
  return describeConnection({ user: client.user ?? '', host: client.host, port: client.port, database: client.database ?? '' });
}
