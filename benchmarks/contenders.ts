// The programs that are compared, as commands: tidemark, and each peer in its best form, with the same level of zstd and the same number
// of jobs. Who runs them, and when, is race.ts's.
import { join } from 'node:path';
import type { Command } from './measure.js';

export interface Contender {
  /** Who it is: the same at every level and number of jobs. */
  readonly series: string;
  /** How it runs, as a user would type it; no two of a race have the same. */
  readonly name: string;
  readonly jobs: number | null;
  readonly level: number | null;
  /** Programs that must be in PATH. */
  readonly needs: readonly string[];
  /** Folder that it writes into, which is emptied before; null where it writes nothing. */
  readonly output: string | null;
  readonly command: Command;
}

/** What is read or written to. */
export interface Place {
  /** Without a password: others see the arguments of a process. */
  readonly url: string;
  /** What holds the password instead. */
  readonly env: NodeJS.ProcessEnv;
  /** Outputs go below it. */
  readonly directory: string;
  /** Folder of SQL files, one a job, which copy all tables out; made by source.ts. */
  copyScripts(jobs: number): string;
}

export interface Settings {
  readonly jobs: number;
  readonly level: number;
}

export const tidemarkCli = new URL('../dist/bundle/main.js', import.meta.url).pathname;

/** Name of tidemark's archive in the output of `tidemarkSnapshot`. */
const archiveName = 'snapshot.tar.zst';
/** Name of the dump in the output of `pgDumpDirectory`: the folder must not be there yet. */
const dumpName = 'dump';

/** With the level and the form of rows that it chooses itself, or with both given. */
export function tidemarkSnapshot({ url, env, directory }: Place, { jobs, level }: Settings, format: 'auto' | 'text' | 'binary'): Contender {
  const automatic = format === 'auto';
  const series = `tidemark snapshot${automatic ? '' : `, ${format}`}`;
  const given = automatic ? [] : ['-Z', String(level), '--copy-format', format];
  const name = ['tidemark snapshot', `-j${jobs}`, ...(automatic ? [] : [`-Z${level}`, '--copy-format', format])].join(' ');
  const output = join(directory, slug(name));
  const args = [tidemarkCli, 'snapshot', '-d', url, '-f', join(output, archiveName), '-j', String(jobs), ...given];
  return { series, name, jobs, level: automatic ? null : level, needs: [], output, command: { file: process.execPath, args, env } };
}

/** The directory format, read by several processes. */
export function pgDumpDirectory({ url, env, directory }: Place, { jobs, level }: Settings): Contender {
  const shown = ['pg_dump', '-Fd', `-j${jobs}`, `--compress=zstd:${level}`];
  const output = join(directory, slug(shown.join(' ')));
  const args = [...shown.slice(1), '-d', url, '-f', join(output, dumpName)];
  return { series: 'pg_dump -Fd', name: shown.join(' '), jobs, level, needs: ['pg_dump'], output, command: { file: 'pg_dump', args, env } };
}

/** The custom format: one file, one job. */
export function pgDumpCustom({ url, env, directory }: Place, { level }: Settings): Contender {
  const shown = ['pg_dump', '-Fc', `--compress=zstd:${level}`];
  const output = join(directory, slug(shown.join(' ')));
  const args = [...shown.slice(1), '-d', url, '-f', join(output, 'dump.custom')];
  return {
    series: 'pg_dump -Fc',
    name: shown.join(' '),
    jobs: 1,
    level,
    needs: ['pg_dump'],
    output,
    command: { file: 'pg_dump', args, env },
  };
}

/** Plain SQL into zstd, which compresses in as many threads as the others have jobs. */
export function pgDumpPiped({ url, env, directory }: Place, { jobs, level }: Settings): Contender {
  const name = `pg_dump | zstd -${level} -T${jobs}`;
  const output = join(directory, slug(name));
  const script = 'set -o pipefail; pg_dump -d "$1" | zstd -q "-$2" "-T$3" -o "$4/dump.sql.zst"';
  const command = bash(script, [url, String(level), String(jobs), output], env);
  return { series: 'pg_dump | zstd', name, jobs: 1, level, needs: ['bash', 'pg_dump', 'zstd'], output, command };
}

/** The rows alone, not in one view: what is left when all else is left out. One psql and one zstd a job, the tables shared out by size. */
export function copyPiped({ url, env, directory, copyScripts }: Place, { jobs, level }: Settings): Contender {
  const name = `psql COPY | zstd -${level}, ${jobs} at once`;
  const output = join(directory, slug(name));
  const script = `set -o pipefail; processes=()
for file in "$1"/*.sql; do
  (psql -X -q -v ON_ERROR_STOP=1 -d "$2" -f "$file" | zstd -q "-$3" -T1 -o "$4/$(basename "$file").zst") & processes+=($!)
done
for process in "\${processes[@]}"; do wait "$process" || exit 1; done`;
  const command = bash(script, [copyScripts(jobs), url, String(level), output], env);
  return { series: 'psql COPY | zstd', name, jobs, level, needs: ['bash', 'psql', 'zstd'], output, command };
}

export type Analyze = 'analyze' | 'no analyze';

/** @param from a `tidemarkSnapshot` that has run
 *  @param analyze pg_restore leaves ANALYZE to the user, tidemark does it unless told otherwise */
export function tidemarkRestore(from: Contender, target: Omit<Place, 'copyScripts'>, jobs: number, analyze: Analyze): Contender {
  const flags = analyze === 'analyze' ? [] : ['--no-analyze'];
  const name = ['tidemark restore', `-j${jobs}`, ...flags].join(' ');
  const args = [tidemarkCli, 'restore', archiveOf(from), '-d', target.url, '-j', String(jobs), ...flags];
  const series = ['tidemark restore', ...flags].join(' ');
  return { series, name, jobs, level: null, needs: [], output: null, command: { file: process.execPath, args, env: target.env } };
}

/** @param from a `pgDumpDirectory` that has run */
export function pgRestore(from: Contender, { url, env }: Omit<Place, 'copyScripts'>, jobs: number): Contender {
  const args = ['-d', url, '-j', String(jobs), join(from.output ?? '', dumpName)];
  const name = `pg_restore -j${jobs} (of -Fd)`;
  return {
    series: 'pg_restore',
    name,
    jobs,
    level: null,
    needs: ['pg_dump', 'pg_restore'],
    output: null,
    command: { file: 'pg_restore', args, env },
  };
}

export function tidemarkVerify(from: Contender): Contender {
  const command = { file: process.execPath, args: [tidemarkCli, 'verify', archiveOf(from)] };
  return { series: 'tidemark verify', name: `tidemark verify (${from.series})`, jobs: null, level: null, needs: [], output: null, command };
}

/** Decompresses and compares zstd's own checksums: less than verify does. */
export function zstdTest(from: Contender): Contender {
  const command = { file: 'zstd', args: ['-q', '-t', archiveOf(from)] };
  return { series: 'zstd -t', name: `zstd -t (${from.series})`, jobs: null, level: null, needs: ['zstd'], output: null, command };
}

/** The schema alone. Nothing is written, so that the disk is not measured. */
export function schemas({ url, env }: Place): readonly Contender[] {
  const nothing = { jobs: 1, level: null, output: null };
  const tidemark = { file: process.execPath, args: [tidemarkCli, 'schema', '-d', url], env };
  const pgDump = { file: 'pg_dump', args: ['-s', '-d', url], env };
  return [
    { ...nothing, series: 'tidemark schema', name: 'tidemark schema', needs: [], command: tidemark },
    { ...nothing, series: 'pg_dump -s', name: 'pg_dump -s', needs: ['pg_dump'], command: pgDump },
  ];
}

export function archiveOf({ output }: Contender): string {
  return join(output ?? '', archiveName);
}

function bash(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Command {
  return { file: 'bash', args: ['-c', script, 'bash', ...args], env };
}

function slug(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, '-');
}
