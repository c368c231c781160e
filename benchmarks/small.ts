// What a snapshot and a restore cost when there is next to nothing in them: a database of one table with three rows, over and over in one
// process, each restore into a new database that the benchmark makes and drops outside of what it measures.
//   npx tsx benchmarks/small.ts [--runs 40] [--jobs 4] [--url postgres://...] [--tables 1]
// The server must run on this machine, where its processor time is read from /proc; without --url the embedded one is started.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { restoreSnapshot, takeSnapshot } from 'tidemark';
import { connect, databaseUrl, startServer, type TestClient } from '../test/server/index.js';
import { median } from './measure.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '40' },
    tables: { type: 'string', default: '1' },
    jobs: { type: 'string' },
    url: { type: 'string' },
  },
});
const runs = Number(values.runs);
const options = values.jobs === undefined ? {} : { jobs: Number(values.jobs) };

/** Fields of /proc/<pid>/stat after the name: 1 parent, 11 and 12 its own time, 13 and 14 that of children that have ended; in hundredths of
 *  a second. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function statOf(pid: number | string): Promise<readonly string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const sum = (fields: readonly string[], from: number, to: number): number =>
  fields.slice(from, to).reduce((total, ticks) => total + Number(ticks) * 10, 0);

/** Milliseconds of processor time of the postmaster, of its children and of all that it had. Coarse for one run, exact over many. */
async function serverTime(postmaster: number): Promise<number> {
  const others = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(statOf));
  const own = await statOf(postmaster);
  const children = others.filter((fields) => Number(fields?.[1]) === postmaster);
  return children.reduce((total, fields) => total + sum(fields ?? [], 11, 13), own ? sum(own, 11, 15) : 0);
}

async function postmasterOf(client: TestClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const stat = await statOf(rows[0]?.pid ?? 0);
  if (stat === undefined) throw new Error('the server is not on this machine');
  return Number(stat[1]);
}

interface Cost {
  readonly wall: number;
  readonly client: number;
  readonly server: number;
}

async function cost(postmaster: number, work: () => Promise<unknown>): Promise<Cost> {
  const server = await serverTime(postmaster);
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const wall = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { wall, client: (user + system) / 1000, server: (await serverTime(postmaster)) - server };
}

function tell(what: string, costs: readonly Cost[]): void {
  const ms = (value: number): string => value.toFixed(1).padStart(7);
  const mean = costs.reduce((total, { server }) => total + server, 0) / costs.length;
  const [wall, client] = [median(costs.map((one) => one.wall)), median(costs.map((one) => one.client))];
  console.log(`${what.padEnd(9)} wall ${ms(wall)} ms, client ${ms(client)} ms, server ${ms(mean)} ms (mean); ${costs.length} runs`);
}

const directory = await mkdtemp(join(tmpdir(), 'tidemark-small-'));
const own = values.url === undefined ? await startServer() : undefined;
try {
  const url = values.url ?? own?.url ?? '';
  await using admin = await connect(url);
  const postmaster = await postmasterOf(admin);
  await admin.query('DROP DATABASE IF EXISTS tidemark_small');
  await admin.query('CREATE DATABASE tidemark_small');
  const source = databaseUrl(url, 'tidemark_small');
  {
    await using database = await connect(source);
    for (let n = 1; n <= Number(values.tables); n += 1) {
      await database.query(`CREATE TABLE small_${n} (id int PRIMARY KEY, name text NOT NULL)`);
      await database.query(`INSERT INTO small_${n} VALUES (1, 'one'), (2, 'two'), (3, 'three')`);
    }
  }
  const file = (n: number): string => join(directory, `small-${n}.tar.zst`);
  // Not counted: code is compiled and the server's caches fill.
  await takeSnapshot({ database: source, file: file(0), ...options });
  const first: Cost[] = [];
  for (let n = 1; n <= runs; n += 1)
    first.push(await cost(postmaster, () => takeSnapshot({ database: source, file: file(n), ...options })));
  tell('snapshot', first);

  const second: Cost[] = [];
  for (let n = 0; n <= runs; n += 1) {
    await admin.query('CREATE DATABASE tidemark_small_target');
    const database = databaseUrl(url, 'tidemark_small_target');
    const one = await cost(postmaster, () => restoreSnapshot({ file: file(n), database, ...options }));
    if (n > 0) second.push(one);
    await admin.query('DROP DATABASE tidemark_small_target WITH (FORCE)');
  }
  tell('restore', second);
  await admin.query('DROP DATABASE tidemark_small');
} finally {
  await own?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
}
