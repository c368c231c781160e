// Which members are asked for by one request, where a request costs more than the bytes between two of them: pure.
import { fitsWhole } from '../frame/decode.js';
import type { StoredMember } from '../model/manifest.js';

export interface Fetch {
  readonly offset: bigint;
  readonly length: number;
  /** Positions among those that were given. */
  readonly members: readonly number[];
}

export interface FetchLimits {
  /** Of a request that is for several members. */
  readonly mostBytes: number;
  /** Bytes between two members, which are read and thrown away. */
  readonly mostGap: number;
}

export const fetchLimits: FetchLimits = { mostBytes: 4 * 1024 * 1024, mostGap: 16 * 1024 };

/** One request for each run of members that follow each other, here and in the archive. Members too large to be held are in none. */
export function planFetches(members: readonly StoredMember[], { mostBytes, mostGap }: FetchLimits = fetchLimits): readonly Fetch[] {
  const fetches: { offset: bigint; length: number; members: number[] }[] = [];
  let last: (typeof fetches)[number] | undefined;
  for (const [position, member] of members.entries()) {
    if (!fitsWhole(member)) {
      last = undefined;
      continue;
    }
    const gap = last === undefined ? -1n : member.offset - (last.offset + BigInt(last.length));
    const together = last === undefined ? 0n : member.offset + member.length - last.offset;
    if (last !== undefined && gap >= 0n && gap <= BigInt(mostGap) && together <= BigInt(mostBytes)) {
      last.length = Number(together);
      last.members.push(position);
    } else {
      last = { offset: member.offset, length: Number(member.length), members: [position] };
      fetches.push(last);
    }
  }
  return fetches;
}
