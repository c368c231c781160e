// The start of a deployment: every state of the database, every kind of store, several processes at once, and one that is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BootstrapOptions, bootstrap } from '#dist/app/bootstrap/bootstrap.js';
import { lockBootstrap } from '#dist/app/bootstrap/lock.js';
import { publishSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { Repository } from '#dist/app/repository/repository.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, createRole, openDatabase, serverUrl, startServer, type TestDatabase } from '../../server/index.js';
import { advance, type Chain, flipByte, invalid, makeChain, position, schema } from './bootstrap-store.js';

let chain: Chain;
beforeAll(async () => {
  chain = await makeChain({ heights: [100, 200, 300, 400], dirtyAt: 400 });
});
afterAll(() => chain[Symbol.asyncDispose]());

const start = (database: TestDatabase, store: { readonly path: string }, more: Partial<BootstrapOptions> = {}) =>
  bootstrap({ store: store.path, prefix: 'chain', database: database.url, jobs: 1, invalid, position, ...more });

const heightOf = async (database: TestDatabase): Promise<number> =>
  Number((await database.query('SELECT height FROM chain.tip'))[0]?.height);

async function onServer(sql: string): Promise<Record<string, unknown>[]> {
  return openDatabase(await serverUrl(), 'postgres').query(sql);
}

/** A database that does not exist (any more). */
async function noDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  await onServer(`DROP DATABASE "${database.name}"`);
  return database;
}

/** One that stands at this height. */
async function standingAt(height: number): Promise<TestDatabase> {
  const database = await createDatabase();
  await database.run(schema);
  await advance(database, height);
  return database;
}

async function databasesLike({ name }: TestDatabase): Promise<unknown[]> {
  return (await onServer(`SELECT datname FROM pg_database WHERE datname LIKE '${name}%' ORDER BY 1`)).map(({ datname }) => datname);
}

function notices(): { readonly messages: string[]; readonly onEvent: (event: TidemarkEvent) => void } {
  const messages: string[] = [];
  return { messages, onEvent: (event) => void (event.type === 'notice' && messages.push(event.message)) };
}

describe('what is restored', () => {
  test('an empty database gets the newest, from a folder with nothing but the archives; then it is left alone', async () => {
    await using store = await chain.storeOf(100, 200);
    await using database = await createDatabase();
    expect(await start(database, store)).toMatchObject({
      action: 'restored',
      state: 'empty',
      snapshot: { id: 'chain-200' },
      position: { height: 200n, streams: { txs: 2000n } },
      height: 200n,
      goOnFrom: 201n,
      tried: [],
    });
    expect(await heightOf(database)).toBe(200);
    await advance(database, 201);
    expect(await start(database, store)).toMatchObject({
      action: 'none',
      state: 'healthy',
      position: { height: 201n, streams: { txs: 2010n } },
    });
  });

  test('a missing database is made', async () => {
    await using store = await chain.storeOf(100);
    await using database = await noDatabase();
    expect(await start(database, store)).toMatchObject({ action: 'restored', state: 'missing', goOnFrom: 101n });
    expect(await heightOf(database)).toBe(100);
    expect(await databasesLike(database)).toEqual([database.name]);
  });

  test('one that an interrupted restore has left is emptied and filled', async () => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    await database.run('CREATE SCHEMA tidemark_restoring; CREATE TABLE tidemark_restoring.restore (file text); CREATE TABLE half ()');
    expect(await start(database, store)).toMatchObject({ action: 'restored', state: 'incomplete' });
    expect(await heightOf(database)).toBe(100);
    expect(await database.query("SELECT to_regclass('public.half') AS half")).toEqual([{ half: null }]);
  });

  test('one that its host has marked invalid is replaced; what else it held goes', async () => {
    await using store = await chain.storeOf(100, 200);
    await using database = await standingAt(250);
    await database.run('UPDATE chain.state SET dirty = true; CREATE TABLE half ()');
    expect(await start(database, store)).toMatchObject({ action: 'restored', state: 'invalid', goOnFrom: 201n });
    expect(await heightOf(database)).toBe(200);
    expect(await database.query("SELECT to_regclass('public.half') AS half")).toEqual([{ half: null }]);
    expect(await databasesLike(database)).toEqual([database.name]);
  });

  test('an invalid one that others use stays as it is, unless they may be ended', async () => {
    await using store = await chain.storeOf(100);
    await using database = await standingAt(50);
    await database.run('UPDATE chain.state SET dirty = true');
    const client = await database.connect();
    client.on('error', () => undefined);
    await expect(start(database, store)).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
    expect(await heightOf(database)).toBe(50);
    expect(await start(database, store, { force: true })).toMatchObject({ action: 'restored' });
    expect(await heightOf(database)).toBe(100);
  });

  test('a healthy database is not even compared with the store', async () => {
    await using database = await standingAt(7);
    expect(await start(database, { path: '/nowhere/at/all' })).toMatchObject({ action: 'none', position: { height: 7n } });
  });

  test('on a dry run nothing is done', async () => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    const { messages, onEvent } = notices();
    await expect(start(database, store, { dryRun: true, onEvent })).rejects.toMatchObject({
      code: 'SNAPSHOT_MISSING',
      message: expect.stringContaining('these would not do: chain-100 (it has not been verified yet)'),
      hint: expect.stringContaining('a dry run does not read them'),
    });
    expect(messages).toEqual(['snapshot chain-100 does not count: it has not been verified yet']);
    await new Repository({ store: store.path, prefix: 'chain' }).verifyUnknown();
    expect(await start(database, store, { dryRun: true })).toMatchObject({ action: 'would-restore', swap: false, goOnFrom: 101n });
    expect(await database.query("SELECT to_regnamespace('chain') AS chain")).toEqual([{ chain: null }]);
  });
});

describe('snapshots that would not do', () => {
  test('one that turns out damaged is doubted, and the next older one taken', async () => {
    await using store = await chain.storeOf(100, 200, 300);
    const repository = new Repository({ store: store.path, prefix: 'chain' });
    await repository.verifyUnknown();
    await flipByte(join(store.path, 'chain-300.tar.zst'));
    await flipByte(join(store.path, 'chain-200.tar.zst'));
    await using database = await createDatabase();
    const { messages, onEvent } = notices();
    expect(await start(database, store, { onEvent })).toMatchObject({
      action: 'restored',
      state: 'empty',
      snapshot: { id: 'chain-100' },
      goOnFrom: 101n,
      tried: [
        { id: 'chain-300', problem: expect.stringContaining('blocks') },
        { id: 'chain-200', problem: expect.stringContaining('blocks') },
      ],
    });
    expect(messages.filter((message) => message.includes('would not do'))).toHaveLength(2);
    expect(await heightOf(database)).toBe(100);
    const { snapshots, unknown } = await repository.list();
    expect([snapshots.map(({ id }) => id), unknown.map(({ id }) => id).sort()]).toEqual([['chain-100'], ['chain-200', 'chain-300']]);
  });

  test('one that is damaged when it is first looked at does not count', async () => {
    await using store = await chain.storeOf(100, 200);
    await flipByte(join(store.path, 'chain-200.tar.zst'));
    await using database = await createDatabase();
    expect(await start(database, store)).toMatchObject({ action: 'restored', snapshot: { id: 'chain-100' }, tried: [] });
  });

  test('where none is left, the error lists them; nobody starts from the beginning because of that', async () => {
    await using store = await chain.storeOf(100, 200);
    await flipByte(join(store.path, 'chain-200.tar.zst'));
    const repository = new Repository({ store: store.path, prefix: 'chain' });
    await repository.verifyUnknown();
    await flipByte(join(store.path, 'chain-100.tar.zst'));
    await using database = await createDatabase();
    for (const _ of ['verified before', 'known to be damaged']) {
      await expect(start(database, store)).rejects.toMatchObject({
        code: 'SNAPSHOT_MISSING',
        message: expect.stringMatching(/chain-100 \(.*chain-200 \(|chain-200 \(.*chain-100 \(/),
        details: {
          tried: expect.arrayContaining([expect.objectContaining({ id: 'chain-100' }), expect.objectContaining({ id: 'chain-200' })]),
        },
      });
    }
  });

  test('one of a chain that was marked invalid then is not what anybody wants', async () => {
    await using store = await chain.storeOf(300, 400);
    await using database = await createDatabase();
    expect(await start(database, store)).toMatchObject({
      action: 'restored',
      snapshot: { id: 'chain-300' },
      tried: [{ id: 'chain-400', problem: expect.stringContaining('marked invalid') }],
    });
    expect(await heightOf(database)).toBe(300);
    expect(await databasesLike(database)).toEqual([database.name]);
  });

  test('without any, an empty database starts from the beginning, a missing one is made for that', async () => {
    await using store = await chain.storeOf();
    await using empty = await createDatabase();
    await using missing = await noDatabase();
    expect(await start(empty, store)).toMatchObject({ action: 'empty', reason: expect.stringContaining('no snapshot') });
    expect(await start(missing, store, { dryRun: true })).toMatchObject({ action: 'empty', state: 'missing' });
    expect(await databasesLike(missing)).toEqual([]);
    expect(await start(missing, store)).toMatchObject({ action: 'empty', state: 'missing' });
    expect(await missing.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readdir(store.path)).toEqual([]);
  });

  test('where they are in another layout, nobody starts from the beginning', async () => {
    await using store = await chain.storeOf();
    await using database = await createDatabase();
    await mkdir(join(store.path, 'chain', '2026-01-31'), { recursive: true });
    await copyFile(chain.archiveOf(100), join(store.path, 'chain', '2026-01-31', 'snapshot.tar.zst'));
    for (const dryRun of [true, false]) {
      await expect(start(database, store, { dryRun })).rejects.toMatchObject({
        code: 'SNAPSHOT_MISSING',
        message: expect.stringContaining('has chain/2026-01-31/snapshot.tar.zst, which is of the layout dated and not flat'),
        hint: expect.stringContaining('--layout dated'),
      });
    }
    expect(await start(database, store, { layout: 'dated' })).toMatchObject({ action: 'restored', height: 100n });
  });

  test('where one that was published is gone, nobody starts from the beginning', async () => {
    await using store = await chain.storeOf();
    await using database = await createDatabase();
    const { snapshot } = await publishSnapshot({ database: chain.source.url, store: store.path, prefix: 'chain', jobs: 1, ...position });
    await rm(join(store.path, snapshot.key));
    await expect(start(database, store)).rejects.toMatchObject({
      code: 'SNAPSHOT_MISSING',
      message: expect.stringContaining(`had ${snapshot.key}, by its latest.json, and has it no more`),
    });
    const { messages, onEvent } = notices();
    expect(await start(database, store, { prefix: 'another', onEvent })).toMatchObject({ action: 'empty' });
    expect(messages).toEqual([`${store.path} has nothing that begins with another-, but snapshots of chain`]);
  });

  test('without any, an invalid database is an error', async () => {
    await using store = await chain.storeOf();
    await using database = await standingAt(5);
    await database.run('UPDATE chain.state SET dirty = true');
    await expect(start(database, store)).rejects.toMatchObject({
      code: 'SNAPSHOT_MISSING',
      message: expect.stringContaining('marked invalid'),
    });
    expect(await heightOf(database)).toBe(5);
  });
});

describe('queries of the host', () => {
  test.each([
    ['SELECT NULL::boolean', 'null'],
    ['SELECT dirty FROM chain.state WHERE false', '0 rows'],
    ['SELECT dirty FROM chain.state, generate_series(1, 2)', '2 rows'],
    ['SELECT true, true', '2 values'],
    ["SELECT 't'", '"t"'],
    ['SELECT 1', '1'],
    ['DELETE FROM chain.blocks RETURNING true', 'read-only transaction'],
  ])('one that cannot say is an error: %s', async (query, says) => {
    await using store = await chain.storeOf(100);
    await using database = await standingAt(5);
    await expect(start(database, store, { invalid: query })).rejects.toMatchObject({
      code: 'POSITION_INVALID',
      message: expect.stringMatching(new RegExp(`run the invalid query: .*${says}`)),
    });
    expect(await heightOf(database)).toBe(5);
  });

  test('so is one for a table that is not there: the database may be somebody else’s', async () => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    await database.run('CREATE TABLE accounts (id int)');
    await expect(start(database, store)).rejects.toMatchObject({
      code: 'POSITION_INVALID',
      message: expect.stringContaining('it holds table public.accounts'),
      hint: expect.stringContaining('right database'),
    });
    await expect(start(database, store, { invalid: 'SELECT false' })).rejects.toMatchObject({ code: 'POSITION_INVALID' });
  });

  test('without one, what holds something and is whole counts as healthy', async () => {
    await using database = await createDatabase();
    await database.run('CREATE TABLE accounts (id int)');
    const result = await bootstrap({ store: '/nowhere', database: database.url });
    expect(result).toMatchObject({ action: 'none', position: { lsn: expect.any(BigInt) } });
  });
});

describe('streams', () => {
  test.each([
    { own: 150, earliest: 1501n, action: 'none', height: 150 },
    { own: 150, earliest: 1502n, action: 'restored', height: 200 },
    { own: 150, earliest: 2001n, action: 'restored', height: 200 },
  ])('a database at sequence $own * 10, the stream holds $earliest and later: $action', async ({ own, earliest, action, height }) => {
    await using store = await chain.storeOf(100, 200);
    await using database = await standingAt(own);
    expect(await start(database, store, { available: { txs: earliest } })).toMatchObject({ action });
    expect(await heightOf(database)).toBe(height);
  });

  test('where no snapshot reaches, the database stays as it is', async () => {
    await using store = await chain.storeOf(100, 200);
    await using database = await standingAt(150);
    await expect(start(database, store, { available: { txs: 2002n } })).rejects.toMatchObject({
      code: 'SNAPSHOT_MISSING',
      message: expect.stringContaining('no snapshot reaches'),
    });
    expect(await heightOf(database)).toBe(150);
  });

  test('what they hold is of no use without the database’s own map', async () => {
    await using database = await standingAt(1);
    await expect(start(database, { path: '/nowhere' }, { available: { txs: 1n }, position: {} })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a role that may not create databases', () => {
  test('restores into an empty one of its own, and is told what it may not', async () => {
    await using role = await createRole();
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    await onServer(`ALTER DATABASE "${database.name}" OWNER TO "${role.name}"`);
    const more = { database: role.as(database.url), noOwner: true, noPrivileges: true };
    expect(await start(database, store, more)).toMatchObject({ action: 'restored' });
    await database.run('UPDATE chain.state SET dirty = true');
    await expect(start(database, store, more)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('may not create databases'),
      hint: expect.stringContaining('create it empty'),
    });
    expect(await heightOf(database)).toBe(100);
    await using missing = await noDatabase();
    await expect(start(missing, store, { ...more, database: role.as(missing.url) })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('CREATEDB'),
    });
  });

  test('one that may, but does not own the database, leaves it alone', async () => {
    await using role = await createRole({ attributes: 'LOGIN CREATEDB' });
    await using store = await chain.storeOf(100);
    await using database = await standingAt(5);
    await database.run(
      `UPDATE chain.state SET dirty = true; GRANT USAGE ON SCHEMA chain TO "${role.name}"; GRANT SELECT ON chain.state TO "${role.name}"`,
    );
    await expect(start(database, store, { database: role.as(database.url) })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('does not own it'),
    });
  });

  test('where it may enter no other database either, it locks in its own', async () => {
    await using server = await startServer();
    await using store = await chain.storeOf(100);
    await using role = await createRole({ server: server.url });
    const admin = openDatabase(server.url, 'postgres');
    await admin.run(`CREATE DATABASE app OWNER "${role.name}"`);
    for (const name of ['postgres', 'template1']) await admin.run(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
    const app = openDatabase(server.url, 'app');
    const more = { database: role.as(app.url), noOwner: true, noPrivileges: true };
    const results = await Promise.all([1, 2].map(() => start(app, store, more)));
    expect(results.map(({ action }) => action).sort()).toEqual(['none', 'restored']);
    await admin.run('DROP DATABASE app');
  });
});

describe('several at once, and killed', () => {
  test('replicas that start together restore once, and wait for it', async () => {
    await using store = await chain.storeOf(100, 200);
    await using database = await createDatabase();
    const results = await Promise.all([1, 2, 3].map(() => start(database, store)));
    expect(results.map(({ action }) => action).sort()).toEqual(['none', 'none', 'restored']);
    expect(await heightOf(database)).toBe(200);
  });

  test('one that waits can be stopped', async () => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    await using _held = await lockBootstrap(resolveConnection(database.url, {}), { emit: () => undefined, signal: undefined });
    const stop = new AbortController();
    const waiting = start(database, store, { signal: stop.signal, onEvent: ({ type }) => type === 'notice' && stop.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'chain'")).toEqual([]);
  });

  const here = dirname(fileURLToPath(import.meta.url));

  /** Bootstraps in another process and kills it when it says `line`. */
  async function killAt(line: string, options: BootstrapOptions): Promise<void> {
    const victim = spawn(process.execPath, [join(here, 'bootstrap-victim.mjs'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const said of createInterface({ input: victim.stdout })) if (said === line) victim.kill('SIGKILL');
    if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit');
    expect(victim.signalCode).toBe('SIGKILL');
  }

  test.each(['verify', 'mark', 'progress', 'post-data'])('killed at "%s" into an empty database, the next one ends it', async (line) => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    if (line !== 'verify') await new Repository({ store: store.path, prefix: 'chain' }).verifyUnknown();
    await killAt(line, { store: store.path, prefix: 'chain', database: database.url, jobs: 1 });
    const states = { verify: ['empty'], mark: ['empty', 'incomplete'] }[line] ?? ['incomplete'];
    const { action, state } = await start(database, store);
    expect([action, states.includes(state)]).toEqual(['restored', true]);
    expect(await heightOf(database)).toBe(100);
  });

  test.each(['create database', 'progress', 'swap'])(
    'killed at "%s" while it replaces an invalid one, that is the old or the new',
    async (line) => {
      await using store = await chain.storeOf(100);
      await using database = await standingAt(5);
      await database.run('UPDATE chain.state SET dirty = true');
      await killAt(line, { store: store.path, prefix: 'chain', database: database.url, jobs: 1, invalid });
      expect([5, 100]).toContain(await heightOf(database));
      await start(database, store, { force: true });
      expect(await heightOf(database)).toBe(100);
      // What is left of a swap that was killed after its renames goes at the next swap.
      if ((await databasesLike(database)).length > 1)
        await restoreSnapshot({ file: join(store.path, 'chain-100.tar.zst'), database: database.url, swap: true, force: true });
      expect(await databasesLike(database)).toEqual([database.name]);
    },
  );
});
