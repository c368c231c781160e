// That what a mark spares is nothing is shown by the round trips of the fixtures, most of which have a few kinds of objects; here, that
// an empty database has no marks, on no server, and that there is nothing of what is not asked for.
import { describe, expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { readServer } from '#dist/schema/introspect.js';
import { kinds } from '#dist/schema/kinds/index.js';
import { mayBe, readMarks } from '#dist/schema/marks.js';
import { createDatabase, patience, requestedVersions } from '../server/index.js';

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('an empty database has no marks', async () => {
    await using db = await createDatabase({ version });
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    expect([...(await readMarks(session))]).toEqual([]);
  });

  test('of what has no mark there is nothing', async () => {
    await using db = await createDatabase({ version });
    await db.run('CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL CHECK (name > $$a$$)); CREATE INDEX ON t (name);');
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    const server = await readServer(session);
    const marks = await readMarks(session);
    expect([...marks].sort()).toEqual(['pg_class', 'pg_class:i', 'pg_class:r', 'pg_class:t', 'pg_type', 'pg_type:-', 'pg_type:c']);
    const spared = kinds.filter(({ only }) => !mayBe(only, marks));
    expect(spared.length).toBeGreaterThan(kinds.length / 2);
    for (const kind of spared) expect(await session.query(kind.query(server)), kind.name).toEqual([]);
  });

  test.each([
    ['CREATE FUNCTION pg_catalog.ours() RETURNS integer LANGUAGE sql AS $$SELECT 1$$', 'pg_proc:f'],
    ['CREATE TABLE parent (id integer); CREATE TABLE child () INHERITS (parent)', 'pg_inherits'],
    ['CREATE TYPE shell', 'pg_type:p'],
    ['CREATE DOMAIN d AS integer', 'pg_type:d'],
    ['SELECT lo_create(17)', 'pg_largeobject_metadata'],
    ['CREATE RULE r AS ON INSERT TO pg_temp.passing DO NOTHING', 'pg_rewrite'],
    ['CREATE CAST (integer AS date) WITHOUT FUNCTION', 'pg_cast'],
    ['ALTER EXTENSION plpgsql ADD TABLE passing', 'members'],
    ['ALTER COLLATION pg_catalog."C" SET SCHEMA public', 'pg_collation'],
  ])('%s: %s', async (statement, mark) => {
    await using db = await createDatabase({ version });
    await using client = await db.connect();
    await client.query(statement.includes('pg_temp') ? 'CREATE TEMPORARY TABLE passing (id integer)' : 'CREATE TABLE passing (id integer)');
    await client.query(statement);
    expect([...(await readMarks(rowsOf(client)))]).toContain(mark);
  });
});

/** Rows alone. */
function rowsOf(client: { query(text: string): Promise<{ rows: unknown[] }> }): Parameters<typeof readMarks>[0] {
  return { query: async <Row>(text: string) => (await client.query(text)).rows as Row[] };
}
