import { describe, expect, test } from 'vitest';
import { createDatabase, requestedVersions } from '../server/index.js';
import { readSchema, runSteps } from './judge.js';

/** Kinds that are taken out of the register, so that there is something left that is not known. */
const without = ['access-method', 'language', 'operator', 'operator-class', 'operator-family', 'operator-family-member'];

/** One of each kind that is not known then, and things that need them. */
const foreign = `
  CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
  CREATE OPERATOR CLASS odd_ops FOR TYPE integer USING hash AS OPERATOR 1 ===, FUNCTION 1 hashint4(integer);
  CREATE FUNCTION compare(integer, text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
  ALTER OPERATOR FAMILY integer_ops USING btree ADD FUNCTION 1 (integer, text) compare(integer, text);
  CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
  CREATE LANGUAGE lingo HANDLER plpgsql_call_handler;
`;

const users = `
  CREATE TABLE near (id integer);
  CREATE INDEX near_odd ON near USING hash (id odd_ops);
  CREATE INDEX near_id ON near (id);
  CREATE TABLE heap2_t (id integer) USING heap2;
  CREATE VIEW odd_view AS SELECT id === 5 AS five FROM near;
  CREATE VIEW over_odd AS SELECT five FROM odd_view;
  CREATE FUNCTION in_lingo() RETURNS integer LANGUAGE lingo AS '1';
  CREATE TABLE by_default (id integer DEFAULT in_lingo(), CHECK (id === 5), n integer);
  COMMENT ON VIEW over_odd IS 'left out';`;

const kinds = [
  'access method',
  'function of access method',
  'language',
  'operator',
  'operator class',
  'operator family',
  'operator of access method',
];

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('objects of unknown kinds are an error that names them', async () => {
    await using db = await createDatabase({ version });
    await db.run(`CREATE LANGUAGE "a language" HANDLER plpgsql_call_handler; CREATE LANGUAGE "another" HANDLER plpgsql_call_handler`);
    const reading = readSchema(db.url, { without });
    await expect(reading).rejects.toMatchObject({
      code: 'UNSUPPORTED_OBJECT',
      message: expect.stringMatching(/language "a language", language "another"$/),
      hint: expect.stringContaining('--skip-unsupported'),
      details: { count: 2 },
    });
  });

  test('the error names ten and counts the rest', async () => {
    await using db = await createDatabase({ version });
    await db.run(`DO $$BEGIN FOR i IN 1..200 LOOP EXECUTE 'CREATE LANGUAGE p' || i || ' HANDLER plpgsql_call_handler'; END LOOP; END$$`);
    await expect(readSchema(db.url, { without })).rejects.toMatchObject({
      message: expect.stringMatching(/language "p1", .*"p10" and 190 more$/),
      details: { count: 200 },
    });
  });

  test('with skipUnsupported they are left out with all that needs them, and the rest runs', async () => {
    await using db = await createDatabase({ version });
    await db.run(foreign);
    await db.run(users);
    const schema = await readSchema(db.url, { skipUnsupported: true, without });
    const unknown = schema.leftOut.filter(({ reason }) => reason === 'objects of this kind are not supported');
    expect([...new Set(unknown.map(({ kind }) => kind))].sort()).toEqual(kinds);
    const needy = schema.leftOut.filter(({ reason }) => reason !== 'objects of this kind are not supported');
    expect(needy.map(({ name, reason }) => `${name}: ${reason}`).sort()).toEqual([
      '"by_default_id_check" ON "public"."by_default": it needs operator "public".===(integer,integer)',
      '"public"."by_default"."id": it needs FUNCTION "public"."in_lingo"(), which is left out',
      '"public"."heap2_t": it needs access method "heap2"',
      '"public"."in_lingo"(): it needs language "lingo"',
      '"public"."near_odd": it needs operator class "public"."odd_ops" USING "hash"',
      '"public"."odd_view": it needs operator "public".===(integer,integer)',
      '"public"."over_odd": it needs VIEW "public"."odd_view", which is left out',
    ]);
    await using target = await createDatabase({ version });
    await runSteps(target.url, schema.steps);
    const tables = await target.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname`);
    expect(tables.map(({ relname }) => relname)).toEqual(['by_default', 'near', 'near_id']);
  });

  test('what an extension, a partition or the server itself makes is not taken for an unknown object', async () => {
    await using db = await createDatabase({ version });
    await db.run(`
      CREATE TABLE p (id integer PRIMARY KEY, up integer REFERENCES p, CHECK (id > 0)) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE TYPE span AS RANGE (SUBTYPE = integer);
      CREATE TABLE parent (id integer NOT NULL CHECK (id > 0)); CREATE TABLE child () INHERITS (parent);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER t AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
      CREATE CONSTRAINT TRIGGER ct AFTER INSERT ON p1 DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f();`);
    await using client = await db.connect();
    await client.query('CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY, t text UNIQUE CHECK (t > $$a$$))');
    await client.query('CREATE TEMPORARY VIEW passing_view AS SELECT id FROM passing');
    expect((await readSchema(db.url)).leftOut).toEqual([]);
  });

  test('an index that CREATE INDEX CONCURRENTLY left invalid is told, and no error', async () => {
    await using db = await createDatabase({ version });
    await db.run('CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (1)');
    await expect(db.query('CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)')).rejects.toThrow('could not create unique index');
    const { leftOut } = await readSchema(db.url);
    expect(leftOut).toEqual([{ kind: 'index', name: '"public"."broken"', reason: expect.stringContaining('not valid') }]);
  });
});
