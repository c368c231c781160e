// What manifests say, as text for people.

import type { GlobalsList } from '../app/archive/list-archive.js';
import { formatPosition } from '../app/format-position.js';
import type { RestoreResult } from '../app/restore/restore-snapshot.js';
import type { Manifest, TableEntry } from '../model/manifest.js';
import type { Position } from '../model/position.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCount, formatCounted } from '../model/units.js';

/** `height 14999, 2026-11-21T12:00:00.000Z, LSN 0/1A2B3C` */
export function describePosition(position: Position): string {
  return printable(formatPosition(position));
}

export function describeManifest({ file, bytes, manifest }: { file: string; bytes: bigint; manifest: Manifest }): string {
  const { source, position, settings, totals, tables, archives = [], leftOut } = manifest;
  const ownBytes = tables.reduce((sum, table) => (table.in === undefined ? sum + table.rawBytes : sum), 0n);
  const ratio = totals.compressedBytes > 0n ? Number(ownBytes) / Number(totals.compressedBytes) : 0;
  const lines = [
    printable(file),
    `  format ${manifest.formatVersion}, tidemark ${manifest.toolVersion}, ${settings.sections.join(' and ')}${hasGlobals(manifest) ? ', globals' : ''}`,
    `  database ${printable(source.database)}, PostgreSQL ${Math.floor(source.serverVersion / 10000)}.${source.serverVersion % 10000}, ` +
      `${source.encoding}, ${source.localeProvider} ${printable(source.locale ?? source.collate)}${source.inRecovery ? ', a standby' : ''}`,
    `  ${describePosition(position)}`,
    `  zstd level ${settings.compressLevel}${settings.compression === undefined ? '' : ` (auto: ${settings.compression.reason})`}`,
  ];
  for (const [stream, sequence] of Object.entries(position.streams ?? {})) lines.push(`  stream ${printable(stream)} at ${sequence}`);
  lines.push(
    `  ${describeTotals(manifest)} -> ${formatBytes(bytes)}${ratio > 0 ? ` (rows ${ratio.toFixed(2)} to 1)` : ''}`,
    '',
    ...tableLines(tables),
  );
  if (archives.length > 0) {
    lines.push('', 'other archives that it needs:');
    for (const [at, { file, bytes: size }] of archives.entries()) {
      const count = tables.filter((table) => table.in === at).length;
      lines.push(`  ${printable(file)}: ${formatBytes(size)}, rows of ${formatCounted(count, 'table')}`);
    }
  }
  if (leftOut.length > 0)
    lines.push('', 'left out:', ...leftOut.map(({ kind, name, reason }) => `  ${kind} ${printable(name)}: ${printable(reason)}`));
  // Whatever an archive of somebody else's says of itself.
  return lines.map(printable).join('\n');
}

/** `3 tables, 2 large objects, 15 rows, 1.2 kB`; pieces of large objects count as rows, statistics do not. */
export function describeTotals({ totals, tables }: Manifest): string {
  const blobs = tables.find(({ largeObjects }) => largeObjects !== undefined)?.largeObjects;
  const objects = blobs === undefined ? [] : [formatCounted(blobs, 'large object')];
  return [formatCounted(totals.tables, 'table'), ...objects, formatCounted(totals.rows, 'row'), formatBytes(totals.rawBytes)].join(', ');
}

function tableLabel({ schema, name, largeObjects, statistics }: TableEntry): string {
  if (largeObjects !== undefined) return `(${formatCounted(largeObjects, 'large object')})`;
  return statistics ? '(planner statistics)' : printable(`${schema}.${name}`);
}

function hasGlobals({ schema }: Manifest): boolean {
  return schema.some(({ member }) => member === 'schema/globals.sql');
}

/** `3 roles, 1 membership, privileges on 2 parameters, 1 tablespace` */
export function describeGlobalsList({ roles, memberships, parameters, tablespaces }: GlobalsList): string {
  const on = parameters.length === 0 ? [] : [`privileges on ${formatCounted(parameters.length, 'parameter')}`];
  return [
    formatCounted(roles.length, 'role'),
    formatCounted(memberships, 'membership'),
    ...on,
    formatCounted(tablespaces.length, 'tablespace'),
  ].join(', ');
}

/** `globals: role app, tablespace fast created; role ann altered; role postgres left as it was` */
export function describeGlobals({ created, altered, left }: NonNullable<RestoreResult['globals']>): string {
  const names = left.map(({ name }) => name);
  const parts = [
    [created, 'created'],
    [altered, 'altered'],
    [names, 'left as they were'],
  ] as const;
  const told = parts.flatMap(([list, word]) => (list.length === 0 ? [] : [`${list.map(printable).join(', ')} ${word}`]));
  return `globals: ${told.length === 0 ? 'all of them are there' : told.join('; ')}`;
}

function tableLines(tables: readonly TableEntry[]): string[] {
  const rows = tables.map((table) => {
    const compressed = table.chunks.reduce((sum, chunk) => sum + chunk.length, 0n);
    const ratio = compressed > 0n ? `${(Number(table.rawBytes) / Number(compressed)).toFixed(2)}` : '';
    const name = tableLabel(table);
    if (table.withoutData) return [name, '', '', '', '', table.withoutData];
    const format = table.in === undefined ? table.format : `${table.format}, in another archive`;
    return [name, formatCount(table.rows), formatBytes(table.rawBytes), formatBytes(compressed), ratio, format];
  });
  const all = [['table', 'rows', 'raw', 'compressed', 'ratio', 'format'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all.map((row) =>
    row
      .map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
