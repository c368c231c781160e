// Which chunks a loading thread gets at a time. A large one by itself. Small ones, of small tables, several: a thread that had to ask for
// each would wait for us, and the server for it, most of the time. Pure.
import type { StoredMember } from '../model/manifest.js';

/** Bytes of rows up to which a chunk is small, and those that go together. */
const smallBytes = 64n << 10n;
const mostBytes = 512n << 10n;
const most = 32;

/** What follows each other in a list, put together as it is to be handed out. */
export function* together<Item extends { readonly chunk: Pick<StoredMember, 'rawBytes'> }>(
  items: readonly Item[],
): Generator<readonly Item[], void, undefined> {
  let group: Item[] = [];
  let bytes = 0n;
  for (const item of items) {
    const { rawBytes } = item.chunk;
    const fits = rawBytes <= smallBytes && bytes + rawBytes <= mostBytes && group.length < most;
    if (group.length > 0 && !fits) {
      yield group;
      group = [];
      bytes = 0n;
    }
    group.push(item);
    bytes += rawBytes;
    // Nothing goes with a large one.
    if (rawBytes > smallBytes) bytes = mostBytes + 1n;
  }
  if (group.length > 0) yield group;
}
