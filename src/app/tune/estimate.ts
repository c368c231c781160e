// From what a trial has read of each table to the archive of the whole database. Pure.

/** A part of a table that the first reading has read. */
export interface Part {
  /** Number of its table, and what all of that has on the server's disk. */
  readonly table: number;
  readonly wholeBytes: number;
  /** What the part has there, and compressed by the first reading. */
  readonly tableBytes: number;
  readonly reference: number;
  /** Compressed in the trial; undefined where that did not come so far. */
  readonly compressed: number | undefined;
}

/** Bytes of the archive of a database of `databaseBytes`. A slow trial reads little, and other parts compress otherwise: so it counts by how
 *  much smaller or larger than in the first reading the same parts are, table by table. A table that it has not come to is taken for the
 *  mean of the others. */
export function estimateArchive(parts: readonly Part[], databaseBytes: number): number {
  const overall = factorOf(parts) ?? 1;
  let known = 0;
  let archived = 0;
  for (const table of new Set(parts.map((part) => part.table))) {
    const own = parts.filter((part) => part.table === table);
    const wholeBytes = own[0]?.wholeBytes ?? 0;
    const read = sumOf(own, ({ tableBytes }) => tableBytes);
    if (read === 0) continue;
    known += wholeBytes;
    archived += (wholeBytes / read) * sumOf(own, ({ reference }) => reference) * (factorOf(own) ?? overall);
  }
  return known === 0 ? 0 : (archived / known) * databaseBytes;
}

/** Bytes of the trial for one of the first reading. */
function factorOf(parts: readonly Part[]): number | undefined {
  const both = parts.filter(({ compressed }) => compressed !== undefined);
  const reference = sumOf(both, (part) => part.reference);
  return reference === 0 ? undefined : sumOf(both, ({ compressed = 0 }) => compressed) / reference;
}

function sumOf(parts: readonly Part[], measure: (part: Part) => number): number {
  return parts.reduce((sum, part) => sum + measure(part), 0);
}
