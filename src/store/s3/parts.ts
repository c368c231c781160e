// Cuts what is to be uploaded into parts of one size. Some servers (R2) take no others, so the size is settled before the first part, and
// 10,000 of them must do. Buffers are used again: as many are made as there are parts at one time.

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const limits = { parts: 10_000, leastBytes: 5 << 20, mostBytes: 5 * 2 ** 30 } as const;

const mebibyte = 1 << 20;

/** The size of the parts for so many bytes: the one given, or a larger one, a whole number of MiB, where 10,000 of these are too small. */
export function partBytesFor(least: number, bytes = 0n): number {
  const needed = (bytes + BigInt(limits.parts) - 1n) / BigInt(limits.parts);
  if (needed <= BigInt(least)) return least;
  return Math.min(limits.mostBytes, Math.ceil(Number(needed) / mebibyte) * mebibyte);
}

export interface Part {
  readonly body: Buffer;
  readonly isLast: boolean;
  /** Lets its memory be used again; nobody may read it after that. */
  release(): void;
}

/** At least one part; all but the last have `partBytes`. Each is copied, so that the source may use its memory again. */
export async function* cutParts(source: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Part, void> {
  const free: Buffer[] = [];
  const take = () => free.pop() ?? Buffer.allocUnsafeSlow(partBytes);
  let buffer = take();
  let filled = 0;
  const part = (isLast: boolean): Part => {
    const whole = buffer;
    return { body: whole.subarray(0, filled), isLast, release: () => free.push(whole) };
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === partBytes) {
        yield part(false);
        buffer = take();
        filled = 0;
      }
      const some = chunk.subarray(at, at + partBytes - filled);
      buffer.set(some, filled);
      filled += some.length;
      at += some.length;
    }
  }
  yield part(true);
}
