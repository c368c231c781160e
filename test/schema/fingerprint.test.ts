import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { readFingerprint, sameDefinitions } from '#dist/schema/fingerprint.js';
import { readServer } from '#dist/schema/introspect.js';
import {
  createDatabase,
  createRole,
  patience,
  requestedVersions,
  type TestClient,
  type TestDatabase,
  uniqueName,
} from '../server/index.js';

const schema = `
  CREATE TABLE t (id serial PRIMARY KEY, note text);
  CREATE INDEX t_note ON t (note);
  CREATE TABLE parent (id integer); CREATE TABLE child () INHERITS (parent);
  CREATE TABLE part (id integer) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
  CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t;
  CREATE SEQUENCE loose;
  CREATE TYPE mood AS ENUM ('good');
  CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';`;

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: TestClient;
  let session: Session;
  const fingerprint = () => readFingerprint(session, session);

  beforeAll(async () => {
    db = await createDatabase({ version });
    await db.run(schema);
    client = await db.connect();
    session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
  });

  afterAll(async () => {
    await session.close();
    await client[Symbol.asyncDispose]();
    await db.drop();
  });

  test.each([
    'INSERT INTO t (note) SELECT md5(g::text) FROM generate_series(1, 2000) g',
    'INSERT INTO part SELECT generate_series(0, 999)',
    'UPDATE t SET note = note || id',
    'DELETE FROM t WHERE id > 1500',
    'ANALYZE',
    'VACUUM',
    'VACUUM (FREEZE, ANALYZE) t',
    'VACUUM (FREEZE) pg_class',
    'ANALYZE pg_attribute',
    `SELECT nextval('loose'), setval('loose', 17)`,
    'CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY, t text CHECK (t > $$a$$), u mood DEFAULT $$good$$) ON COMMIT PRESERVE ROWS',
    'CREATE INDEX ON passing (t)',
    'DROP TABLE passing',
    'BEGIN; ALTER TABLE t ADD other integer; ROLLBACK',
    `SELECT lo_create(0)`,
  ])('stays the same: %s', async (statement) => {
    const before = await fingerprint();
    await client.query(statement);
    expect(await fingerprint()).toBe(before);
  });

  test('definitions are the same until DDL is committed, whoever writes meanwhile', async () => {
    await using view = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    const server = await readServer(view);
    await view.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await view.query('SELECT FROM public.t');
    await client.query('BEGIN');
    await client.query('CREATE TABLE appears (id integer)');
    expect(await sameDefinitions(view, session, server)).toBe(true);
    await using writer = await db.connect();
    await writer.query(`INSERT INTO t (note) VALUES ('written')`);
    expect(await sameDefinitions(view, session, server)).toBe(true);
    await client.query('COMMIT');
    expect(await sameDefinitions(view, session, server)).toBe(false);
    await client.query('DROP TABLE appears');
    expect(await sameDefinitions(view, session, server)).toBe(true);
    await view.query('COMMIT');
  });

  test('roles matter once this database has something of theirs', async () => {
    const role = await createRole({ version });
    const before = await fingerprint();
    await using stranger = await createRole({ version });
    const renamed = `"${uniqueName()}"`;
    await client.query(`ALTER ROLE "${stranger.name}" RENAME TO ${renamed}`);
    expect(await fingerprint()).toBe(before);
    await client.query(`DROP ROLE ${renamed}`);

    await client.query(`GRANT SELECT ON t TO "${role.name}"`);
    const granted = await fingerprint();
    expect(granted).not.toBe(before);
    const other = `"${uniqueName()}"`;
    await client.query(`ALTER ROLE "${role.name}" RENAME TO ${other}`);
    expect(await fingerprint()).not.toBe(granted);
    await client.query(`REVOKE ALL ON t FROM ${other}`);
    await client.query(`DROP ROLE ${other}`);
  });

  test.each([
    'CREATE TABLE u (id integer)',
    'ALTER TABLE t ADD other integer',
    'ALTER TABLE t ALTER other TYPE bigint',
    'ALTER TABLE t ALTER other SET DEFAULT 1',
    'ALTER TABLE t ALTER other SET STATISTICS 5',
    'ALTER TABLE t RENAME other TO another',
    'ALTER TABLE t SET (fillfactor = 70)',
    'ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)',
    'ALTER TABLE t RENAME CONSTRAINT c TO d',
    'ALTER TABLE child NO INHERIT parent',
    'ALTER TABLE part DETACH PARTITION part_1',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY p ON t USING (true)',
    'TRUNCATE t',
    'CREATE INDEX ON t (another)',
    'REINDEX INDEX CONCURRENTLY t_note',
    'CLUSTER t USING t_note',
    'CREATE VIEW v AS SELECT 1 AS x',
    'CREATE OR REPLACE VIEW v AS SELECT 2 AS x',
    'CREATE RULE r AS ON INSERT TO t DO NOTHING',
    'CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS $$SELECT 2$$',
    'CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$',
    'CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION g()',
    'ALTER TABLE t DISABLE TRIGGER g',
    `ALTER TYPE mood ADD VALUE 'bad'`,
    `ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'`,
    'ALTER SEQUENCE loose INCREMENT 2',
    'ALTER SEQUENCE loose OWNED BY u.id',
    'ALTER SEQUENCE loose OWNED BY NONE',
    'GRANT SELECT ON t TO PUBLIC',
    'GRANT SELECT (id) ON t TO PUBLIC',
    'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC',
    `COMMENT ON TABLE t IS 'a table'`,
    'COMMENT ON TABLE t IS NULL',
    'CREATE STATISTICS s ON id, note FROM t',
    'CREATE SCHEMA s',
    'CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)',
    'CREATE COLLATION c FROM "C"',
    'CREATE CAST (integer AS mood) WITH INOUT',
    'CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)',
    'CREATE FOREIGN DATA WRAPPER w',
    'CREATE PUBLICATION p',
    'CREATE PUBLICATION q FOR TABLE t',
    'ALTER PUBLICATION q DROP TABLE t',
    'DROP MATERIALIZED VIEW m',
    'DROP TABLE t',
  ])('changes: %s', async (statement) => {
    const before = await fingerprint();
    await client.query(statement);
    expect(await fingerprint()).not.toBe(before);
  });

  test('a snapshot and a fresh session agree until something is committed', async () => {
    await using old = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const before = await readFingerprint(old, old);
    expect(await fingerprint()).toBe(before);
    await client.query('CREATE TABLE fresh (id integer)');
    expect(await readFingerprint(old, old)).toBe(before);
    expect(await fingerprint()).not.toBe(before);
  });
});
