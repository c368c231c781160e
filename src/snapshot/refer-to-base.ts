// Which tables of a new snapshot may refer to an earlier one, by what both say of themselves. Pure; that the earlier one is there, whole and
// trusted, is for whoever has opened it.
import type { CatalogTable } from '../model/catalog.js';
import type { Manifest, TableEntry } from '../model/manifest.js';
import { formatLsn } from '../pg/lsn.js';

/** Where the new snapshot stands. */
export interface Now {
  readonly systemIdentifier: string;
  readonly lsn: bigint;
  /** The next transaction id, with its epoch. */
  readonly nextXid: bigint;
}

export interface ProvenTable {
  readonly table: CatalogTable;
  readonly fingerprint: string;
  /** As counted on the server. */
  readonly rows: bigint;
  /** Rows made by transactions whose ids, without their epoch, may be those of others since the earlier snapshot. */
  readonly ambiguous: bigint;
}

export const xidCycle = 1n << 32n;

/** Why nothing of an earlier snapshot can be referred to; undefined where it can. */
export function refusalOf(base: Manifest, { systemIdentifier, lsn, nextXid }: Now): string | undefined {
  if (base.source.systemIdentifier !== systemIdentifier) return 'it is of another server';
  if (base.position.lsn > lsn)
    return `it stands at ${formatLsn(base.position.lsn)} of the log, after the database: the server was set back`;
  if (base.tables.some(({ completed }) => completed !== undefined && completed.xid > nextXid))
    return 'it knows transactions that the server does not: the server was set back';
  return undefined;
}

/** The entry of the earlier snapshot whose chunks hold exactly the rows of this table. */
export function sameRows(base: Manifest, { table, fingerprint, rows, ambiguous }: ProvenTable, { nextXid }: Now): TableEntry | undefined {
  const entry = base.tables.find(({ directory }) => directory === table.directory);
  if (entry?.completed?.fingerprint !== fingerprint || entry.withoutData !== undefined || entry.chunks.length === 0) return undefined;
  if (ambiguous > 0n || nextXid - entry.completed.xid >= xidCycle || entry.rows !== rows) return undefined;
  const same = entry.schema === table.schema && entry.name === table.name && entry.format === table.format;
  return same && JSON.stringify(entry.columns) === JSON.stringify(table.columns) ? entry : undefined;
}
