// What sessions guard against: SQL of others that comes along with a definition, and relations that turn into something else.
import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, patience, requestedVersions } from '../server/index.js';

// Case 219: the extended protocol takes one statement at a time.
test.each(['read', 'write'] as const)('a second statement in a text is refused, in a session for %sing', async (use) => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use });
  const text = 'CREATE TABLE first (id integer); CREATE TABLE second (id integer)';
  await expect(session.query(text)).rejects.toThrow('cannot insert multiple commands into a prepared statement');
  expect(await db.query(`SELECT relname FROM pg_class WHERE relname IN ('first', 'second')`)).toEqual([]);
});

// Case 210, CVE-2024-7348: between the list of tables and the first read, an owner puts a view with a function of his in the place of one.
test.each(requestedVersions())('nothing of a view that has taken the place of a table is run, on PostgreSQL %i', async (version) => {
  await using db = await createDatabase({ version });
  await db.run(`
    CREATE SEQUENCE called;
    CREATE FUNCTION call() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('called')$$;
    CREATE VIEW t AS SELECT call()`);
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
  await expect(session.query('SELECT * FROM public.t')).rejects.toThrow('access to non-system view "t" is restricted');
  expect(await db.query('SELECT is_called FROM called')).toEqual([{ is_called: false }]);
});

test('how values are stored is for the server to say, as with pg_restore', async () => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  const storage = `SELECT name FROM pg_settings WHERE name LIKE '%toast%' AND source = 'session'`;
  expect(await session.query(storage)).toEqual([]);
});
