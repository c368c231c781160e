// Tables for people: columns apart by two spaces, without lines and colours, so that they can be read in a pipe, too.
import Table from 'cli-table3';
import { printableLines } from '../model/printable.js';

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** @param rows cells in the columns' order; several lines in one are apart by newlines
 *  @returns its lines. Columns in which every cell is empty are left out */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const used = columns.map((_, i) => rows.some((row) => row[i] !== ''));
  const only = <T>(cells: readonly T[]): T[] => cells.filter((_, i) => used[i]);
  const table = new Table({
    chars: plain,
    head: only(columns.map(({ head }) => head)),
    colAligns: only(columns.map(({ align = 'left' }) => align)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(only(row.map(printableLines)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
