// Results as tables for people: medians, ratios within the run, everything behind them. Pure.
import { type Measurement, median } from './measure.js';
import { type Entry, nameOf, type Race, type Results } from './results.js';

/** All of one file of results, in Markdown. */
export function tables(results: Results): string {
  const { data, scale, date, commit, machine, server, programs, command, races } = results;
  const what = scale === null ? data : `${data}, scale ${scale}`;
  const title = { compare: what, levels: `${what}: levels`, jobs: `${what}: jobs`, sizes: `${what}: sizes` }[results.kind];
  const about = `${date}, commit ${commit}, ${server}; ${programs}; ${machine}. \`${command}\``;
  return [`### ${title}`, about, ...plotsOf(results).map(({ file, title: alt }) => `![${alt}](results/${file})`), ...races.map(table)].join(
    '\n\n',
  );
}

/** Median of what was measured of each run, if it was of all. */
export function medianOf({ runs }: Entry, what: keyof Measurement): number | undefined {
  const values = runs.map((run) => run[what]).filter((value) => value !== null);
  return values.length === runs.length && values.length > 0 ? median(values) : undefined;
}

export interface PlotName {
  readonly file: string;
  readonly title: string;
}

/** The plots that plots.ts makes of results. */
export function plotsOf(results: Results): readonly PlotName[] {
  const plot = (what: string, title: string): PlotName => ({ file: `${nameOf(results)}-${what}.svg`, title: `${results.data}: ${title}` });
  if (results.kind === 'levels') return [plot('ratio', 'speed against ratio, by level')];
  if (results.kind === 'jobs') return results.races.map(({ task }) => plot(task, `wall time of a ${task} against jobs`));
  if (results.kind === 'sizes')
    return results.races.flatMap(({ task }) => [
      plot(`${task}-memory`, `peak memory of a ${task} against table size`),
      plot(`${task}-seconds`, `wall time a GB of a ${task} against table size`),
    ]);
  return [];
}

function table(race: Race): string {
  const { task, references, entries } = race;
  const written = entries.some(({ bytes }) => bytes !== null);
  const sizes = new Set(entries.map(({ rawBytes }) => rawBytes)).size > 1;
  const columns: readonly Column<Entry>[] = [
    [task, ({ name }) => `\`${name}\``],
    ...(sizes ? ([['rows, MB', ({ rawBytes }: Entry) => (rawBytes / 1e6).toFixed(0)]] as const) : []),
    [
      'seconds',
      (entry) => `**${fixed(medianOf(entry, 'seconds'), 2)}** (${entry.runs.map(({ seconds }) => seconds.toFixed(2)).join(' ')})`,
    ],
    ...references
      .filter((series) => find(entries, series))
      .map((series) => [`of \`${series}\``, (entry: Entry) => fixed(ratio(entry, find(entries, series)), 2)] as const),
    ...(task === 'schema' ? [] : ([['MB/s of rows', (entry: Entry) => fixed(speed(entry), 0)]] as const)),
    ['processor s: client', (entry) => fixed(medianOf(entry, 'clientSeconds'), 2)],
    ['server', (entry) => fixed(medianOf(entry, 'serverSeconds'), 2)],
    ['peak MB', (entry) => fixed(medianOf(entry, 'peakMb'), 0)],
    ...(written
      ? ([
          ['MB written', ({ bytes }: Entry) => fixed(bytes === null ? undefined : bytes / 1e6, 1)],
          ['ratio', (entry: Entry) => fixed(compression(entry), 2)],
        ] as const)
      : []),
  ];
  return markdownTable(columns, entries);
}

export type Column<Row> = readonly [title: string, cell: (row: Row) => string];

export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = [line(columns.map(([title]) => title)), line(columns.map(() => '---'))];
  return [...head, ...rows.map((row) => line(columns.map(([, cell]) => cell(row))))].join('\n');
}

export function find(entries: readonly Entry[], series: string): Entry | undefined {
  return entries.find((entry) => entry.series === series);
}

/** The median of the ratios of each round: of two runs beside each other, which had the same machine. */
export function ratio({ runs }: Entry, reference: Entry | undefined): number | undefined {
  if (reference === undefined) return undefined;
  return median(runs.map(({ seconds }, round) => seconds / (reference.runs[round]?.seconds ?? Number.NaN)));
}

/** 10^6 bytes of rows a second. */
export function speed(entry: Entry): number | undefined {
  const seconds = medianOf(entry, 'seconds');
  return seconds === undefined ? undefined : entry.rawBytes / 1e6 / seconds;
}

/** How many times as large the rows are. */
export function compression({ rawBytes, bytes }: Entry): number | undefined {
  return bytes === null || bytes === 0 ? undefined : rawBytes / bytes;
}

export function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits);
}
