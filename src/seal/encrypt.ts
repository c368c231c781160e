// Encrypts to age recipients while bytes pass: nothing is held but one chunk. What comes out is what `age -r` writes.
import { createHash, randomBytes } from 'node:crypto';
import type { Seekable } from '../frame/seekable.js';
import { TidemarkError } from '../model/errors.js';
import { type FileKey, type Recipients, wrapFileKey } from './age-keys.js';
import { chunkBytes, nonceBytes, payloadKey, sealChunk } from './age-payload.js';
import { AgeBytes } from './decrypt.js';

/** Where bytes go. */
interface Sink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface EncryptedFile {
  /** Bytes of the encrypted file, and their SHA-256 in hex. */
  readonly bytes: bigint;
  readonly sha256: string;
  /** The plain bytes, read from where the encrypted ones were written to. No identity is needed: whoever has written it has the key. */
  decrypted(bytes: Seekable): Promise<Seekable>;
}

export interface EncryptingSink extends Sink {
  /** Writes the last chunk: without it no reader takes the file for whole. Once. */
  end(): Promise<EncryptedFile>;
}

/** @param recipients one at least  @param sink gets buffers of their own, which are never written to again */
export async function encryptingSink(sink: Sink, recipients: Recipients): Promise<EncryptingSink> {
  return new Encryption(sink, await wrapFileKey(recipients));
}

class Encryption implements EncryptingSink {
  readonly #sink: Sink;
  readonly #fileKey: FileKey;
  readonly #key: Buffer;
  readonly #hash = createHash('sha256');
  /** What is written before the next chunk. */
  #before: readonly Uint8Array[];
  /** The chunk that is not full, or full and perhaps the last one. */
  #chunk: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  #filled = 0;
  #chunks = 0;
  #bytes = 0n;
  #ended = false;

  constructor(sink: Sink, fileKey: FileKey) {
    this.#sink = sink;
    this.#fileKey = fileKey;
    const nonce = randomBytes(nonceBytes);
    this.#key = payloadKey(fileKey.key, nonce);
    this.#before = [fileKey.header, nonce];
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new TidemarkError('INTERNAL', 'encrypt: the file has ended');
    const sealed: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === chunkBytes) sealed.push(...this.#seal(false));
      const taken = bytes.subarray(at, at + chunkBytes - this.#filled);
      this.#chunk.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
    }
    if (sealed.length > 0) await this.#pass(sealed);
  }

  async end(): Promise<EncryptedFile> {
    if (this.#ended) throw new TidemarkError('INTERNAL', 'encrypt: the file has ended');
    this.#ended = true;
    await this.#pass(this.#seal(true));
    const fileKey = this.#fileKey;
    return {
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      decrypted: (bytes) => readBack(bytes, fileKey),
    };
  }

  #seal(last: boolean): readonly Uint8Array[] {
    const sealed = sealChunk(this.#key, this.#chunk.subarray(0, this.#filled), { chunk: this.#chunks, last });
    this.#chunks += 1;
    this.#filled = 0;
    const before = this.#before;
    this.#before = [];
    return [...before, ...sealed];
  }

  async #pass(pieces: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(pieces);
    this.#hash.update(bytes);
    this.#bytes += BigInt(bytes.length);
    await this.#sink.write(bytes);
  }
}

/** The header is what somebody with an identity begins with; with the key alone it would not be looked at. */
async function readBack(bytes: Seekable, fileKey: FileKey): Promise<Seekable> {
  const { header } = fileKey;
  const there = bytes.size < BigInt(header.length) ? undefined : await bytes.read(0n, header.length);
  if (there?.equals(header)) return AgeBytes.withKey(bytes, fileKey);
  throw new TidemarkError('ARCHIVE_CORRUPT', `decrypt ${bytes.name}: its header is not the one that was written`, {
    hint: 'check the disk and the memory of this machine',
  });
}

/** A text, encrypted and armored: text again, which `age -d` takes as well. */
export async function encryptText(text: string, recipients: Recipients): Promise<string> {
  const pieces: Uint8Array[] = [];
  const sink = await encryptingSink({ write: async (bytes) => void pieces.push(bytes) }, recipients);
  await sink.write(Buffer.from(text));
  await sink.end();
  const { armor } = await import('age-encryption');
  return armor.encode(Buffer.concat(pieces));
}
