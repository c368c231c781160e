import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSnapshot } from '#dist/index.js';
import { temporaryDatabase } from '#dist/testing/index.js';
import { createDatabase, databaseUrl, openDatabase, type TestDatabase } from '../server/index.js';

let directory: string;
let db: TestDatabase;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  db = await createDatabase();
  await db.run(`CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'one'), (2, NULL)`);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await db.drop();
});

async function databases(): Promise<string[]> {
  const rows = await db.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname LIKE 'tidemark\\_${process.pid}\\_%'`);
  return rows.map(({ datname }) => datname);
}

describe('temporaryDatabase', () => {
  it('has what the snapshot has, apart from every other, and is gone afterwards', async () => {
    const file = join(directory, 'a.tar.zst');
    await takeSnapshot({ database: db.url, file });
    {
      await using one = await temporaryDatabase({ file, server: db.url });
      await using two = await temporaryDatabase({ file, server: db.url });
      expect(await databases()).toHaveLength(2);
      const first = openDatabase(databaseUrl(db.url, 'postgres'), one.connection.database);
      const second = openDatabase(databaseUrl(db.url, 'postgres'), two.connection.database);
      await first.query('DELETE FROM t WHERE id = 1');
      expect(await first.query('SELECT * FROM t')).toEqual([{ id: 2, note: null }]);
      expect(await second.query('SELECT * FROM t ORDER BY id')).toEqual([
        { id: 1, note: 'one' },
        { id: 2, note: null },
      ]);
    }
    expect(await databases()).toEqual([]);
  });

  it('leaves nothing when the restore fails', async () => {
    const file = join(directory, 'no-archive');
    await writeFile(file, 'nothing of the kind');
    await expect(temporaryDatabase({ file, server: db.url })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    expect(await databases()).toEqual([]);
  });
});
