import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSnapshot } from '#dist/index.js';
import { type Reached, type SnapshotDatabase, snapshotDatabase } from '#dist/testing/index.js';
import { connect, createDatabase, eventually, startServer, type TestDatabase } from '../server/index.js';

let directory: string;
let file: string;
let source: TestDatabase;
let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  file = join(directory, 'a.tar.zst');
  source = await createDatabase();
  await source.run(`CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'one'), (2, NULL)`);
  await takeSnapshot({ database: source.url, file });
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  await source.drop();
  await rm(directory, { recursive: true });
});

/** All databases of the server that are ours, clones without what tells them apart. */
async function databases(): Promise<string[]> {
  await using admin = await connect(server.url);
  const { rows } = await admin.query<{ name: string }>(
    `SELECT regexp_replace(datname, '[0-9a-f]{12,}.*', '') AS name FROM pg_database WHERE datname LIKE 'tidemark%' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function query(database: Reached, sql: string): Promise<unknown[]> {
  await using client = await connect(database.url);
  return (await client.query(sql)).rows;
}

const ask = (): Promise<SnapshotDatabase> => snapshotDatabase({ from: file, server: server.url });
const all = [
  { id: 1, note: 'one' },
  { id: 2, note: null },
];

describe('snapshotDatabase', () => {
  it('gives databases with what the snapshot has, apart from each other, and drops them', async () => {
    await using snapshot = await ask();
    {
      await using one = await snapshot.clone();
      await using two = await snapshot.clone();
      await query(one, 'DELETE FROM t WHERE id = 1');
      expect(await query(one, 'SELECT * FROM t')).toEqual(all.slice(1));
      expect(await query(two, 'SELECT * FROM t ORDER BY id')).toEqual(all);
      expect(await databases()).toEqual(['tidemark_clone_', 'tidemark_clone_', 'tidemark_template_']);
    }
    expect(await databases()).toEqual(['tidemark_template_']);
  });

  it('drops what is left when it is closed, with sessions on it', async () => {
    const snapshot = await ask();
    const db = await snapshot.clone();
    const client = await connect(db.url);
    const ended = new Promise((resolve) => client.once('error', resolve));
    await snapshot.close();
    await ended;
    expect(await databases()).toEqual(['tidemark_template_']);
  });

  it('resets a clone to what it was at the beginning, under the same name', async () => {
    await using snapshot = await ask();
    await using db = await snapshot.clone();
    await query(db, 'DROP TABLE t');
    await db.reset();
    expect(await query(db, 'SELECT * FROM t ORDER BY id')).toEqual(all);
  });

  it('restores once, for processes that ask at the same time as well', async () => {
    const another = join(directory, 'another.tar.zst');
    await source.run('INSERT INTO t VALUES (3, NULL)');
    await takeSnapshot({ database: source.url, file: another });
    await source.run('DELETE FROM t WHERE id = 3');
    let restores = 0;
    const onEvent = (event: { readonly type: string; readonly phase?: string }): void => {
      if (event.type === 'phase' && event.phase === 'pre-data') restores += 1;
    };
    const asked = await Promise.all(Array.from({ length: 8 }, () => snapshotDatabase({ from: another, server: server.url, onEvent })));
    const clones = await Promise.all(asked.flatMap((snapshot) => [snapshot.clone(), snapshot.clone()]));
    expect(new Set(clones.map(({ name }) => name)).size).toBe(16);
    for (const db of clones) expect(await query(db, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 3 }]);
    await Promise.all(asked.map((snapshot) => snapshot.close()));
    expect(restores).toBe(1);
    expect(await databases()).toEqual(['tidemark_template_', 'tidemark_template_']);
  });

  it('is prepared once for a key, and anew for another', async () => {
    const prepared: string[] = [];
    const migrated = (key: string) =>
      snapshotDatabase({
        from: file,
        server: server.url,
        prepare: {
          key,
          async run(database) {
            prepared.push(key);
            // One that is left open would keep the server from copying the database.
            const client = await connect(database.url);
            client.on('error', () => undefined);
            await client.query(`ALTER TABLE t ADD made_by text DEFAULT '${key}'`);
          },
        },
      });
    for (const key of ['a', 'a', 'b']) {
      await using snapshot = await migrated(key);
      await using db = await snapshot.clone();
      expect(await query(db, 'SELECT made_by FROM t LIMIT 1')).toEqual([{ made_by: key }]);
    }
    expect(prepared).toEqual(['a', 'b']);
  });

  it.each([
    ['the archive is none', async () => snapshotDatabase({ from: await noArchive(), server: server.url }), { code: 'ARCHIVE_INVALID' }],
    [
      'preparing fails',
      async () =>
        snapshotDatabase({ from: file, server: server.url, prepare: { key: 'broken', run: () => Promise.reject(new Error('broken')) } }),
      { message: 'broken' },
    ],
  ])('leaves nothing where %s', async (_, asking, expected) => {
    const before = await databases();
    await expect(asking()).rejects.toMatchObject(expected);
    expect(await databases()).toEqual(before);
    await using admin = await connect(server.url);
    await eventually('no session is left', async () => {
      const { rows } = await admin.query(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'tidemark%'`);
      return rows.length === 0;
    });
  });

  it('drops the clones of a run that was killed, and none of those that live', async () => {
    await using alive = await ask();
    await using kept = await alive.clone();
    const killed = await ask();
    await killed.clone();
    await using admin = await connect(server.url);
    // Its session ends as it does when the process is killed.
    const { rows } = await admin.query<{ ended: boolean }>(
      `SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity
        WHERE application_name = 'tidemark testing' ORDER BY backend_start DESC LIMIT 1`,
    );
    expect(rows).toEqual([{ ended: true }]);
    expect((await databases()).filter((name) => name === 'tidemark_clone_')).toHaveLength(2);
    await using _ = await ask();
    expect((await databases()).filter((name) => name === 'tidemark_clone_')).toHaveLength(1);
    expect(await query(kept, 'SELECT * FROM t ORDER BY id')).toEqual(all);
    await expect(killed.clone()).rejects.toMatchObject({ name: 'TidemarkError' });
  });

  it('drops a template that nobody has asked for in a week, unless it is in use', async () => {
    await using admin = await connect(server.url);
    const other = { from: file, server: server.url, prepare: { key: 'old', run: async () => undefined } };
    const old = await snapshotDatabase(other);
    const age = async (): Promise<void> => {
      const { rows } = await admin.query<{ datname: string; comment: string }>(
        `SELECT datname, overlay(shobj_description(oid, 'pg_database') placing (current_date - 8)::text from length(shobj_description(oid, 'pg_database')) - 9) AS comment
           FROM pg_database WHERE datname LIKE 'tidemark_template_%'`,
      );
      for (const { datname, comment } of rows) await admin.query(`COMMENT ON DATABASE ${datname} IS '${comment}'`);
    };
    await age();
    const before = (await databases()).length;
    await using first = await ask();
    // Those of other tests have gone; this one is held by `old`, and that of `first` was asked for today.
    expect(await databases()).toEqual(['tidemark_template_', 'tidemark_template_']);
    expect(before).toBeGreaterThan(2);
    await old.close();
    await age();
    await using second = await ask();
    expect(await databases()).toEqual(['tidemark_template_']);
    for (const snapshot of [first, second]) {
      await using db = await snapshot.clone();
      expect(await query(db, 'SELECT * FROM t ORDER BY id')).toEqual(all);
    }
  });

  it('many clones leave nothing behind', async () => {
    const rounds = Number(process.env.TIDEMARK_TEST_ROUNDS ?? 40);
    const snapshots = await Promise.all([ask(), ask(), ask(), ask()]);
    await Promise.all(
      snapshots.map(async (snapshot) => {
        for (let round = 0; round < rounds / 4; round += 1) {
          await using db = await snapshot.clone();
          await query(db, `INSERT INTO t VALUES (9, 'mine')`);
        }
      }),
    );
    await Promise.all(snapshots.map((snapshot) => snapshot.close()));
    expect((await databases()).filter((name) => name === 'tidemark_clone_')).toEqual([]);
  });
});

async function noArchive(): Promise<string> {
  const path = join(directory, 'no-archive');
  await writeFile(path, 'nothing of the kind');
  return path;
}
