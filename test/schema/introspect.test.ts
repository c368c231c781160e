import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TidemarkError } from '#dist/model/errors.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { emitSection } from '#dist/schema/emit.js';
import { readFingerprint } from '#dist/schema/fingerprint.js';
import { introspect, type Queryable, readServer } from '#dist/schema/introspect.js';
import { defineKind, key } from '#dist/schema/kind.js';
import { kinds } from '#dist/schema/kinds/index.js';
import { createDatabase, createRole, patience, requestedVersions } from '../server/index.js';
import { comparable, oracle, readSchema } from './judge.js';

const run = promisify(execFile);

/** Introspects through a session that counts, and may fail the query that holds a word. */
async function counted(url: string, fail?: { word: string; error: Error }): Promise<number> {
  await using session = await openSession(resolveConnection(url, patience), { use: 'read' });
  let queries = 0;
  const counting: Queryable = {
    query: async (text) => {
      queries += 1;
      if (fail && text.includes(fail.word)) throw fail.error;
      return session.query(text);
    },
  };
  const server = await readServer(session);
  await introspect(counting, { server, skipUnsupported: false });
  return queries;
}

test('the number of queries does not depend on the number of objects', async () => {
  await using db = await createDatabase();
  const grow = (from: number, to: number) =>
    db.run(`DO $$BEGIN FOR i IN ${from}..${to} LOOP
    EXECUTE format('CREATE SCHEMA s%1$s; CREATE TABLE s%1$s.t (id serial PRIMARY KEY, a text DEFAULT ''x'' CHECK (a > ''''), b integer REFERENCES s%1$s.t);
      CREATE VIEW s%1$s.v AS SELECT * FROM s%1$s.t; CREATE FUNCTION s%1$s.f(s%1$s.t) RETURNS integer LANGUAGE sql AS ''SELECT 1'';
      CREATE TYPE s%1$s.e AS ENUM (''a''); COMMENT ON TABLE s%1$s.t IS ''x''; GRANT SELECT ON s%1$s.v TO PUBLIC', i);
  END LOOP; END$$`);
  await grow(1, 1);
  const few = await counted(db.url);
  await grow(2, 40);
  expect(await counted(db.url)).toBe(few);
  expect(few).toBeLessThan(kinds.length + 20);
});

describe('DDL at the same time', () => {
  const failed = (sqlstate: string, message: string) => new TidemarkError('SERVER_ERROR', message, { details: { sqlstate } });

  test.each([
    ['XX000', 'cache lookup failed for type 16500'],
    ['42P01', 'relation with OID 16500 does not exist'],
    ['XX000', 'could not open relation with OID 16500'],
  ])('%s %s is CONCURRENT_DDL', async (sqlstate, message) => {
    await using db = await createDatabase();
    const reading = counted(db.url, { word: 'pg_get_', error: failed(sqlstate, message) });
    await expect(reading).rejects.toMatchObject({ code: 'CONCURRENT_DDL', message: `read the schema: ${message}` });
  });

  test.each([
    ['42703', 'column "no_such" does not exist'],
    ['42P01', 'relation "no_such" does not exist'],
    ['42501', 'permission denied for table pg_user_mapping'],
  ])('%s %s is not', async (sqlstate, message) => {
    await using db = await createDatabase();
    const reading = counted(db.url, { word: 'pg_get_', error: failed(sqlstate, message) });
    await expect(reading).rejects.toMatchObject({ code: 'SERVER_ERROR' });
  });

  const gone = (definition: string) =>
    defineKind({
      name: 'view',
      row: z.object({ name: z.string(), definition: z.string(), nested: z.object({ also: z.string() }) }),
      query: () => `SELECT 'v' AS name, ${definition} AS definition, json_build_object('also', pg_get_viewdef(0::oid)) AS nested`,
      objects: ({ name }) => [{ key: key('pg_class', 1), kind: 'view', name, ddl: name, steps: [] }],
    });

  test('a definition that is NULL is CONCURRENT_DDL, any other odd row an error of ours', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    const options = { server: await readServer(session), skipUnsupported: false };
    await expect(introspect(session, { ...options, kinds: [gone('pg_get_viewdef(0::oid)')] })).rejects.toMatchObject({
      code: 'CONCURRENT_DDL',
    });
    await expect(introspect(session, { ...options, kinds: [gone('5')] })).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test.each([
    ['the expression of a default', { columns: [[1, 'a', 'integer', false, true, 16500, null]], constraints: [] }],
    ['a check', { columns: [], constraints: [[16500, 'c', 'x', true, false, true, null, null, null, null]] }],
  ])('so is %s, in the lists of a table', async (_, lists) => {
    await using db = await createDatabase();
    await db.run('CREATE TABLE t ()');
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    const server = await readServer(session);
    const torn: Queryable = {
      query: async <Row extends Record<string, unknown>>(text: string): Promise<Row[]> => {
        const rows = await session.query<Row>(text);
        return text.includes('conlist') ? rows.map((row) => ({ ...row, ...lists })) : rows;
      },
    };
    await expect(introspect(torn, { server, skipUnsupported: false })).rejects.toMatchObject({ code: 'CONCURRENT_DDL' });
  });

  test('a function that is dropped by another session between our view and the deparse', async () => {
    await using db = await createDatabase();
    await db.run(`CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'`);
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const server = await readServer(session);
    await db.run('DROP FUNCTION f()');
    await expect(introspect(session, { server, skipUnsupported: false })).rejects.toMatchObject({ code: 'CONCURRENT_DDL' });
  });
});

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('an empty database has nothing to run', async () => {
    await using db = await createDatabase({ version });
    const { objects, steps, leftOut } = await readSchema(db.url);
    // Before 15 the owner and the privileges of `public` are said: the target may be a newer server, which has other ones.
    expect(version < 15 ? steps.filter(({ object }) => objects[object]?.name !== 'public') : steps).toEqual([]);
    expect(leftOut).toEqual([]);
  });

  test('an ordinary role reads the same, and all the catalogs of the fingerprint', async () => {
    await using role = await createRole({ version });
    await using db = await createDatabase({ version });
    await db.run(`CREATE TABLE t (id integer PRIMARY KEY, a text CHECK (a > '')); CREATE VIEW v AS SELECT id, a FROM t GROUP BY id;
      CREATE FUNCTION f(t) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE SCHEMA closed; CREATE TABLE closed.t (id integer);
      REVOKE ALL ON t FROM PUBLIC; COMMENT ON TABLE t IS 'x'`);
    const url = role.as(db.url);
    expect(comparable(await readSchema(url))).toEqual(comparable(await readSchema(db.url)));
    await using one = await openSession(resolveConnection(url, patience), { use: 'read' });
    await using other = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    expect(await readFingerprint(one, one)).toBe(await readFingerprint(other, other));
  });

  // Case 209.
  test('DDL before any of the queries is noticed: by an error, or by the fingerprint of a fresh session', async () => {
    await using db = await createDatabase({ version });
    // No relations: before 16 the deparse of a view keeps a lock on it, and the DDL would wait for us.
    const define = (at: number): string => `
      DROP FUNCTION IF EXISTS f(); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT ${at}';
      DROP DOMAIN IF EXISTS d; CREATE DOMAIN d AS integer DEFAULT ${at}; COMMENT ON DOMAIN d IS '${at}'`;
    await db.run(define(0));
    await using fresh = await openSession(resolveConnection(db.url, patience), { use: 'read' });

    /** What came of reading while the definitions changed before the query of this number. */
    async function readDuring(disturbed: number): Promise<'same' | 'changed' | 'error' | 'not disturbed'> {
      await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const server = await readServer(session);
      const before = await readFingerprint(session, server);
      let queries = 0;
      const disturbing: Queryable = {
        query: async (text) => {
          const number = queries;
          // Another may be asked meanwhile, which is not to change them as well.
          queries += 1;
          if (number === disturbed) await db.run(define(disturbed + 1));
          return session.query(text);
        },
      };
      try {
        await introspect(disturbing, { server, skipUnsupported: false });
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONCURRENT_DDL' });
        return 'error';
      }
      const after = await readFingerprint(fresh, server);
      if (queries <= disturbed) return 'not disturbed';
      return after === before ? 'same' : 'changed';
    }

    const seen = new Set<string>();
    for (let at = 0; !seen.has('not disturbed'); at += 1) seen.add(await readDuring(at));
    expect([...seen].sort()).toEqual(['changed', 'error', 'not disturbed']);
    expect(await readDuring(1000)).toBe('not disturbed');
    // Reads the schema once for each of its queries.
  }, 180_000);

  test('the text for people runs in psql and makes the same schema', async () => {
    const folder = await oracle();
    if (folder === undefined) return;
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`CREATE TABLE "odd; -- \n\\! name" (id serial PRIMARY KEY, t text DEFAULT 'a;b\\c');
      CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT ';' -- no end
      $$;
      CREATE VIEW v AS SELECT id, t FROM "odd; -- \n\\! name" GROUP BY id;
      COMMENT ON VIEW v IS E'-- not\n\\\\q a comment; at all'`);
    const schema = await readSchema(source.url);
    const home = await mkdtemp(join(tmpdir(), 'tidemark-emit-'));
    try {
      const file = join(home, 'schema.sql');
      const text = ['pre-data' as const, 'data' as const, 'post-data' as const]
        .map((section) => emitSection(schema, section, { restrictKey: 'k3y' }))
        .join('\n');
      await writeFile(file, text);
      await run(`${folder}/psql`, ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', file, '--dbname', target.url]);
    } finally {
      await rm(home, { recursive: true });
    }
    expect(comparable(await readSchema(target.url))).toEqual(comparable(schema));
  });
});
