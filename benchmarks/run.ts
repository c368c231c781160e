// tidemark against its peers on one machine, in turn within one run. Usage, with the programs of PostgreSQL and zstd in PATH:
//   npm run bench -- [--data indexer,giant] [--scale 0.3] [--runs 3] [--jobs 2] [--level 3] [--kind compare]
//   npm run bench -- --url postgres://... [--restore]
//   npm run bench:full
// README.md says what is what. Each part of the work writes its results as soon as it is done.
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { type Comparison, compare, compareJobs, compareLevels, compareSize } from './comparisons.js';
import { writePlots } from './plots.js';
import { tables } from './report.js';
import { commit, type Kind, machine, nameOf, programs, type Race, type Results, writeResults } from './results.js';
import { type DataSet, dataSets, makeSource, openSource, type Source } from './source.js';

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: 'indexer' },
    scale: { type: 'string', default: '0.3' },
    runs: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '2' },
    level: { type: 'string', default: '3' },
    kind: { type: 'string', default: 'compare' },
    levels: { type: 'string', default: '1,3,6,9,12' },
    'job-counts': { type: 'string', default: '1,2,4,8' },
    scales: { type: 'string', default: '0.1,0.3,1,3,10' },
    'server-in': { type: 'string' },
    full: { type: 'boolean', default: false },
    url: { type: 'string' },
    name: { type: 'string', default: 'own' },
    restore: { type: 'boolean', default: false },
  },
});

/** One part of the work: one source, one file of results. For `sizes`, one source a scale. */
interface Part {
  readonly kind: Kind;
  readonly data: DataSet;
  readonly scale: number;
}

const full: readonly Part[] = [
  ...dataSets.map((data) => ({ kind: 'compare', data, scale: 1 }) as const),
  { kind: 'levels', data: 'indexer', scale: 0.3 },
  { kind: 'levels', data: 'documents', scale: 0.3 },
  { kind: 'jobs', data: 'indexer', scale: 1 },
  { kind: 'jobs', data: 'giant', scale: 1 },
  { kind: 'sizes', data: 'giant', scale: 1 },
];

const kind = oneOf<Kind>('--kind', given.kind, ['compare', 'levels', 'jobs', 'sizes']);
const chosen = given.data
  .split(',')
  .map((data) => ({ kind, data: oneOf('--data', data, dataSets), scale: number('--scale', given.scale) }));
const options: Comparison = {
  jobs: number('--jobs', given.jobs),
  level: number('--level', given.level),
  runs: number('--runs', given.runs),
  restore: given.url === undefined || given.restore,
  schema: false,
};

if (given.url === undefined)
  for (const part of given.full ? full : chosen)
    await publish(await run(part), part.data, part.kind === 'sizes' ? null : part.scale, part.kind);
else {
  if (kind === 'sizes') throw new Error('--kind sizes makes its own databases: leave out --url, or choose another kind');
  await using source = await openSource(given.url);
  await publish({ server: source.server, races: await runOn(source, kind, options) }, given.name, null, kind);
}

interface Ran {
  readonly server: string;
  readonly races: readonly Race[];
}

async function run({ kind, data, scale }: Part): Promise<Ran> {
  if (kind === 'sizes') return runSizes(data);
  await using source = await makeSource(data, scale, given['server-in']);
  const schema = data === 'many-objects' || data === 'small-tables';
  return { server: source.server, races: await runOn(source, kind, { ...options, schema }) };
}

async function runOn(source: Source, kind: Exclude<Kind, 'sizes'>, comparison: Comparison): Promise<readonly Race[]> {
  if (kind === 'levels') return compareLevels(source, numbers('--levels', given.levels), comparison);
  if (kind === 'jobs') return compareJobs(source, numbers('--job-counts', given['job-counts']), comparison);
  return compare(source, comparison);
}

async function runSizes(data: DataSet): Promise<Ran> {
  const all: Race[] = [];
  let server = '';
  for (const scale of numbers('--scales', given.scales)) {
    // On disk all of them: the largest would not fit into memory, and the others are to be compared with it.
    await using source = await makeSource(data, scale, given['server-in'] ?? tmpdir());
    server = source.server;
    all.push(...(await compareSize(source, options)));
  }
  const joined = (task: Race['task']): Race => ({
    task,
    references: [],
    entries: all.filter((race) => race.task === task).flatMap(({ entries }) => entries),
  });
  return { server, races: [joined('snapshot'), joined('restore')] };
}

async function publish({ server, races }: Ran, data: string, scale: number | null, kind: Kind): Promise<void> {
  const results: Results = {
    kind,
    data,
    scale,
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(),
    command: `npm run bench -- ${shownArguments(process.argv.slice(2))}`.trim(),
    machine: machine(),
    server,
    programs: await programs(),
    races,
  };
  await writeResults(results);
  await writePlots(results);
  console.log(`${tables(results)}\nwritten to benchmarks/results/${nameOf(results)}.json`);
}

/** The command without URLs: they have passwords, and names of machines. */
function shownArguments(args: readonly string[]): string {
  return args.map((arg) => (/^(--url=)?postgres(ql)?:/.test(arg) ? arg.replace(/postgres.*/s, 'URL') : arg)).join(' ');
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Error(`${option} ${value}: it is one of ${allowed.join(', ')}`);
  return found;
}

function number(option: string, value: string): number {
  const result = Number(value);
  if (!(result > 0)) throw new Error(`${option} ${value}: it is a number above 0`);
  return result;
}

function numbers(option: string, value: string): readonly number[] {
  return value.split(',').map((one) => number(option, one));
}
