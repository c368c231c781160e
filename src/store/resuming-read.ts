// Reads bytes over connections that may break: the next request begins at the byte where the last one ended, and must be answered from the
// same version of the object. What a request looks like is for the store.
import type { Patience } from './patience.js';
import type { GetOptions } from './store.js';
import { changed, cutShort, outOfRange } from './store-errors.js';

/** What a request asks for. */
export interface Wanted {
  readonly from: bigint;
  /** The byte after the last; undefined: to the end. */
  readonly end: bigint | undefined;
  readonly version: string | undefined;
}

/** How it was answered. */
export interface Answer {
  readonly from: bigint;
  readonly end: bigint;
  /** Of the whole object. */
  readonly bytes: bigint;
  readonly version: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ResumingRead extends GetOptions {
  readonly location: string;
  readonly key: string;
  readonly patience: Patience;
  /** @throws what `isTransient` and `explain` know; TidemarkErrors pass */
  readonly open: (wanted: Wanted) => Promise<Answer>;
  /** True for what may be otherwise the next time. */
  readonly isTransient: (error: unknown) => boolean;
  readonly explain: (error: unknown) => Error;
}

/** A body that ended early without an error. */
class ShortBody extends Error {}

export async function* resumingRead(read: ResumingRead): AsyncGenerator<Uint8Array, void> {
  const { location, key, range, patience } = read;
  const first = range?.from ?? 0n;
  let at = first;
  let end = range && range.from + range.bytes;
  let { version } = read;
  for (let failures = 1; ; failures += 1) {
    const before = at;
    try {
      const answer = await read.open({ from: at, end, version });
      if (version !== undefined && answer.version !== version) throw changed(location, key);
      if (end !== undefined && answer.bytes < end) throw outOfRange(location, key, answer.bytes);
      version = answer.version;
      end ??= answer.bytes;
      if (answer.from !== at || answer.end !== end) throw new ShortBody();
      for await (const chunk of answer.body) {
        if (at + BigInt(chunk.length) > end) throw new ShortBody();
        at += BigInt(chunk.length);
        yield chunk;
      }
      if (at < end) throw new ShortBody();
      return;
    } catch (error) {
      if (end !== undefined && at === end && at > first) return;
      if (!(error instanceof ShortBody || read.isTransient(error))) throw read.explain(error);
      if (at > before) failures = 1;
      if (failures >= patience.attempts) {
        throw error instanceof ShortBody ? cutShort(location, key, at - first, end && end - first) : read.explain(error);
      }
      await patience.wait(failures);
    }
  }
}
