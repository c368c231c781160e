// Runs COPY ... TO STDOUT. pg-copy-streams submits the query and takes over the socket; its parser and its idea of an ending are
// replaced: payload goes straight into the caller's buffer, and success is only CopyDone, then the command tag, then ReadyForQuery
// (the package ends cleanly on several broken endings, and costs about a microsecond a row).
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
import type { Socket } from 'node:net';
import type { Submittable } from 'pg';
import { to } from 'pg-copy-streams';
import { TidemarkError } from '../model/errors.js';
import { CopyDataDecoder, type CopyTarget } from './copy-data-decoder.js';
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

const CopyTo = to('').constructor as unknown as new (text: string) => CopyToStream;

class CopyOut extends CopyTo {
  readonly done: Promise<bigint>;
  readonly #decoder: CopyDataDecoder;
  readonly #target: CopyTarget;
  #ended = false;
  #copyDone = false;
  #tag: string | undefined;
  #settle!: { resolve(rows: bigint): void; reject(error: unknown): void };

  constructor(text: string, target: CopyTarget) {
    super(text);
    this.#target = target;
    this.#decoder = new CopyDataDecoder(target);
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#target.onRoom = () => this._read();
    // The package reads the socket once somebody asks for data: nobody reads this stream, the target is fed instead.
    super._read();
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
      const end = this.#decoder.feed(chunk);
      if (end === undefined) return !this.#target.full;
      this.#ended = true;
      this.#copyDone = end.reason === 'done';
      this.#handBack(end.rest);
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  /** Gives the socket back to pg, with the bytes that are its own: an error or what follows CopyDone. */
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

  handleCommandComplete(message: { text?: string }): void {
    this.#tag = message.text ?? '';
  }

  handleReadyForQuery(): void {
    const match = /^COPY (\d+)$/.exec(this.#tag ?? '');
    if (this.#copyDone && match) this.#settle.resolve(BigInt(match[1] as string));
    else this.#fail(incomplete('the server ended it without CopyDone and a row count'));
  }
}

function incomplete(what: string): TidemarkError {
  return new TidemarkError('COPY_INCOMPLETE', `copy a table out: ${what}`, {
    hint: 'the rows that came cannot be trusted; look for a proxy or pooler between here and the server, and run again',
  });
}

/** Copies out into `target` and gives the number of rows of the command tag, once the server has said that all went well.
 *  On an error of the server the session can be used again (its transaction has failed); otherwise the connection is gone.
 *  @throws TidemarkError COPY_INCOMPLETE on a broken ending; the server's error or the loss of the connection as pg gives it */
export async function copyOut(session: Session, sql: string, target: CopyTarget): Promise<bigint> {
  const query = new CopyOut(await session.spell(sql), target);
  session.client.query(query as unknown as Submittable);
  try {
    return await query.done;
  } catch (error) {
    if (!isServerError(error)) session.destroy();
    throw error;
  }
}
