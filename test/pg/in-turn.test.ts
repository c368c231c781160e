import { expect, test } from 'vitest';
import { inTurn } from '#dist/pg/in-turn.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, eventually, patience } from '../server/index.js';

/** A session whose answers are given by hand. */
function slowSession() {
  const sent: string[] = [];
  const answers = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const query = <Row>(text: string): Promise<Row[]> => {
    sent.push(text);
    return new Promise((resolve, reject) => {
      answers.set(text, { resolve: () => resolve([{ text }] as Row[]), reject });
    });
  };
  return { session: { query }, sent, answers };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('two statements are under way at once, in the order in which they were asked for', async () => {
  const { session, sent, answers } = slowSession();
  const turns = inTurn(session);
  const all = Promise.all(['a', 'b', 'c', 'd'].map((text) => turns.query(text)));
  await turn();
  expect(sent).toEqual(['a', 'b']);
  answers.get('a')?.resolve();
  await turn();
  expect(sent).toEqual(['a', 'b', 'c']);
  answers.get('b')?.resolve();
  answers.get('c')?.resolve();
  await turn();
  answers.get('d')?.resolve();
  expect(await all).toEqual([[{ text: 'a' }], [{ text: 'b' }], [{ text: 'c' }], [{ text: 'd' }]]);
});

test('after one that fails none is sent, and all that come after it throw what it threw', async () => {
  const { session, sent, answers } = slowSession();
  const turns = inTurn(session);
  const all = Promise.allSettled(['a', 'b', 'c', 'd'].map((text) => turns.query(text)));
  await turn();
  answers.get('a')?.reject(new Error('a failed'));
  answers.get('b')?.reject(new Error('the transaction has failed'));
  const results = await all;
  expect(sent).toEqual(['a', 'b']);
  expect(results).toEqual(Array(4).fill({ status: 'rejected', reason: new Error('a failed') }));
  await expect(turns.query('e')).rejects.toThrow('a failed');
});

test('a pipelined session tells the failure, and not what the server says to what was on its way', async () => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', pipelined: true });
  await session.query('BEGIN');
  const turns = inTurn(session);
  const all = await Promise.allSettled(['SELECT 1 AS one', 'SELECT 1 / 0', 'SELECT 2', 'SELECT 3'].map((text) => turns.query(text)));
  expect(all[0]).toEqual({ status: 'fulfilled', value: [{ one: 1 }] });
  const division = { status: 'rejected', reason: expect.objectContaining({ message: expect.stringContaining('division by zero') }) };
  expect(all.slice(1)).toEqual([division, division, division]);
  await session.query('ROLLBACK');
  expect(await session.query('SELECT 4 AS four')).toEqual([{ four: 4 }]);
});

test('closing a pipelined session does not wait for what is under way', async () => {
  await using db = await createDatabase();
  const session = await openSession(resolveConnection(db.url, patience), { use: 'read', applicationName: 'sleeper', pipelined: true });
  const answers = Promise.allSettled([session.query('SELECT pg_sleep(100000)'), session.query('SELECT 1')]);
  const active = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'sleeper' AND wait_event = 'PgSleep'`;
  const count = async (): Promise<number | undefined> => (await db.query<{ n: number }>(active))[0]?.n;
  await eventually('the statement is under way', async () => (await count()) === 1);
  await session.close();
  for (const { status } of await answers) expect(status).toBe('rejected');
  await eventually('the session is gone', async () => (await count()) === 0);
});
