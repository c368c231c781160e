// What a benchmark leaves behind: every single measurement with all that it takes to read it, as JSON in results/. Medians and ratios are
// worked out from it by report.ts.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Measurement } from './measure.js';

export type Task = 'snapshot' | 'verify' | 'restore' | 'schema';

/** One contender in one race. */
export interface Entry {
  readonly series: string;
  readonly name: string;
  readonly jobs: number | null;
  readonly level: number | null;
  /** Bytes of the database's rows: as COPY text; for verify as they are in the archive. The same for all of a race. */
  readonly rawBytes: number;
  /** Bytes that it wrote. */
  readonly bytes: number | null;
  /** One a round. */
  readonly runs: readonly Measurement[];
}

/** Contenders that ran in turn. */
export interface Race {
  readonly task: Task;
  /** Series whose times the others' are divided by. */
  readonly references: readonly string[];
  readonly entries: readonly Entry[];
}

export type Kind = 'compare' | 'levels' | 'jobs' | 'sizes';

export interface Results {
  readonly kind: Kind;
  /** Name of the data set. */
  readonly data: string;
  /** 1 is about 1 GB; null where the database was given, and for several. */
  readonly scale: number | null;
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly server: string;
  /** Versions of the peers. */
  readonly programs: string;
  readonly races: readonly Race[];
}

export const resultsFolder = fileURLToPath(new URL('results/', import.meta.url));

export function nameOf({ kind, data }: Pick<Results, 'kind' | 'data'>): string {
  return kind === 'compare' ? data : `${data}-${kind}`;
}

export async function writeResults(results: Results): Promise<void> {
  await mkdir(resultsFolder, { recursive: true });
  await writeFile(join(resultsFolder, `${nameOf(results)}.json`), `${JSON.stringify(results, null, 2)}\n`);
}

/** All that were written, by name. */
export async function readResults(): Promise<readonly Results[]> {
  const names = (await readdir(resultsFolder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(resultsFolder, name), 'utf8')) as Results));
}

export function machine(): string {
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} x ${cpus()[0]?.model.trim()}, ${gibibytes} GiB, ${process.platform} ${release().split('-')[0]}, Node ${process.version}`;
}

/** What the peers that are in PATH say of their versions. */
export async function programs(): Promise<string> {
  const versionOf = async (name: string): Promise<readonly string[]> => {
    const said = await promisify(execFile)(name, ['--version']).catch(() => undefined);
    const version = /\d+\.\d+[.\d]*/.exec(said?.stdout ?? '')?.[0];
    return version === undefined ? [] : [`${name} ${version}`];
  };
  return (await Promise.all(['pg_dump', 'pg_restore', 'psql', 'zstd'].map(versionOf))).flat().join(', ');
}

/** The commit that is measured, with a + where files were changed since. */
export async function commit(): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: join(resultsFolder, '..') })).stdout.trim();
  try {
    const changed = (await git('status', '--porcelain', '--', '../src')) !== '';
    return `${await git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
