// tidemark against pg_dump and pg_restore on one database, in turns within one run: an indexer's, or with --objects one of many small
// objects, where their schemas are compared, too. Usage, after `npm run build`:
//   npm run bench -- [--objects] [--scale 1] [--runs 3] [--jobs 2] [--level 3] [--url postgres://...]
// Needs pg_dump, pg_restore of PostgreSQL 18 in PATH. Without --url it starts the embedded server and makes the database.
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { introspect, readServer } from '#dist/schema/introspect.js';
import { connect, databaseUrl, startServer } from '../test/server/index.js';
import { type Measurement, measure, median } from './measure.js';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '2' },
    level: { type: 'string', default: '3' },
    url: { type: 'string' },
    objects: { type: 'boolean', default: false },
  },
});
const { jobs, level } = options;
const runs = Number(options.runs);
const cli = new URL('../dist/bundle/main.js', import.meta.url).pathname;

interface Contender {
  readonly name: string;
  /** What is written: measured in bytes, removed before each run. */
  readonly output?: string;
  run(): Promise<Measurement>;
}

const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
try {
  if (options.url) await compare(options.url);
  else {
    await using server = await startServer({ settings: { max_wal_size: '8GB', shared_buffers: '1GB' } });
    await build(server.url);
    await compare(databaseUrl(server.url, 'bench'));
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function build(server: string): Promise<void> {
  console.log(`building the database at scale ${options.scale} ...`);
  await using admin = await connect(server);
  await admin.query('CREATE DATABASE bench');
  await using database = await connect(databaseUrl(server, 'bench'));
  const sql = await readFile(new URL(options.objects ? 'many-objects.sql' : 'indexer.sql', import.meta.url), 'utf8');
  await database.query(sql.replaceAll(':scale', String(Number(options.scale))));
  if (options.objects) await database.query('VACUUM ANALYZE');
}

async function compare(url: string): Promise<void> {
  console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${jobs} jobs, zstd level ${level}, ${runs} runs, medians`);
  if (options.objects) await compareSchemas(url);
  const at = (name: string): string => join(directory, name);
  const tidemark = (file: string, format: string): Contender => ({
    name: `tidemark snapshot (${format})`,
    output: at(file),
    run: () => measure(process.execPath, [cli, 'snapshot', '-d', url, '-f', at(file), '-j', jobs, '-Z', level, '--copy-format', format]),
  });
  const pgDump = (name: string, file: string, args: readonly string[]): Contender => ({
    name,
    output: at(file),
    run: () => measure('pg_dump', ['-d', url, '-f', at(file), `--compress=zstd:${level}`, ...args]),
  });
  const snapshots = [
    tidemark('auto.tar.zst', 'auto'),
    tidemark('text.tar.zst', 'text'),
    pgDump(`pg_dump -Fd -j${jobs}`, 'dump.dir', ['-Fd', '-j', jobs]),
    pgDump('pg_dump -Fc', 'dump.custom', ['-Fc']),
  ];
  await race('snapshot', snapshots, async ({ output }) => {
    if (output !== undefined) await rm(output, { recursive: true, force: true });
  });

  await using admin = await connect(url);
  const target = databaseUrl(url, 'bench_target');
  const fresh = async (): Promise<void> => {
    await admin.query('DROP DATABASE IF EXISTS bench_target WITH (FORCE)');
    await admin.query('CREATE DATABASE bench_target TEMPLATE template0');
    await admin.query('CHECKPOINT');
  };
  const restore = (file: string): Contender => ({
    name: `tidemark restore (${file})`,
    output: at(file),
    run: () => measure(process.execPath, [cli, 'restore', at(file), '-d', target, '-j', jobs]),
  });
  const pgRestore: Contender = {
    name: `pg_restore -j${jobs}`,
    output: at('dump.dir'),
    run: () => measure('pg_restore', ['-d', target, '-j', jobs, at('dump.dir')]),
  };
  await race('restore', [restore('auto.tar.zst'), restore('text.tar.zst'), pgRestore], fresh);
  await admin.query('DROP DATABASE IF EXISTS bench_target WITH (FORCE)');
}

/** The schema alone. Nothing is written, so that the disk is not measured. */
async function compareSchemas(url: string): Promise<void> {
  const schemas: readonly Contender[] = [
    { name: 'tidemark schema', run: () => measure(process.execPath, [cli, 'schema', '-d', url]) },
    { name: 'pg_dump -s', run: () => measure('pg_dump', ['-s', '-d', url]) },
  ];
  await race('schema', schemas, async () => undefined);
  await using session = await openSession(resolveConnection(url, {}), { use: 'read' });
  const server = await readServer(session);
  let queries = 0;
  const counting: Parameters<typeof introspect>[0] = {
    query: (text) => {
      queries += 1;
      return session.query(text);
    },
  };
  const seconds: number[] = [];
  let last: Awaited<ReturnType<typeof introspect>> | undefined;
  for (let round = 0; round < runs; round += 1) {
    queries = 0;
    const started = performance.now();
    last = await introspect(counting, { server, skipUnsupported: false });
    seconds.push((performance.now() - started) / 1000);
  }
  const all = seconds.map((one) => one.toFixed(1)).join(' ');
  console.log(`\nintrospection alone: ${all} s, ${queries} queries, ${last?.objects.length} objects, ${last?.steps.length} steps`);
}

/** Every contender once a round, so that a drift of the machine's speed meets all alike. */
async function race(title: string, contenders: readonly Contender[], prepare: (contender: Contender) => Promise<void>): Promise<void> {
  const results = new Map(contenders.map(({ name }) => [name, [] as Measurement[]]));
  for (let round = 0; round < runs; round += 1) {
    for (const contender of contenders) {
      await prepare(contender);
      results.get(contender.name)?.push(await contender.run());
    }
  }
  console.log(`\n| ${title} | s, median | s, all | s of processor, median | peak MB of the process | size MB |\n|---|---|---|---|---|---|`);
  for (const { name, output } of contenders) {
    const all = results.get(name) ?? [];
    const seconds = all.map((result) => result.seconds);
    const peak = Math.max(...all.map(({ peakMb = Number.NaN }) => peakMb));
    const processor = median(all.map(({ processorSeconds = Number.NaN }) => processorSeconds));
    const megabytes = output === undefined ? '' : ((await size(output)) / 1e6).toFixed(0);
    const times = `${median(seconds).toFixed(1)} | ${seconds.map((s) => s.toFixed(1)).join(' ')} | ${processor.toFixed(1)}`;
    console.log(`| ${name} | ${times} | ${peak.toFixed(0)} | ${megabytes} |`);
  }
}

async function size(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => size(join(path, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
