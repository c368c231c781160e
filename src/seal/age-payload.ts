// The payload of an age file (https://age-encryption.org/v1#payload): a nonce, then chunks of 64 KiB, each by itself under ChaCha20-Poly1305
// with its number as nonce, and a flag on the last one, so that none can be missing, moved or added. Pure; with node:crypto, which does 7
// (encrypting) to 20 times (decrypting) as many bytes a second as the package that reads and writes the header.
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

export const chunkBytes = 64 * 1024;
const tagBytes = 16;
/** Bytes of a whole chunk in the file. */
export const sealedBytes = chunkBytes + tagBytes;
export const nonceBytes = 16;
const cipher = 'chacha20-poly1305';

/** The key of one file's payload. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** 11 bytes of the chunk's number, most significant first, and one that is 1 for the last chunk. */
function chunkNonce(chunk: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(chunk), 3);
  nonce.writeUInt8(last ? 1 : 0, 11);
  return nonce;
}

interface Place {
  readonly chunk: number;
  readonly last: boolean;
}

/** A chunk as it stands in the file: its bytes, then their tag. */
export function sealChunk(key: Buffer, plain: Uint8Array, { chunk, last }: Place): readonly Buffer[] {
  const sealing = createCipheriv(cipher, key, chunkNonce(chunk, last), { authTagLength: tagBytes });
  const body = sealing.update(plain);
  sealing.final();
  return [body, sealing.getAuthTag()];
}

/** Undefined where the chunk is not the one that was written there. */
export function openChunk(key: Buffer, sealed: Uint8Array, { chunk, last }: Place): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined;
  const opening = createDecipheriv(cipher, key, chunkNonce(chunk, last), { authTagLength: tagBytes });
  opening.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plain = opening.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    opening.final();
  } catch {
    return undefined;
  }
  return plain;
}

export interface Sizes {
  readonly chunks: number;
  readonly plain: bigint;
}

/** What a payload of so many bytes, without its nonce, holds. Undefined where no payload has this size: only that of nothing has an empty last
 *  chunk. */
export function payloadSizes(sealed: bigint): Sizes | undefined {
  const rest = sealed % BigInt(sealedBytes);
  const whole = sealed / BigInt(sealedBytes);
  const chunks = whole + (rest > 0n ? 1n : 0n);
  if (rest > 0n && (rest < BigInt(tagBytes) || (rest === BigInt(tagBytes) && whole > 0n))) return undefined;
  if (chunks === 0n || chunks > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { chunks: Number(chunks), plain: sealed - chunks * BigInt(tagBytes) };
}

/** Sealed chunks out of pieces of any size; the last one may be short. */
export async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let chunk = Buffer.allocUnsafeSlow(sealedBytes);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + sealedBytes - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < sealedBytes) continue;
      yield chunk;
      chunk = Buffer.allocUnsafeSlow(sealedBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
