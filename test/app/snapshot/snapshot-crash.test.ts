// kill -9 in the middle of a snapshot, and snapshots of a hot standby.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { connect, createDatabase, databaseUrl, eventually, startServer, startStandby } from '../../server/index.js';

const command = fileURLToPath(import.meta.resolve('#dist/bundle/main.js'));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Runs a snapshot as a process of its own and kills it at the n-th event of that type; at the latest it ends by itself. */
async function snapshotKilledAt(url: string, file: string, { type, count }: { type: string; count: number }): Promise<'killed' | 'ended'> {
  const child = spawn(process.execPath, [command, 'snapshot', '-d', url, '-f', file, '-j', '2', '--json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let seen = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if ((JSON.parse(line) as { type: string }).type !== type) return;
    seen += 1;
    if (seen === count) child.kill('SIGKILL');
  });
  return await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal === 'SIGKILL' ? 'killed' : 'ended')));
}

describe('a snapshot that is killed', () => {
  it('is never visible, leaves earlier ones alone, and its remains go at the next start', async () => {
    await using db = await createDatabase();
    await db.run(`CREATE TABLE big AS SELECT i, repeat(md5(i::text), 10) AS filler FROM generate_series(1, 60000) i`);
    const file = join(directory, 'a.tar.zst');
    const earlier = await takeSnapshot({ database: db.url, file });
    let killed = 0;
    for (const at of [
      { type: 'phase', count: 1 },
      { type: 'phase', count: 3 },
      { type: 'progress', count: 1 },
      { type: 'progress', count: 3 },
      { type: 'phase', count: 5 },
    ]) {
      if ((await snapshotKilledAt(db.url, file, at)) === 'ended') continue;
      killed += 1;
      expect((await verifySnapshot({ file })).sha256).toBe(earlier.sha256);
    }
    expect(killed).toBeGreaterThanOrEqual(4);
    await eventually('the server has ended the sessions of the killed', async () => {
      const rows = await db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'`,
      );
      return rows.length === 0;
    });
    const another = join(directory, 'b.tar.zst');
    await takeSnapshot({ database: db.url, file: another });
    expect((await readdir(directory)).some((name) => name.startsWith('.a.tar.zst.'))).toBe(true);
    await takeSnapshot({ database: db.url, file });
    const sidecars = ['', '.manifest.json', '.sha256'];
    expect((await readdir(directory)).sort()).toEqual(['a', 'b'].flatMap((name) => sidecars.map((end) => `${name}.tar.zst${end}`)));
  });
});

// Case 208.
describe('a snapshot of a hot standby', () => {
  it('has all rows but those of unlogged tables, and says so', async () => {
    await using primary = await startServer();
    await using standby = await startStandby(primary);
    {
      await using session = await connect(primary.url);
      await session.query(`
        CREATE TABLE t AS SELECT i, md5(i::text) AS hash FROM generate_series(1, 50000) i;
        CREATE UNLOGGED TABLE cache (id int); INSERT INTO cache VALUES (1);
        CREATE SEQUENCE s; SELECT nextval('s')`);
    }
    await standby.catchUp();
    const file = join(directory, 'standby.tar.zst');
    const { manifest } = await takeSnapshot({ database: databaseUrl(standby.url, 'postgres'), file, jobs: 2 });
    expect(manifest.source.inRecovery).toBe(true);
    expect(manifest.position.lsn).toBeGreaterThan(0n);
    expect(manifest.tables.map(({ name, rows, withoutData }) => ({ name, rows, withoutData }))).toEqual([
      { name: 'cache', rows: 0n, withoutData: 'unlogged-on-standby' },
      { name: 't', rows: 50_000n, withoutData: undefined },
    ]);
    await verifySnapshot({ file });
  });
});
