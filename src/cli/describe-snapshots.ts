// Snapshots of a store as tables for people.

import { printable } from '../model/printable.js';
import type { StoredSnapshot, UnknownSnapshot } from '../model/stored-snapshot.js';
import { formatAge, formatBytes, formatCount, formatCounted } from '../model/units.js';
import { type Column, formatTable } from './table.js';

export interface Told {
  readonly snapshot: StoredSnapshot;
  /** Why it stays; one a line. */
  readonly reasons: readonly string[];
}

const columns: readonly Column[] = [
  { head: 'snapshot' },
  { head: 'height', align: 'right' },
  { head: 'taken' },
  { head: 'age', align: 'right' },
  { head: 'size', align: 'right' },
  { head: 'rows', align: 'right' },
  { head: 'restore drill' },
  { head: 'reasons' },
];

/** @param now what ages are counted from
 *  @returns the lines of a table */
export function snapshotTable(told: readonly Told[], now: Date): string[] {
  return formatTable(
    columns,
    told.map(({ snapshot, reasons }) => {
      const { id, position, bytes, verification, drill } = snapshot;
      return [
        id,
        position.height === undefined ? '' : String(position.height),
        formatTime(position.at),
        formatAge(Math.max(0, now.getTime() - position.at.getTime())),
        formatBytes(bytes),
        formatCount(verification.rows),
        drill === undefined ? '' : `${drill.ok ? 'ok' : 'FAILED'} ${formatTime(drill.at)}`,
        reasons.map(printable).join('\n'),
      ];
    }),
  );
}

/** The archives that do not count, with the reason; nothing where there are none. */
export function unknownLines(unknown: readonly UnknownSnapshot[]): string[] {
  if (unknown.length === 0) return [];
  const rows = unknown.map(({ id, bytes, problem }) => [id, formatBytes(bytes), printable(problem)]);
  const table = formatTable([{ head: 'archive' }, { head: 'size', align: 'right' }, { head: 'why' }], rows);
  return ['', `not verified: neither counted nor removed (${formatCounted(unknown.length, 'archive')})`, ...table];
}

/** `pinned: before the migration` */
export function pinReasons({ pinned }: StoredSnapshot): string[] {
  if (pinned === undefined) return [];
  return [pinned === '' ? 'pinned' : `pinned: ${pinned}`];
}

/** `2026-11-21 12:00:05 UTC` */
export function formatTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
