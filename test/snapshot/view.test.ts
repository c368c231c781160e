// The view of a snapshot: locks come first, and what came between the choice of the tables and their locks is seen when they are described.
import { expect, test } from 'vitest';
import { inTurn } from '#dist/pg/in-turn.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { openView } from '#dist/snapshot/view.js';
import { createDatabase, patience, type TestDatabase } from '../server/index.js';

const tables = 'CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE b (id int)';
const wanted = { sizes: true, columns: true };

/** A view of the tables, where others do something between their choice and their locks. */
async function viewAfter(
  db: TestDatabase,
  between: string,
  use: (view: Awaited<ReturnType<typeof openView>>, queries: string[]) => Promise<void>,
) {
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', pipelined: true });
  const queries: string[] = [];
  const query = session.query.bind(session);
  session.query = async (text, values) => {
    if (text.startsWith('LOCK TABLE')) await db.run(between);
    queries.push(text);
    return query(text, values);
  };
  const choose = (relations: readonly { readonly relkind: string }[]) => relations.filter(({ relkind }) => relkind === 'r') as never;
  await use(await openView(session, { choose, lockTimeoutMs: 1000, wanted }), queries);
}

test('describes the tables when it is asked to, once, and all see the same', async () => {
  await using db = await createDatabase();
  await db.run(tables);
  await viewAfter(db, 'SELECT 1', async (view, queries) => {
    expect(view.chosen.map(({ name }) => name)).toEqual(['a', 'b']);
    const before = queries.length;
    const session = { query: async <Row>(text: string): Promise<Row[]> => Promise.reject(new Error(`asked again: ${text}`)) };
    await using other = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    const described = view.describe(inTurn(other));
    expect(view.describe(session)).toBe(described);
    expect(await described).toMatchObject({
      snapshotId: view.snapshotId,
      tables: [
        { name: 'a', blocks: 1n },
        { name: 'b', blocks: 0n },
      ],
    });
    expect(queries).toHaveLength(before);
  });
});

test.each([
  ['a table that is new', 'CREATE TABLE c (id int)'],
  ['another name', 'ALTER TABLE b RENAME TO a_2; CREATE TABLE b (id int)'],
])('%s between the choice and the locks is CONCURRENT_DDL', async (_what, between) => {
  await using db = await createDatabase();
  await db.run(tables);
  await viewAfter(db, between, async (view) => {
    await using same = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    await same.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await same.query(`SET TRANSACTION SNAPSHOT '${view.snapshotId}'`);
    await expect(view.describe(inTurn(same))).rejects.toMatchObject({ code: 'CONCURRENT_DDL' });
  });
});
