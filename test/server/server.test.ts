// Servers of a test's own: configured, stopped, killed, failing to start; and as which account they run.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBinaries } from './binaries.js';
import { connect, eventually, processExists, startServer, versions } from './index.js';
import { isOpenToAll, serverAccount, serversParent } from './places.js';
import { oldestHere } from './version.js';

test('a server has the settings asked for, in UTF8 and locale C, and leaves nothing', async () => {
  const server = await startServer({ settings: { work_mem: '5MB' } });
  const client = await connect(server.url);
  const { rows } = await client.query(
    `SELECT current_setting('work_mem') AS work_mem, current_setting('wal_level') AS wal_level, datcollate, getdatabaseencoding() AS encoding
       FROM pg_database WHERE datname = current_database()`,
  );
  expect(rows).toEqual([{ work_mem: '5MB', wal_level: 'replica', datcollate: 'C', encoding: 'UTF8' }]);
  await client.end();
  await server.stop();
  expect(processExists(server.pid)).toBe(false);
  expect(existsSync(server.directory)).toBe(false);
  await server.stop(); // again is fine
});

test('a server never runs as root, and its folder is closed to others', async () => {
  await using server = await startServer();
  const account = (await serverAccount()) ?? { uid: process.getuid?.(), gid: process.getgid?.() };
  const { uid, gid, mode } = await stat(server.directory);
  expect({ uid, gid, mode: mode & 0o777 }).toEqual({ ...account, mode: 0o700 });
  expect((await stat(join(server.directory, 'data', 'PG_VERSION'))).uid).toBe(account.uid);
  expect(uid).not.toBe(0);
});

test('a killed server ends its sessions, and its folder stays until it is stopped', async () => {
  const server = await startServer();
  const client = await connect(server.url);
  // A session that is idle sees that the server is gone a moment later, and may have answered once more until then.
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  await server.kill();
  await server.ended;
  expect(processExists(server.pid)).toBe(false);
  await ended;
  await expect(client.query('SELECT 1')).rejects.toThrow();
  await expect(connect(server.url)).rejects.toThrow('ECONNREFUSED');
  expect(existsSync(join(server.directory, 'data'))).toBe(true);
  await server.stop();
  expect(existsSync(server.directory)).toBe(false);
});

test('a server that cannot start says why and leaves nothing', async () => {
  const parent = await serversParent(await serverAccount());
  const before = new Set(await readdir(parent));
  const mark = `no_such_setting_${process.pid}`;
  await expect(startServer({ settings: { [mark]: 'x' } })).rejects.toThrow(`unrecognized configuration parameter "${mark}"`);
  // Other test files start servers meanwhile: only what is there for good counts.
  await eventually('no folder is left', async () =>
    (await readdir(parent)).every((name) => before.has(name) || !existsSync(join(parent, name, 'data', 'PG_VERSION'))),
  );
});

test.each(versions.filter((version) => version >= oldestHere))(
  'npm installed the binaries of PostgreSQL %i, runnable by everybody',
  async (version) => {
    const { initdb, postgres } = await findBinaries(version, { foreign: true });
    for (const path of [initdb, postgres]) expect((await stat(path)).mode & 0o111).toBe(0o111);
    expect(await isOpenToAll(join(postgres, '..'))).toBe(true);
  },
);

test('a folder below a closed one is not open to all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-test-')); // mode 0700
  try {
    expect(await isOpenToAll(folder)).toBe(false);
    expect(await isOpenToAll('/')).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
