// Which settings make a restore faster, and to which values: pure. What may be set, and how it is put back, is decided elsewhere.
// https://www.postgresql.org/docs/current/populate.html

/** Server settings that are tuned: a reload is enough for each. Never one that a crash could lose data by, and none that needs a restart. */
export const tunedNames = ['max_wal_size', 'checkpoint_timeout', 'autovacuum'] as const;

export type TunedName = (typeof tunedNames)[number];

/** What a setting has now, in the unit that pg_settings has it in: MB, s, on or off. */
export type CurrentSettings = Readonly<Record<TunedName, string>>;

export interface Wanted {
  readonly name: TunedName;
  /** As it has now, with its unit. */
  readonly now: string;
  readonly set: string;
}

const mebibyte = 1024n * 1024n;

/** pg_wal may grow to max_wal_size, on a disk whose room nobody can ask the server for. */
const leastWalMegabytes = 2048n;
const mostWalMegabytes = 8192n;

/** An hour: a restore that writes less than max_wal_size in it has no checkpoint in between. */
const checkpointSeconds = 3600;

/** Only what is less generous now than it is to be: nobody's larger value is made smaller.
 *  @param rawBytes of rows that are to come; undefined where that is not known yet */
export function chooseServerSettings(current: CurrentSettings, rawBytes: bigint | undefined): readonly Wanted[] {
  const walMegabytes = walFor(rawBytes);
  const { max_wal_size, checkpoint_timeout, autovacuum } = current;
  return [
    ...(BigInt(max_wal_size) < walMegabytes ? [wanted('max_wal_size', `${max_wal_size}MB`, `${walMegabytes}MB`)] : []),
    ...(Number(checkpoint_timeout) < checkpointSeconds
      ? [wanted('checkpoint_timeout', `${checkpoint_timeout}s`, `${checkpointSeconds}s`)]
      : []),
    ...(autovacuum === 'on' ? [wanted('autovacuum', 'on', 'off')] : []),
  ];
}

function wanted(name: TunedName, now: string, set: string): Wanted {
  return { name, now, set };
}

/** A checkpoint begins at about half of max_wal_size. Rows and their indexes write about as much WAL as the rows have bytes, and half as
 *  much again. */
function walFor(rawBytes: bigint | undefined): bigint {
  if (rawBytes === undefined) return mostWalMegabytes / 2n;
  const megabytes = (rawBytes * 3n) / mebibyte;
  return megabytes < leastWalMegabytes ? leastWalMegabytes : megabytes > mostWalMegabytes ? mostWalMegabytes : megabytes;
}

/** What a server says of its memory, in bytes. */
export interface MemoryHints {
  readonly sharedBuffers: bigint;
  /** Where somebody has set it. */
  readonly effectiveCacheSize: bigint | null;
}

/** What every session of a restore has at least, in kB: enough for the sort runs of most indexes, little enough for several at a time. */
export const leastMaintenanceKilobytes = 256n * 1024n;

/** A kilobyte less than 2 GB: more is refused on Windows before 18. */
const mostMaintenanceKilobytes = 2n * 1024n * 1024n - 1n;

/** maintenance_work_mem of each of several sessions, in kB. No server tells its memory: whoever has set one up gives a quarter of it to
 *  shared_buffers, and three quarters to effective_cache_size. A quarter of it is for the sessions together. */
export function maintenanceKilobytes({ sharedBuffers, effectiveCacheSize }: MemoryHints, jobs: number): bigint {
  const byBuffers = sharedBuffers * 4n;
  const byCache = ((effectiveCacheSize ?? 0n) * 4n) / 3n;
  const memory = byBuffers > byCache ? byBuffers : byCache;
  const each = memory / 4n / BigInt(jobs) / 1024n;
  if (each < leastMaintenanceKilobytes) return leastMaintenanceKilobytes;
  return each > mostMaintenanceKilobytes ? mostMaintenanceKilobytes : each;
}
