// The disk guard: whether a folder has room for one more snapshot, judged from the last ones. Pure.
import { TidemarkError } from '../../model/errors.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { formatBytes } from '../../model/units.js';

/** Snapshots that are looked at. */
const looked = 3;

/** Refuses a snapshot that would not fit: as large as the largest of the last three and a fifth more, so that the next one, too, may have
 *  grown. Where there is none yet, nothing can be said.
 *  @param reserve bytes that stay free besides
 *  @throws TidemarkError DISK_FULL */
export function checkRoom(
  snapshots: readonly StoredSnapshot[],
  { free, reserve, folder }: { free: bigint; reserve: bigint; folder: string },
): void {
  const largest =
    snapshots
      .slice(0, looked)
      .map(({ bytes }) => bytes)
      .sort((a, b) => (a > b ? -1 : 1))[0] ?? 0n;
  const wanted = largest + largest / 5n + reserve;
  if (free >= wanted) return;
  const why = largest > 0n ? `the last snapshots had up to ${formatBytes(largest)}` : 'that is to stay free';
  throw new TidemarkError(
    'DISK_FULL',
    `begin a snapshot in ${folder}: ${formatBytes(free)} are free, ${formatBytes(wanted)} are wanted (${why})`,
    { hint: 'free space, or keep fewer snapshots; the ones there stay', details: { free, wanted } },
  );
}
