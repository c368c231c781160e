// Bytes of an archive that another thread reads: asked for and answered by messages. For members that are too large to come with a request.
import type { MessagePort } from 'node:worker_threads';
import type { Seekable } from '../frame/seekable.js';
import { inPieces } from '../frame/sequential.js';
import { packError, unpackError } from '../model/thread-error.js';
import type { BytesReply, ReadRequest } from './load-messages.js';

/** More archives than there can be. */
const most = 2 ** 20;

export class PortBytes implements Seekable {
  readonly name: string;
  readonly size: bigint;
  readonly #port: MessagePort;
  readonly #archive: number;
  readonly #asked = new Map<number, { resolve(bytes: Buffer): void; reject(error: unknown): void }>();
  #count = 0;

  /** @param archive which of several it is, for the other side */
  constructor(port: MessagePort, { name, size, archive }: { readonly name: string; readonly size: bigint; readonly archive: number }) {
    this.#archive = archive;
    this.name = name;
    this.size = size;
    this.#port = port;
  }

  read(offset: bigint, length: number): Promise<Buffer> {
    // Apart from those of others that ask by the same port.
    const id = this.#archive + most * this.#count++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#port.postMessage({ type: 'read', id, archive: this.#archive, offset, length } satisfies ReadRequest);
    });
  }

  stream(offset: bigint, length: bigint): AsyncGenerator<Buffer> {
    return inPieces((from, bytes) => this.read(from, bytes), { offset, length, ahead: 1 });
  }

  /** To be called with what the other thread answers, also where it is an answer to somebody else. */
  answer(reply: BytesReply): void {
    const asked = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    if (reply.bytes === undefined) asked?.reject(unpackError(reply.error));
    else asked?.resolve(Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The other side of it. */
export async function answerRead(bytes: Seekable, { id, offset, length }: ReadRequest): Promise<BytesReply> {
  try {
    return { type: 'bytes', id, bytes: await bytes.read(offset, length) };
  } catch (error) {
    return { type: 'bytes', id, error: packError(error) };
  }
}
