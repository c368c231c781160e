// The socket of a session that copies tables out: what comes is read into one buffer that is used again and again. Node's sockets make
// a buffer of 64 KiB for each read instead, which costs page faults and garbage collection of about a tenth of the processor time of a
// worker. Under TLS it is wrapped, and Node's own way of reading is used.
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

const readBytes = 256 * 1024;

/** Takes a piece; it is only valid during the call. Returns whether reading may go on: false pauses the socket until `resume()`. */
export type Taker = (piece: Buffer) => boolean;

export class CopySocket extends Socket {
  /** Where what comes goes instead of to the listeners of 'data'. */
  taker: Taker | undefined;

  constructor() {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    // https://nodejs.org/api/net.html#socketconnectoptions-connectlistener: with onread, the stream gives no data by itself.
    const onread: OnReadOpts = { buffer, callback: (bytes) => this.#take(buffer.subarray(0, bytes)) };
    super({ onread } as SocketConstructorOpts);
  }

  #take(piece: Buffer): boolean {
    if (this.taker) return this.taker(piece);
    this.emit('data', Buffer.from(piece));
    return true;
  }
}
