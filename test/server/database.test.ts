// The driver's databases: apart from each other, as asked for, and telling on what was left behind.
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { connect, createDatabase, createRole, openDatabase, requestedVersions, serverUrl, startServer, uniqueName } from './index.js';

async function databaseExists(server: string, name: string): Promise<boolean> {
  await using client = await connect(server);
  return (await client.query('SELECT FROM pg_database WHERE datname = $1', [name])).rows.length > 0;
}

test('two databases made at once know nothing of each other', async () => {
  await using one = await createDatabase();
  await using two = await createDatabase();
  await Promise.all([one.run('CREATE TABLE t (a int); INSERT INTO t VALUES (1);'), two.run('CREATE TABLE u (a int)')]);
  expect(await one.query('SELECT a FROM t WHERE a = $1', [1])).toEqual([{ a: 1 }]);
  await expect(two.query('SELECT a FROM t')).rejects.toThrow('relation "t" does not exist');
  expect(await two.query<{ name: string }>('SELECT current_database() AS name')).toEqual([{ name: two.name }]);
});

test('many made in parallel have names and contents of their own', async () => {
  const databases = await Promise.all(Array.from({ length: 8 }, () => createDatabase()));
  await Promise.all(databases.map((db, index) => db.run(`CREATE TABLE t AS SELECT ${index} AS i`)));
  expect(await Promise.all(databases.map((db) => db.query('SELECT i FROM t')))).toEqual(databases.map((_, i) => [{ i }]));
  await Promise.all(databases.map((db) => db.drop()));
  expect(new Set(databases.map(({ name }) => name)).size).toBe(8);
});

describe.each(requestedVersions())('PostgreSQL %i', (version) => {
  test('is what is asked for and what comes', async () => {
    await using db = await createDatabase({ version });
    const [row] = await db.query<{ v: string }>(`SELECT current_setting('server_version_num') AS v`);
    expect(Math.floor(Number(row?.v) / 10000)).toBe(version);
    expect(db.url.startsWith(new URL('/', await serverUrl(version)).href)).toBe(true);
  });
});

test('encoding and template are as asked for', async () => {
  await using latin = await createDatabase({ encoding: 'LATIN1' });
  await latin.run(`CREATE TABLE t AS SELECT 'é'::text AS letter`);
  await using copy = await createDatabase({ template: latin.name });
  expect(await copy.query(`SELECT letter, octet_length(letter) AS bytes, getdatabaseencoding() AS encoding FROM t`)).toEqual([
    { letter: 'é', bytes: 1, encoding: 'LATIN1' },
  ]);
});

test('a script is one transaction, so that half of it leaves nothing', async () => {
  await using db = await createDatabase();
  await expect(db.run('CREATE TABLE t (); SELECT 1/0;')).rejects.toThrow('division by zero');
  expect(await db.query(`SELECT to_regclass('t') AS t`)).toEqual([{ t: null }]);
});

test('a drop goes through under sessions of others', async () => {
  const db = await createDatabase();
  const session = await db.connect();
  await session.query('BEGIN');
  await db.drop();
  await expect(session.query('SELECT 1')).rejects.toThrow();
  await db.drop(); // again is fine
  expect(await databaseExists(await serverUrl(), db.name)).toBe(false);
});

test('a session of tidemark that was left open is named, and the database is gone all the same', async () => {
  const db = await createDatabase();
  const client = new pg.Client({ connectionString: db.url, application_name: 'tidemark worker 3' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`SELECT 'the last thing it did'`);
  await expect(db.drop({ withinMs: 100 })).rejects.toThrow(/session \d+ of tidemark worker 3 \(idle\): SELECT 'the last thing it did'/);
  expect(await databaseExists(await serverUrl(), db.name)).toBe(false);
});

test('a session of tidemark that is just ending is not a leak', async () => {
  const db = await createDatabase();
  const client = new pg.Client({ connectionString: db.url, application_name: 'tidemark' });
  await client.connect();
  await Promise.all([client.end(), db.drop()]);
});

test('slots left behind are named and removed; subscriptions do not stand in the way', async () => {
  await using server = await startServer({ settings: { wal_level: 'logical' } });
  const db = await createDatabase({ server: server.url });
  await db.query(`SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')`);
  await db.run(`CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)`);
  await expect(db.drop()).rejects.toThrow('replication slot forgotten');
  expect(await databaseExists(server.url, db.name)).toBe(false);
  await using client = await connect(server.url);
  expect((await client.query('SELECT slot_name FROM pg_replication_slots')).rows).toEqual([]);
});

test('a handle for a database that others make drops it, or finds nothing to drop', async () => {
  const server = await serverUrl();
  const name = uniqueName();
  await using restored = openDatabase(server, name);
  await using client = await connect(server);
  await client.query(`CREATE DATABASE ${name}`);
  expect(await restored.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await restored.drop();
  expect(await databaseExists(server, name)).toBe(false);
});

test('a role may log in and do what it may', async () => {
  await using role = await createRole();
  await using db = await createDatabase();
  await db.run('CREATE TABLE secret ()');
  await using client = await connect(role.as(db.url));
  expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: role.name }]);
  await expect(client.query('TABLE secret')).rejects.toThrow('permission denied');
});
