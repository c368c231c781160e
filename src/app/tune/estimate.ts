// From what a trial has read of each table to the whole database. Pure.

/** What was read of one table. */
export interface TableSample {
  /** On the server's disk: of all of it, and of what was read. */
  readonly wholeBytes: number;
  readonly tableBytes: number;
  readonly compressedBytes: number;
}

/** Bytes of the archive of a database of `databaseBytes`: each table that was read by what it gave, what was not by the mean of these. */
export function estimateArchive(samples: readonly TableSample[], databaseBytes: number): number {
  const read = samples.filter(({ tableBytes }) => tableBytes > 0);
  const known = read.reduce((sum, { wholeBytes }) => sum + wholeBytes, 0);
  const archived = read.reduce((sum, { wholeBytes, tableBytes, compressedBytes }) => sum + (wholeBytes / tableBytes) * compressedBytes, 0);
  return known === 0 ? 0 : (archived / known) * databaseBytes;
}
