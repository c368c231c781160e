// Statements that are answered together: what is done, what a failure leaves, and that the session goes on.
import { expect, test } from 'vitest';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, createRole, patience } from '../server/index.js';

async function withSession(use: (session: Session) => Promise<void>): Promise<void> {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  await use(session);
}

const there = `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`;

test('all are done, whatever they return', () =>
  withSession(async (session) => {
    const returns = ['SELECT generate_series(1, 3)', '', '-- nothing', 'VALUES (1), (2)'];
    await session.queryTogether(['CREATE TABLE public.a ()', ...returns, `COMMENT ON TABLE public.a IS 'ß'`]);
    expect(await session.query(`SELECT obj_description('public.a'::regclass) AS said`)).toEqual([{ said: 'ß' }]);
    await session.queryTogether([]);
    expect(await session.query(there)).toEqual([{ name: 'a' }]);
  }));

test.each([
  ['it is wrong', 'SELECT 1/0', 'division by zero'],
  ['it is two', 'CREATE TABLE public.b (); CREATE TABLE public.c ()', 'cannot insert multiple commands into a prepared statement'],
])('none is done where one fails because %s, and the session goes on', (_, text, said) =>
  withSession(async (session) => {
    await expect(session.queryTogether(['CREATE TABLE public.a ()', text, 'CREATE TABLE public.d ()'])).rejects.toThrow(said);
    expect(await session.query(there)).toEqual([]);
    await expect(session.queryTogether(['CREATE TABLE public.a ()', text])).rejects.toThrow(said);
    expect(await session.query(there)).toEqual([]);
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }),
);

test('one that wants rows gets none', () =>
  withSession(async (session) => {
    await expect(session.queryTogether(['CREATE TABLE public.a ()', 'COPY public.a FROM STDIN'])).rejects.toThrow('there are no rows');
    expect(await session.query(there)).toEqual([]);
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // What comes behind it is not what the server waits for: it ends the session.
    const texts = ['CREATE TABLE public.a ()', 'COPY public.a FROM STDIN', 'SELECT 1'];
    await expect(session.queryTogether(texts)).rejects.toThrow('during COPY from stdin');
    await expect(session.query(there)).rejects.toThrow();
  }));

test('RESET ROLE goes back to the role of the session, as it does for one statement', async () => {
  await using role = await createRole();
  await using db = await createDatabase();
  await db.run(`CREATE SCHEMA a AUTHORIZATION ${role.name}; GRANT CREATE ON SCHEMA a TO pg_monitor; GRANT pg_monitor TO ${role.name}`);
  const connection = { ...resolveConnection(db.url, patience), role: role.name };
  await using session = await openSession(connection, { use: 'write' });
  await session.queryTogether(['SET ROLE pg_monitor', 'CREATE TABLE a.x ()', 'RESET ROLE', 'CREATE TABLE a.y ()']);
  expect(await db.query(`SELECT tablename AS name, tableowner AS owner FROM pg_tables WHERE schemaname = 'a' ORDER BY 1`)).toEqual([
    { name: 'x', owner: 'pg_monitor' },
    { name: 'y', owner: role.name },
  ]);
});

test('a lost connection is told', () =>
  withSession(async (session) => {
    const lost = session.queryTogether(['CREATE TABLE public.a ()', 'SELECT pg_terminate_backend(pg_backend_pid())', 'SELECT 1']);
    await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(session.queryTogether(['SELECT 1'])).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  }));
