// Security labels. No provider can be loaded into the test servers (they are libraries that nobody ships with PostgreSQL, except one
// for SELinux), so rows are put into pg_seclabel as a provider would leave them. That shows what we read of a real catalog, with pg_dump
// as judge of the statements, and that a server understands them up to the missing provider; not that one takes them. Case 190.
import { describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { Step } from '#dist/model/catalog.js';
import { archiveOf } from '../../round-trip/cycle.js';
import { createDatabase, requestedVersions, type TestDatabase } from '../../server/index.js';
import { dumpSchema, readSchema } from '../judge.js';

const objects = `
  CREATE SCHEMA app; CREATE SCHEMA "Odd ""schema""";
  SET search_path = app;
  CREATE TABLE "a ""table" (id serial PRIMARY KEY, gone integer, "the ""column" text, n integer GENERATED ALWAYS AS IDENTITY);
  ALTER TABLE "a ""table" DROP COLUMN gone;
  CREATE TABLE parted (id integer) PARTITION BY RANGE (id);
  CREATE VIEW seen AS SELECT id FROM "a ""table";
  CREATE MATERIALIZED VIEW kept AS SELECT id, "the ""column" FROM "a ""table";
  CREATE VIEW grouped AS SELECT id, n FROM "a ""table" GROUP BY id;
  CREATE SEQUENCE counted;
  CREATE FUNCTION f(integer, "a b" text DEFAULT 'x', OUT c integer) LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE p(INOUT integer) LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE total(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
  CREATE TYPE "Odd ""schema"""."a type" AS ENUM ('a');
  CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
  CREATE TYPE pair AS (a integer, b text);
  CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER "an event" ON sql_drop EXECUTE FUNCTION on_ddl();`;

/** As ExecSecLabelStmt stores it. */
async function label(
  db: TestDatabase,
  { on, provider = 'dummy', text = 'secret' }: { on: string; provider?: string; text?: string },
): Promise<void> {
  const address = `SELECT a.objid, a.classid, a.objsubid FROM pg_get_object_address(${on}) AS a`;
  await db.query(`INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label) SELECT a.*, $1, $2 FROM (${address}) AS a`, [
    provider,
    text,
  ]);
}

const labelled = [
  { on: `'schema', '{app}', '{}'`, text: `it's "secret" \\ and\nmore; --` },
  { on: `'schema', '{public}', '{}'` },
  { on: `'table', '{app,"a \\"table"}', '{}'` },
  { on: `'table', '{app,"a \\"table"}', '{}'`, provider: 'other "provider"', text: '' },
  { on: `'table column', '{app,"a \\"table","the \\"column"}', '{}'` },
  { on: `'table', '{app,parted}', '{}'` },
  { on: `'view', '{app,seen}', '{}'` },
  { on: `'view', '{app,grouped}', '{}'` },
  { on: `'materialized view', '{app,kept}', '{}'` },
  { on: `'sequence', '{app,counted}', '{}'` },
  { on: `'sequence', '{app,"a \\"table_id_seq"}', '{}'` },
  { on: `'function', '{app,f}', '{integer,text}'` },
  { on: `'procedure', '{app,p}', '{integer}'` },
  { on: `'type', '{"\\"Odd \\"\\"schema\\"\\"\\".\\"a type\\""}', '{}'` },
  { on: `'type', '{app.positive}', '{}'` },
  { on: `'type', '{app.pair}', '{}'` },
  { on: `'event trigger', '{"an event"}', '{}'` },
];

function statementsOf(steps: readonly Step[]): readonly string[] {
  return steps.filter(({ facet }) => facet === 'security-label').flatMap(({ statements }) => statements);
}

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('every label is read, and written as pg_dump writes it', async () => {
    await using db = await createDatabase({ version });
    await db.run(objects);
    for (const one of labelled) await label(db, one);
    const { steps, leftOut } = await readSchema(db.url);
    const statements = statementsOf(steps);
    expect(statements).toHaveLength(labelled.length);
    expect(leftOut).toEqual([]);
    const dump = await dumpSchema(db.url, ['--quote-all-identifiers']);
    const missing = statements.filter((statement) => !dump?.includes(`${statement};\n`));
    expect(dump === undefined ? [] : missing).toEqual([]);
    // The label of a step comes when its object is whole.
    for (const step of steps.filter(({ facet }) => facet === 'security-label')) {
      expect(step.needs.some((need) => steps[need]?.object === step.object) || step.statements[0]?.includes('SCHEMA "public"')).toBe(true);
    }
    for (const statement of statements) {
      await expect(db.query(statement)).rejects.toMatchObject({
        code: '22023',
        message: expect.stringMatching(/^security label provider ".*" is not loaded$/),
      });
    }
  });

  test('what pg_dump does not print is read, too; what is gone and what is of an extension is not', async () => {
    await using db = await createDatabase({ version });
    await db.run(`${objects}; CREATE EXTENSION citext SCHEMA public; CREATE TYPE span AS RANGE (subtype = integer)`);
    await db.query('SELECT lo_create(42), lo_create(43), lo_create(50)');
    for (const oid of [42, 50]) await label(db, { on: `'large object', '{${oid}}', '{}'` });
    await label(db, { on: `'aggregate', '{app,total}', '{}'` });
    await label(db, { on: `'type', '{app.parted}', '{}'` });
    await label(db, { on: `'type', '{public.citext}', '{}'` });
    await db.query(`INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label)
      VALUES ('app.pair'::regclass, 'pg_class'::regclass, 2, 'dummy', 'secret'), ('app.grouped'::regclass, 'pg_class'::regclass, 2, 'dummy', 'secret'), (999999, 'pg_class'::regclass, 0, 'dummy', 'orphan')`);
    const { steps, leftOut } = await readSchema(db.url);
    expect([...statementsOf(steps)].sort()).toEqual([
      `SECURITY LABEL FOR "dummy" ON AGGREGATE "app"."total"(*) IS 'secret'`,
      `SECURITY LABEL FOR "dummy" ON COLUMN "app"."grouped"."n" IS 'secret'`,
      `SECURITY LABEL FOR "dummy" ON COLUMN "app"."pair"."b" IS 'secret'`,
      `SECURITY LABEL FOR "dummy" ON LARGE OBJECT 42 IS 'secret'`,
      `SECURITY LABEL FOR "dummy" ON LARGE OBJECT 50 IS 'secret'`,
      `SECURITY LABEL FOR "dummy" ON TYPE "app"."parted" IS 'secret'`,
    ]);
    expect(leftOut).toEqual([{ kind: 'security label', name: '1 of them', reason: 'they are on members of extensions' }]);
  });
});

test('a target without the provider says what to do, and without labels all goes in', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE t (id integer)');
  await label(source, { on: `'table', '{public,t}', '{}'` });
  await using archive = await archiveOf(source);
  const restore = async (options: { noSecurityLabels?: boolean }) => {
    await using target = await createDatabase();
    await restoreSnapshot({ database: target.url, file: archive.file, jobs: 1, ...options });
    return await target.query(`SELECT to_regclass('public.t') IS NOT NULL AS made`);
  };
  await expect(restore({})).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringMatching(/^restore security label of table public\.t: security label provider "dummy" is not loaded/),
    hint: expect.stringContaining('--no-security-labels'),
  });
  expect(await restore({ noSecurityLabels: true })).toEqual([{ made: true }]);
  await using bare = await archiveOf(source, { noSecurityLabels: true });
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file: bare.file, jobs: 1 });
});
