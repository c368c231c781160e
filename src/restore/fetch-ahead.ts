// Fetches the members of an archive that lies elsewhere while those before them are still loaded. How far ahead is bounded by bytes; what was
// handed over counts no more, it is its taker's.
import type { Seekable } from '../frame/seekable.js';
import type { StoredMember } from '../model/manifest.js';
import { type Fetch, fetchLimits, planFetches } from './fetch-plan.js';

/** Requests and bytes beyond what the takers themselves wait for. */
const aheadFetches = 2;

interface Running {
  readonly fetch: Fetch;
  readonly content: Promise<Buffer>;
  left: number;
}

export class FetchAhead {
  readonly #bytes: Seekable;
  readonly #members: readonly StoredMember[];
  readonly #waiting: Fetch[];
  /** By position of a member. */
  readonly #fetchOf = new Map<number, Fetch>();
  readonly #running = new Map<Fetch, Running>();
  readonly #mostBytes: number;
  #held = 0;
  #stopped = false;

  /** @param members in the order in which they are taken
   *  @param takers how many take at the same time */
  constructor(bytes: Seekable, members: readonly StoredMember[], takers: number) {
    this.#bytes = bytes;
    this.#members = members;
    const fetches = planFetches(members);
    for (const fetch of fetches) for (const position of fetch.members) this.#fetchOf.set(position, fetch);
    this.#waiting = [...fetches];
    this.#mostBytes = (takers + aheadFetches) * fetchLimits.mostBytes;
  }

  /** The bytes of a member, in a buffer of their own. Each is to be taken once.
   *  @returns undefined for one that is too large to be held: it has to be streamed
   *  @throws TidemarkError what reading throws */
  async take(position: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const fetch = this.#fetchOf.get(position);
    const member = this.#members[position];
    if (fetch === undefined || member === undefined) {
      this.#fill();
      return undefined;
    }
    const running = this.#running.get(fetch) ?? this.#start(fetch);
    this.#fill();
    const content = await running.content;
    const from = Number(member.offset - fetch.offset);
    const frames = alone(content, from, from + Number(member.length));
    running.left -= 1;
    if (running.left === 0) {
      this.#running.delete(fetch);
      this.#held -= fetch.length;
      this.#fill();
    }
    return frames;
  }

  /** Nothing more is asked for. */
  stop(): void {
    this.#stopped = true;
  }

  #fill(): void {
    for (let [next] = this.#waiting; next !== undefined && !this.#stopped; [next] = this.#waiting) {
      if (this.#held > 0 && this.#held + next.length > this.#mostBytes) return;
      this.#start(next);
    }
  }

  #start(fetch: Fetch): Running {
    this.#waiting.splice(this.#waiting.indexOf(fetch), 1);
    const content = this.#bytes.read(fetch.offset, fetch.length);
    // Nobody may come for it any more, where an earlier one failed.
    content.catch(() => undefined);
    const running = { fetch, content, left: fetch.members.length };
    this.#running.set(fetch, running);
    this.#held += fetch.length;
    return running;
  }
}

/** So that it can be handed to another thread. Copied only where others share the memory. */
function alone(content: Buffer, from: number, end: number): Uint8Array<ArrayBuffer> {
  const { buffer } = content;
  const whole = from === 0 && end === content.length && content.byteOffset === 0 && buffer.byteLength === end;
  return whole && buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(content.subarray(from, end));
}
