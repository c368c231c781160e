// A position: where the database stood at the instant of a snapshot. Read inside the snapshot's own transaction, so that it is
// true of the data; scheduling and retention measure with it.

/** Where the database stood. Heights, LSNs, sequences and counts are bigint; `at` is the server's clock. */
export interface Position {
  readonly at: Date;
  /** Write-ahead log position in bytes, as `pg_lsn - '0/0'` gives it: where the next record goes, so that all that can be seen comes before
   *  it, also what was committed without waiting for the disk. On a standby: the last replayed one. */
  readonly lsn: bigint;
  readonly height?: bigint;
  readonly hash?: string;
  /** Rows inserted, updated and deleted, and transactions committed, as the server has counted them since its counters began. */
  readonly changes?: bigint;
  readonly commits?: bigint;
  /** Stream name to the last sequence that was processed. */
  readonly streams?: Readonly<Record<string, bigint>>;
}
