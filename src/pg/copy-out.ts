// Runs COPY ... TO STDOUT, one or several in one message: small tables are more questions and answers than rows. pg-copy-streams submits
// the query and takes over the socket; its parser and its idea of an ending are replaced: payload goes straight into the caller's buffer,
// and success is only CopyDone, then the command tag, for each, then ReadyForQuery (the package ends cleanly on several broken endings,
// and costs about a microsecond a row).
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
import type { Socket } from 'node:net';
import type { Submittable } from 'pg';
import { to } from 'pg-copy-streams';
import { CopyDataDecoder, type CopyTarget, incomplete } from './copy-data-decoder.js';
import { CopySocket } from './copy-socket.js';
import { isServerError } from './errors.js';
import type { Session } from './session.js';

interface Connection {
  readonly stream: Socket;
  query(text: string): void;
}

/** The package's class with its inner parts, which its types leave out. */
interface CopyToStream {
  readonly text: string;
  connection: Connection;
  _pgDataHandler: (data: Buffer) => void;
  _onReadableEvent: () => void;
  _read(): void;
  submit(connection: Connection): void;
}

const CopyTo = to('').constructor as new (text: string) => CopyToStream;

/** One COPY ... TO STDOUT. */
export interface Copy {
  readonly statement: string;
  /** Its rows come next. */
  begin(): CopyTarget;
  /** All of its rows have come. @param rows as the server counted them */
  end(rows: bigint): void;
}

class CopyOut extends CopyTo {
  readonly done: Promise<void>;
  readonly #copies: Iterator<Copy, undefined>;
  #copy: Copy | undefined;
  #target: CopyTarget | undefined;
  #decoder: CopyDataDecoder | undefined;
  #ended = false;
  #settle!: { resolve(): void; reject(error: unknown): void };

  constructor(text: string, copies: readonly Copy[]) {
    super(text);
    this.#copies = copies[Symbol.iterator]() as Iterator<Copy, undefined>;
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#next();
    // The package reads the socket once somebody asks for data: nobody reads this stream, the targets are fed instead.
    super._read();
  }

  #next(): void {
    this.#copy = this.#copies.next().value;
    this.#target = this.#copy?.begin();
    this.#decoder = this.#target && new CopyDataDecoder(this.#target);
    if (this.#target) this.#target.onRoom = () => this._read();
  }

  override submit(connection: Connection): void {
    const { stream } = connection;
    if (stream instanceof CopySocket) {
      this.connection = connection;
      stream.taker = (piece) => this._parse(piece) || this.#ended;
      connection.query(this.text);
    } else super.submit(connection);
  }

  /** Reads on. */
  override _read(): void {
    const stream = this.connection?.stream;
    if (stream instanceof CopySocket) stream.resume();
    else super._read();
  }

  /** Called by the package with what came from the socket; returns whether it may go on reading. */
  _parse(chunk: Buffer): boolean {
    try {
      let bytes = chunk;
      while (this.#decoder) {
        const end = this.#decoder.feed(bytes);
        if (end === undefined) return !this.#target?.full;
        bytes = end.rest;
        if (end.reason === 'error') break;
        this.#copy?.end(end.rows);
        this.#next();
      }
      this.#ended = true;
      this.#handBack(bytes);
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  /** Gives the socket back to pg, with the bytes that are its own: an error, or what follows the last command tag. */
  #handBack(rest: Buffer): void {
    const { stream } = this.connection;
    if (stream instanceof CopySocket) {
      stream.taker = undefined;
      stream.emit('data', Buffer.from(rest));
      return;
    }
    stream.removeListener('readable', this._onReadableEvent);
    stream.on('data', this._pgDataHandler);
    this._pgDataHandler(rest);
    process.nextTick(() => stream.resume());
  }

  /** The protocol cannot be trusted any more: cut the connection, so that nothing later is mistaken for something else. */
  #fail(error: unknown): void {
    this.#settle.reject(error);
    this.connection.stream.destroy();
  }

  handleError(error: Error): void {
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    if (this.#copy === undefined) this.#settle.resolve();
    else this.#fail(incomplete('the server ended it without CopyDone and a row count'));
  }
}

/** Runs all of them in one message, one after the other; ends once the server has said that all went well.
 *  On an error of the server the session can be used again (its transaction has failed); otherwise the connection is gone.
 *  @throws TidemarkError COPY_INCOMPLETE on a broken ending; the server's error or the loss of the connection as pg gives it; what `begin`
 *  and `end` throw */
export async function copyAllOut(session: Session, copies: readonly Copy[]): Promise<void> {
  const text = copies.map(({ statement }) => statement).join(';\n');
  const query = new CopyOut(await session.spell(text), copies);
  session.client.query<Submittable>(query);
  try {
    await query.done;
  } catch (error) {
    if (!isServerError(error)) session.destroy();
    throw error;
  }
}

/** Copies out into `target` and gives the number of rows of the command tag.
 *  @throws as copyAllOut */
export async function copyOut(session: Session, statement: string, target: CopyTarget): Promise<bigint> {
  let counted = 0n;
  const end = (rows: bigint): void => {
    counted = rows;
  };
  await copyAllOut(session, [{ statement, begin: () => target, end }]);
  return counted;
}
