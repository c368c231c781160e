// Whole databases: a second generation is the same as the first, a role that owns a database needs nobody's help, and a database comes
// back with its locale.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { catalogFacts } from '../schema/facts.js';
import { comparable, dumpSchema, readSchema } from '../schema/judge.js';
import { connect, createDatabase, createRole, openDatabase, serverUrl, uniqueName } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';

// Case 215.
test.each(['inheritance', 'partition', 'view', 'loops'])('the second generation of %s is the first', async (name) => {
  await using source = await createDatabase();
  await source.run(await readFile(new URL(`../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8'));
  await fillDatabase(source);
  await using archive = await archiveOf(source);
  await using first = await restored(archive);
  await using again = await archiveOf(first);
  await using second = await restored(again);
  expect(comparable(await readSchema(second.url))).toEqual(comparable(await readSchema(source.url)));
  expect(await catalogFacts(second)).toEqual(await catalogFacts(source));
  expect(await dumpSchema(second.url)).toEqual(await dumpSchema(source.url));
  expect(await readContents(second)).toEqual(await readContents(source));
});

const plain = `
  CREATE SCHEMA app;
  SET search_path = app;
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
  CREATE TABLE a (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood DEFAULT 'good', p positive, n serial);
  CREATE TABLE b (id integer REFERENCES a, t text, d integer GENERATED ALWAYS AS (length(t)) STORED) PARTITION BY LIST (id);
  CREATE TABLE b_1 PARTITION OF b FOR VALUES IN (1);
  CREATE INDEX ON b (lower(t));
  CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE VIEW v AS SELECT id, twice(p) AS two FROM a;
  ALTER TABLE a ENABLE ROW LEVEL SECURITY;
  CREATE POLICY mine ON a USING (p > 0);
  CREATE STATISTICS s ON id, p FROM a;
  COMMENT ON TABLE a IS 'ours';
  GRANT SELECT ON v TO PUBLIC;
  ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
  CREATE PUBLICATION p FOR TABLE a;
  SELECT lo_from_bytea(50001, 'bytes');
  INSERT INTO a (p) VALUES (1), (2);
  INSERT INTO b VALUES (1, 'x');
  CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM a;`;

test('a role that owns its database and is no superuser snapshots and restores it, case 218', async () => {
  await using role = await createRole();
  await using source = await createDatabase();
  await using target = await createDatabase();
  for (const { name } of [source, target]) await source.query(`ALTER DATABASE "${name}" OWNER TO "${role.name}"`);
  await using owner = await connect(role.as(source.url));
  await owner.query(plain);
  await using archive = await archiveOf(source, { database: role.as(source.url) });
  await restoreSnapshot({ database: role.as(target.url), file: archive.file, jobs: 2 });
  expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  expect(await catalogFacts(target)).toEqual(await catalogFacts(source));
  expect(await readContents(target)).toEqual(await readContents(source));
});

// Cases 7 to 9.
test.each([
  `LC_COLLATE 'C' LC_CTYPE 'POSIX'`,
  `LOCALE_PROVIDER icu ICU_LOCALE 'de' LC_COLLATE 'C' LC_CTYPE 'C'`,
  `LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&a < g' LC_COLLATE 'C' LC_CTYPE 'C'`,
  `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C' LC_COLLATE 'C' LC_CTYPE 'C'`,
  `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'`,
  `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LC_COLLATE 'C' LC_CTYPE 'C'`,
])('--create gives a database its locale again: %s', async (locale) => {
  const server = await serverUrl(18);
  await using admin = await connect(server);
  const name = uniqueName();
  await admin.query(`CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'UTF8' ${locale}`);
  await using source = openDatabase(server, name);
  const properties = async () => {
    const { rows } = await admin.query(
      `SELECT to_jsonb(d) - '{oid,datfrozenxid,datminmxid,dattablespace}'::text[] AS d FROM pg_database d WHERE datname = $1`,
      [name],
    );
    return rows;
  };
  await source.run('CREATE TABLE t (a text); CREATE INDEX ON t (a)');
  const before = await properties();
  await using archive = await archiveOf(source);
  await restoreSnapshot({ database: server, file: archive.file, create: true, clean: true });
  expect(before).toHaveLength(1);
  expect(await properties()).toEqual(before);
});
