// Partitions that are complete are exported once and referred to afterwards, for as long as nothing of them has changed; what changed is
// exported again, however it was changed.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';
import { addThousand, contents, makeIndexer, referred, take } from './completed-partitions-sample.js';

let folder: TemporaryDirectory;
beforeAll(async () => {
  folder = await temporaryDirectory();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

let count = 0;
const newFile = (): string => join(folder.path, `s-${count++}.tar.zst`);

async function expectRestored(db: TestDatabase, file: string): Promise<void> {
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  expect(await contents(target)).toEqual(await contents(db));
}

describe('a series', () => {
  test('later snapshots are small, and the newest restores to what the database is', async () => {
    await using db = await makeIndexer();
    const first = await take(db, newFile());
    expect(first.manifest.archives).toBeUndefined();
    const done = (names: readonly string[]): readonly string[] => [...names].sort();
    const zero = done(['events_0', 'moves_0_a', 'moves_0_b']);
    const one = done(['events_1000', 'moves_1000_a', 'moves_1000_b']);
    const two = done(['events_2000', 'moves_2000_a', 'moves_2000_b']);
    expect(
      first.manifest.tables
        .filter(({ completed }) => completed)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(done([...zero, ...one]));
    await db.run(addThousand(2000));
    const second = await take(db, newFile(), first.file);
    expect(referred(second.manifest)).toEqual({ 's-0.tar.zst': done([...zero, ...one]) });
    await db.run(`${addThousand(3000)} DELETE FROM blocks WHERE height > 3500`);
    const third = await take(db, newFile(), second.file);
    expect(referred(third.manifest)).toEqual({ 's-0.tar.zst': done([...zero, ...one]), 's-1.tar.zst': two });
    expect(third.notices).toContainEqual(
      expect.stringMatching(/^9 completed partitions \(15,000 rows, .*\) are as they were, and stay in 2 other archives$/),
    );
    const own = (manifest: typeof third.manifest) =>
      manifest.tables
        .filter((table) => table.in === undefined && table.rows > 0n)
        .map(({ name }) => name)
        .sort();
    expect(own(third.manifest)).toEqual(['blocks', 'events_3000', 'moves_3000_a', 'moves_3000_b']);
    const fourth = await take(db, newFile(), third.file);
    // 3000 is not complete at 3500: it is exported again, and is no candidate.
    expect(own(fourth.manifest)).toEqual(own(third.manifest));
    expect(fourth.manifest.tables.find(({ name }) => name === 'events_3000')?.completed).toBeUndefined();
    expect(fourth.bytes).toBeLessThan(first.bytes);
    expect(fourth.manifest.totals.rows).toBe(15000n + 5000n + 3501n);
    await expectRestored(db, fourth.file);
    expect(await verifySnapshot({ file: fourth.file })).toMatchObject({
      others: [
        { file: 's-0.tar.zst', chunks: 6 },
        { file: 's-1.tar.zst', chunks: 3 },
      ],
    });
  });
});

/** What is done between two snapshots, and which of the partitions are exported again. */
const changes: readonly (readonly [what: string, sql: string, again: readonly string[]])[] = [
  ['nothing', 'SELECT 1', []],
  ['an update', `UPDATE events SET kind = 'new' WHERE height = 5 AND n = 1`, ['events_0']],
  ['an update that changes nothing', 'UPDATE moves SET payload = payload WHERE height = 7', ['moves_0_b']],
  [
    'a row deleted and put in again',
    'WITH gone AS (DELETE FROM moves WHERE height = 8 RETURNING *) INSERT INTO moves SELECT * FROM gone',
    ['moves_0_a'],
  ],
  ['a row deleted', 'DELETE FROM events WHERE height = 1999 AND n = 4', ['events_1000']],
  [
    'truncated and loaded again',
    'CREATE TABLE kept AS TABLE events_0; TRUNCATE events_0; INSERT INTO events_0 TABLE kept; DROP TABLE kept',
    ['events_0'],
  ],
  [
    'truncated and loaded again in one transaction',
    'BEGIN; CREATE TABLE kept AS TABLE events_0; TRUNCATE events_0; INSERT INTO events_0 TABLE kept; DROP TABLE kept; COMMIT',
    ['events_0'],
  ],
  ['a label of an enum renamed', `ALTER TYPE status RENAME VALUE 'done' TO 'finished'`, ['events_0', 'events_1000']],
  ['another enum', `CREATE TYPE other AS ENUM ('x'); ALTER TYPE other RENAME VALUE 'x' TO 'y'`, []],
  ['a column with a default', 'ALTER TABLE events ADD COLUMN extra int DEFAULT 7', ['events_0', 'events_1000']],
  ['a column renamed', 'ALTER TABLE moves RENAME payload TO load', ['moves_0_a', 'moves_0_b', 'moves_1000_a', 'moves_1000_b']],
  ['a type changed without writing', 'ALTER TABLE events ALTER l TYPE text', ['events_0', 'events_1000']],
  ['a column dropped', 'ALTER TABLE events DROP COLUMN l', ['events_0', 'events_1000']],
  ['an index, a comment, statistics', `CREATE INDEX ON events (n); COMMENT ON TABLE events_0 IS 'x'; ANALYZE`, []],
  ['VACUUM FULL', 'VACUUM FULL events_1000', ['events_1000']],
  ['CLUSTER', 'CLUSTER events_0 USING events_0_pkey', ['events_0']],
  ['VACUUM FREEZE', 'VACUUM (FREEZE) events', []],
  ['unlogged and logged again', 'ALTER TABLE moves_0_a SET UNLOGGED; ALTER TABLE moves_0_a SET LOGGED', ['moves_0_a']],
  [
    'another table of the same name attached',
    `ALTER TABLE events DETACH PARTITION events_0; ALTER TABLE events_0 RENAME TO events_old; CREATE TABLE events_0 (LIKE events INCLUDING ALL);
     INSERT INTO events_0 SELECT * FROM events_old; UPDATE events_0 SET data = '{}' WHERE height = 3; DROP TABLE events_old;
     ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES FROM (0) TO (1000)`,
    ['events_0'],
  ],
  ['a partition moved to another schema', 'CREATE SCHEMA old; ALTER TABLE events_1000 SET SCHEMA old', ['events_1000']],
  [
    'detached and attached again',
    'ALTER TABLE events DETACH PARTITION events_0; ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES FROM (0) TO (1000)',
    [],
  ],
  ['a change that is rolled back', `BEGIN; UPDATE events SET data = NULL; ROLLBACK`, []],
  ['rows locked', 'BEGIN; SELECT count(*) FROM (SELECT 1 FROM events FOR UPDATE) x; COMMIT', []],
];
const completed = ['events_0', 'events_1000', 'moves_0_a', 'moves_0_b', 'moves_1000_a', 'moves_1000_b'];

/** What a restore would show if a change were missed; others are only about what is exported again. */
const telling = new Set([
  'an update',
  'a row deleted',
  'a label of an enum renamed',
  'a column dropped',
  'another table of the same name attached',
  'rows locked',
]);

test('one snapshot after each change, each with the one before as its base', { timeout: 240_000 }, async () => {
  await using db = await makeIndexer();
  let { file: base } = await take(db, newFile());
  for (const [what, sql, again] of changes) {
    for (const statement of sql.startsWith('BEGIN') ? [sql] : sql.split(';')) await db.run(statement);
    const { file, manifest } = await take(db, newFile(), base);
    const own = manifest.tables.filter((table) => table.in === undefined && completed.includes(table.name)).map(({ name }) => name);
    expect([what, own.sort()]).toEqual([what, [...again].sort()]);
    if (telling.has(what)) await expectRestored(db, file);
    base = file;
  }
});
