// What is on other servers: rows of foreign tables, passwords, and views that read what cannot be reached.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { printSchema } from '#dist/app/snapshot/print-schema.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { inspectTarget, wipeTarget } from '#dist/restore/target.js';
import { archiveOf, restored } from '../round-trip/cycle.js';
import { createDatabase, createRole, openDatabase, patience, requestedVersions, serverUrl, type TestDatabase } from '../server/index.js';

/** A database with `farther`, a foreign table over table `t` of another database. */
async function link(near: TestDatabase, far: TestDatabase, password = 'CANARY'): Promise<void> {
  const { hostname, port, username } = new URL(far.url);
  await near.run(`
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${hostname}', port '${port}', dbname '${far.name}');
    CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user '${username}', password '${password}');
    CREATE FOREIGN TABLE farther (id integer, double integer GENERATED ALWAYS AS (id * 2) STORED, a text) SERVER elsewhere OPTIONS (table_name 't');
    CREATE TABLE parted (id integer, a text) PARTITION BY RANGE (id);
    CREATE TABLE near PARTITION OF parted FOR VALUES FROM (0) TO (10);
    CREATE FOREIGN TABLE far_part PARTITION OF parted FOR VALUES FROM (10) TO (20) SERVER elsewhere OPTIONS (table_name 'part');
    INSERT INTO near VALUES (1, 'near');`);
}

const farTables = `CREATE TABLE t (id integer, double integer, a text); INSERT INTO t VALUES (1, 2, 'a'), (2, 4, E'tab\\t');
  CREATE TABLE part (id integer, a text); INSERT INTO part VALUES (11, 'far')`;

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('rows of foreign tables stay away, and are said to', async () => {
    await using far = await createDatabase({ version });
    await using near = await createDatabase({ version });
    await far.run(farTables);
    await link(near, far);
    await using archive = await archiveOf(near);
    expect(archive.manifest.tables.map(({ name }) => name)).toEqual(['near']);
    expect(archive.manifest.leftOut).toEqual([
      { kind: 'foreign data', name: 'elsewhere', reason: expect.stringContaining('its 2 foreign tables stay on that server') },
    ]);
    await using target = await restored(archive, { into: { version } });
    expect(await target.query('SELECT id, double, a FROM farther ORDER BY id')).toHaveLength(2);
    expect(await target.query('SELECT id FROM parted')).toHaveLength(2);
  });

  test('--include-foreign-data copies them, and the restore writes them to where the foreign table is', async () => {
    await using far = await createDatabase({ version });
    await using near = await createDatabase({ version });
    await far.run(farTables);
    await link(near, far);
    await using archive = await archiveOf(near, { includeForeignData: ['else*'] });
    expect(archive.manifest.leftOut).toEqual([]);
    const { tables, settings } = archive.manifest;
    expect(tables.map(({ name, rows }) => `${name} ${rows}`).sort()).toEqual(['far_part 1', 'farther 2', 'near 1']);
    expect(settings.selection).toEqual({ includeForeignData: ['else*'] });
    await far.run('TRUNCATE t, part');
    await using target = await restored(archive, { into: { version } });
    expect(await far.query('SELECT id, a FROM t ORDER BY id')).toEqual([
      { id: 1, a: 'a' },
      { id: 2, a: 'tab\t' },
    ]);
    expect(await target.query('SELECT id FROM parted ORDER BY id')).toEqual([{ id: 1 }, { id: 11 }]);
  });

  test('secrets stay away unless they are asked for, and are said to', async () => {
    await using db = await createDatabase({ version });
    await db.run(`
      CREATE EXTENSION file_fdw;
      CREATE FOREIGN DATA WRAPPER plain;
      CREATE FUNCTION judge(text[], oid) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
      CREATE FOREIGN DATA WRAPPER strict VALIDATOR judge;
      CREATE SERVER p FOREIGN DATA WRAPPER plain;
      CREATE SERVER s FOREIGN DATA WRAPPER strict;
      CREATE USER MAPPING FOR PUBLIC SERVER p OPTIONS (user 'u', password 'CANARY1', "odd ""key""" 'CANARY2');
      CREATE USER MAPPING FOR CURRENT_USER SERVER p OPTIONS (user 'u');
      CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'u', password 'CANARY3');
      CREATE SUBSCRIPTION one CONNECTION 'host=h password=CANARY4 user=u' PUBLICATION x WITH (connect = false);
      CREATE SUBSCRIPTION two CONNECTION 'host=h dbname=''postgres://u:CANARY5@h''' PUBLICATION x WITH (connect = false);
      COMMENT ON SUBSCRIPTION two IS 'x';
      ALTER SUBSCRIPTION one ENABLE;`);
    const open = await printSchema({ database: db.url });
    expect(`${open.preData}${open.postData}`).not.toContain('CANARY');
    expect(open.preData).toContain(`CREATE USER MAPPING FOR PUBLIC SERVER "p" OPTIONS ("user" 'u')`);
    expect(open.postData).toContain(`CREATE SUBSCRIPTION "one" CONNECTION 'host=h user=u'`);
    expect(open.leftOut.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`).sort()).toEqual([
      'subscription one: it is enabled in the source, and restored disabled',
      'subscription one: the password in its connection string is a secret: --secrets takes it along',
      'subscription two: where the password in its connection string ends cannot be told: --secrets takes it along',
      'user mapping PUBLIC at p: its options "odd "key"", "password" may be secrets: --secrets takes them along',
      'user mapping PUBLIC at s: its options "password" may be secrets: --secrets takes them along (without them its foreign data wrapper may refuse it)',
    ]);
    const whole = await printSchema({ database: db.url, secrets: true });
    for (const canary of [1, 2, 3, 4, 5]) expect(`${whole.preData}${whole.postData}`).toContain(`CANARY${canary}`);
    expect(whole.leftOut).toEqual([expect.objectContaining({ kind: 'subscription', name: 'one' })]);
    // What is not taken along leaves no secrets behind.
    expect((await printSchema({ database: db.url, noSubscriptions: true })).leftOut.map(({ name }) => name)).not.toContain('one');
  });

  test('what a role cannot read is never taken for empty', async () => {
    await using role = await createRole({ version });
    await using db = await createDatabase({ version });
    await db.run(`
      CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
      CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'u');
      CREATE SUBSCRIPTION sub CONNECTION 'host=h' PUBLICATION x WITH (connect = false);`);
    const url = role.as(db.url);
    const { leftOut, preData, postData } = await printSchema({ database: url, noSubscriptions: false });
    expect(leftOut).toEqual([
      { kind: 'user mapping', name: 'PUBLIC at s', reason: 'its options cannot be read by this role' },
      { kind: 'subscription', name: 'sub', reason: 'its connection string cannot be read by this role' },
    ]);
    expect(`${preData}${postData}`).not.toMatch(/USER MAPPING|SUBSCRIPTION/);
    const refused = { code: 'PERMISSION_DENIED', hint: expect.stringContaining('--secrets') };
    await expect(printSchema({ database: url, secrets: true })).rejects.toMatchObject(refused);
    await db.run(`GRANT pg_read_all_data TO "${role.name}"`);
    expect((await printSchema({ database: url, secrets: true })).leftOut).toEqual([]);
  });

  test('a materialized view over a server that cannot be reached stays empty, and is told', async () => {
    await using far = await createDatabase({ version });
    await using near = await createDatabase({ version });
    await far.run(farTables);
    await link(near, far);
    await near.run(`CREATE MATERIALIZED VIEW seen AS SELECT id FROM farther; CREATE MATERIALIZED VIEW over_seen AS SELECT id FROM seen;
      CREATE MATERIALIZED VIEW other AS SELECT 1 AS one; ALTER SERVER elsewhere OPTIONS (SET host '127.0.0.1', SET port '1')`);
    await using archive = await archiveOf(near);
    const notices: string[] = [];
    await using target = await restored(archive, {
      into: { version },
      onEvent: (event) => event.type === 'notice' && notices.push(event.message),
    });
    const populated = await target.query(`SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY relname`);
    expect(populated.map(({ relname, relispopulated }) => [relname, relispopulated])).toEqual([
      ['other', true],
      ['over_seen', false],
      ['seen', false],
    ]);
    expect(notices).toEqual([expect.stringContaining('view public.seen'), expect.stringContaining('view public.over_seen')]);
  });

  test('what an interrupted restore made is wiped: servers of an extension that stays, subscriptions', async () => {
    await using db = await createDatabase({ version });
    await db.run(`CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
      CREATE USER MAPPING FOR PUBLIC SERVER s; CREATE FOREIGN TABLE f (id integer) SERVER s;
      CREATE FOREIGN DATA WRAPPER w; CREATE SERVER t FOREIGN DATA WRAPPER w; CREATE PUBLICATION p;
      CREATE SUBSCRIPTION sub CONNECTION 'host=h' PUBLICATION x WITH (connect = false);`);
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
    await session.query('DROP FOREIGN TABLE public.f');
    expect((await inspectTarget(session)).objects).toEqual([
      'foreign data wrapper w',
      'server s',
      'server t',
      'publication p',
      'subscription sub',
    ]);
    await wipeTarget(session, []);
    expect((await inspectTarget(session)).objects).toEqual([]);
  });
});

test('a publication comes without tables that are not chosen, and no table brings a publication', async () => {
  await using db = await createDatabase();
  await db.run(`CREATE TABLE a (id integer); CREATE TABLE b (id integer); CREATE SCHEMA s; CREATE TABLE s.c (id integer);
    CREATE PUBLICATION p FOR TABLE a, b, TABLES IN SCHEMA s; CREATE PUBLICATION everything FOR ALL TABLES`);
  const some = await printSchema({ database: db.url, tables: ['a'] });
  expect(`${some.preData}${some.postData}`).not.toMatch(/PUBLICATION|"b"/);
  expect(some.leftOut).toEqual([]);
  const most = await printSchema({ database: db.url, excludeTables: ['b'] });
  expect(most.postData.match(/^(?:CREATE PUBLICATION|ALTER PUBLICATION .* ADD).*$/gm)).toEqual([
    expect.stringContaining('CREATE PUBLICATION "everything" FOR ALL TABLES'),
    expect.stringContaining('CREATE PUBLICATION "p" WITH'),
    'ALTER PUBLICATION "p" ADD TABLE ONLY "public"."a";',
    'ALTER PUBLICATION "p" ADD TABLES IN SCHEMA "s";',
  ]);
  expect(most.leftOut).toEqual([
    { kind: 'publication table', name: 'public.b in p', reason: 'it needs table public.b, which is excluded' },
  ]);
});

test('a foreign table comes with its server, and none is made where it is', async () => {
  await using source = await createDatabase();
  await source.run(`CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE SERVER other FOREIGN DATA WRAPPER w;
    CREATE USER MAPPING FOR PUBLIC SERVER s; CREATE FOREIGN TABLE f (id integer) SERVER s; CREATE TABLE t (id integer)`);
  await using archive = await archiveOf(source, { tables: ['f'] });
  await using target = await restored(archive);
  expect(await target.query('SELECT srvname, (SELECT count(*)::int FROM pg_user_mappings) AS mappings FROM pg_foreign_server')).toEqual([
    { srvname: 's', mappings: 1 },
  ]);
  await target.run("DROP FOREIGN TABLE f; ALTER SERVER s OPTIONS (own 'yes')");
  await restoreSnapshot({ database: target.url, file: archive.file, tables: ['f'] });
  expect(await target.query(`SELECT srvoptions FROM pg_foreign_server WHERE EXISTS (SELECT FROM pg_foreign_table)`)).toEqual([
    { srvoptions: ['own=yes'] },
  ]);
});

test('an error of the restore does not repeat a password', async () => {
  await using source = await createDatabase();
  await source.run(`CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE TABLE t (id integer);
    CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'CANARY')`);
  await using archive = await archiveOf(source);
  await using target = await createDatabase();
  await target.run(`CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not here'; END$$;
    CREATE EVENT TRIGGER no ON ddl_command_end WHEN TAG IN ('CREATE USER MAPPING') EXECUTE FUNCTION no()`);
  const failure = await restoreSnapshot({ database: target.url, file: archive.file, clean: true, ifExists: true }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'RESTORE_FAILED', message: expect.stringContaining('not here') });
  expect(inspect(failure, { depth: 20 })).not.toContain('CANARY');
});

test('a swap drops what another one left, with a subscription in it', async () => {
  await using source = await createDatabase();
  await source.run(`CREATE TABLE t (id integer); CREATE SUBSCRIPTION sub CONNECTION 'host=h' PUBLICATION x WITH (connect = false)`);
  await using archive = await archiveOf(source);
  await using target = await createDatabase();
  await using left = openDatabase(await serverUrl(), `${target.name}__restoring`);
  const staging = `"${left.name}"`;
  await target.query(`CREATE DATABASE ${staging}`);
  await left.run(`CREATE SUBSCRIPTION sub CONNECTION 'host=h' PUBLICATION x WITH (connect = false)`);
  await left.run(`COMMENT ON DATABASE ${staging} IS 'tidemark: a restore into this database was begun and has not ended'`);
  await restoreSnapshot({ database: target.url, file: archive.file, swap: true });
  expect(
    await target.query(`SELECT subname, subenabled FROM pg_subscription JOIN pg_database d ON d.oid = subdbid
    WHERE datname = current_database()`),
  ).toEqual([{ subname: 'sub', subenabled: false }]);
});

test('a pattern that no server matches, and rows that are not wanted, are errors', async () => {
  await using db = await createDatabase();
  const options = { database: db.url, file: '/nowhere/a.tar.zst', includeForeignData: ['nowhere'] };
  await expect(archiveOf(db, { includeForeignData: ['nowhere'] })).rejects.toMatchObject({ code: 'PATTERN_UNMATCHED' });
  await expect(takeSnapshot({ ...options, schemaOnly: true })).rejects.toMatchObject({ code: 'USAGE' });
});
