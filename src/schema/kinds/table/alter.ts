// The ALTER TABLE statements that finish a table after its CREATE: what the parents gave it and it does not have, replica identity,
// forced row security, and the settings of single columns. All with ONLY: children have settings of their own.
import { qualifiedName, quoteIdentifier } from '../../../pg/quote.js';
import { optionsClause } from '../../generic-options.js';
import { storageParameters } from '../../relation-sql.js';
import type { Column, Table } from './row.js';
import { inherits, isPrinted } from './shape.js';

const storageNames = { p: 'PLAIN', e: 'EXTERNAL', x: 'EXTENDED', m: 'MAIN' } as const;
export const compressionNames = { p: 'pglz', l: 'lz4' } as const;

function alterOnly({ relkind, nspname, relname }: Table): string {
  return `ALTER ${relkind === 'f' ? 'FOREIGN ' : ''}TABLE ONLY ${qualifiedName(nspname, relname)}`;
}

function alterColumn({ attname }: Column): string {
  return `ALTER COLUMN ${quoteIdentifier(attname)}`;
}

/** One ALTER TABLE for several actions, none for none. */
function combine(table: Table, actions: readonly string[]): readonly string[] {
  return actions.length === 0 ? [] : [`${alterOnly(table)}\n    ${actions.join(',\n    ')}`];
}

/** Defaults of parents that the child has dropped. DROP DEFAULT, for a SET DEFAULT NULL of a domain would be kept. */
function dropDefaults(table: Table): readonly string[] {
  return table.columns
    .filter((column) => column.default === undefined && column.parents !== undefined && column.parents.defaults > 0)
    .map((column) => `${alterColumn(column)} DROP DEFAULT`);
}

/** NOT NULLs before 18, when they were no constraints: those that a child has set itself on a column that it does not declare. */
function setNotNulls(table: Table, version: number): readonly string[] {
  if (version >= 180000) return [];
  return table.columns
    .filter((column) => column.attnotnull && !column.parents?.attnotnull && !isPrinted(table, column))
    .map((column) => `${alterColumn(column)} SET NOT NULL`);
}

/** NOT NULLs before 18 that a child has dropped although its parent has them. Its rows may hold NULLs, so this must be had; how a restore
 *  gets PostgreSQL 18 to take it is restore/lenient-children.ts. */
export function dropNotNulls(table: Table, version: number): readonly string[] {
  if (version >= 180000) return [];
  const actions = table.columns
    .filter((column) => !column.attnotnull && column.parents?.attnotnull)
    .map((column) => `${alterColumn(column)} DROP NOT NULL`);
  return combine(table, actions);
}

/** What follows CREATE TABLE at once. */
export function finishTable(table: Table, version: number): readonly string[] {
  const fromParents = inherits(table) ? [...dropDefaults(table), ...setNotNulls(table, version)] : [];
  return [
    ...combine(table, fromParents),
    ...(inherits(table) ? dropNotNulls(table, version) : []),
    // What has no heap has none, and cannot be told.
    ...(table.relreplident === 'n' && table.relkind !== 'f' ? [`${alterOnly(table)} REPLICA IDENTITY NOTHING`] : []),
    ...(table.relreplident === 'f' ? [`${alterOnly(table)} REPLICA IDENTITY FULL`] : []),
    ...(table.relforcerowsecurity ? [`${alterOnly(table)} FORCE ROW LEVEL SECURITY`] : []),
  ];
}

function columnSettings({ relkind }: Table, column: Column): readonly string[] {
  const { attstattarget, attstorage, attcompression, attoptions = [], fdwoptions = [] } = column;
  return [
    ...(attstattarget === undefined ? [] : [`${alterColumn(column)} SET STATISTICS ${attstattarget}`]),
    ...(attstorage === undefined ? [] : [`${alterColumn(column)} SET STORAGE ${storageNames[attstorage]}`]),
    ...(attcompression === undefined || relkind === 'f'
      ? []
      : [`${alterColumn(column)} SET COMPRESSION ${compressionNames[attcompression]}`]),
    ...(attoptions.length === 0 ? [] : [`${alterColumn(column)} SET (${storageParameters(attoptions).join(', ')})`]),
    ...(fdwoptions.length === 0 ? [] : [`${alterColumn(column)}${optionsClause(fdwoptions)}`]),
  ];
}

/** Most columns have none of what columnSettings() tells. */
function hasSettings({ attstattarget, attstorage, attcompression, attoptions, fdwoptions }: Column): boolean {
  return [attstattarget, attstorage, attcompression, attoptions, fdwoptions].some((setting) => setting !== undefined);
}

/** Statistics targets, storage, compression and options of columns, those for a foreign data wrapper among them. */
export function alterColumns(table: Table): readonly string[] {
  return combine(
    table,
    table.columns.filter(hasSettings).flatMap((column) => columnSettings(table, column)),
  );
}
