// The comparisons at a glance, a line a data set: tidemark without options but `-j`, beside its peers. Pure.
import { type Column, find, fixed, markdownTable, medianOf, ratio, speed } from './report.js';
import type { Entry, Results, Task } from './results.js';

/** In Markdown, of the results that compare. */
export function summary(results: readonly Results[]): string {
  const columns: readonly Column<Results>[] = [
    ['data set, scale', ({ data, scale }) => (scale === null ? data : `${data}, ${scale}`)],
    ['snapshot of `pg_dump -Fd`', (one) => times(one, 'snapshot', 'tidemark snapshot', 'pg_dump -Fd')],
    ['of `pg_dump -Fc`', (one) => times(one, 'snapshot', 'tidemark snapshot', 'pg_dump -Fc')],
    ['size of `pg_dump -Fd`', size],
    ['restore of `pg_restore`', (one) => times(one, 'restore', 'tidemark restore', 'pg_restore')],
    ['without ANALYZE', (one) => times(one, 'restore', 'tidemark restore --no-analyze', 'pg_restore')],
    ['verify, MB/s', (one) => figure(entryOf(one, 'verify', 'tidemark verify'), speed, 0)],
    ['peak MB: snapshot', (one) => figure(entryOf(one, 'snapshot', 'tidemark snapshot'), peak, 0)],
    ['restore', (one) => figure(entryOf(one, 'restore', 'tidemark restore'), peak, 0)],
    ['runs', (one) => figure(entryOf(one, 'snapshot', 'tidemark snapshot'), ({ runs }) => runs.length, 0)],
  ];
  return markdownTable(
    columns,
    results.filter(({ kind }) => kind === 'compare'),
  );
}

function entryOf({ races }: Results, task: Task, series: string): Entry | undefined {
  return find(races.find((race) => race.task === task)?.entries ?? [], series);
}

function figure(entry: Entry | undefined, what: (entry: Entry) => number | undefined, digits: number): string {
  return fixed(entry && what(entry), digits);
}

function times(results: Results, task: Task, ours: string, theirs: string): string {
  return figure(entryOf(results, task, ours), (entry) => ratio(entry, entryOf(results, task, theirs)), 2);
}

function size(results: Results): string {
  const theirs = entryOf(results, 'snapshot', 'pg_dump -Fd')?.bytes;
  return figure(entryOf(results, 'snapshot', 'tidemark snapshot'), ({ bytes }) => (bytes && theirs ? bytes / theirs : undefined), 2);
}

function peak(entry: Entry): number | undefined {
  return medianOf(entry, 'peakMb');
}
