// One instant: while others move money and write it down, truncate, refill and alter, what a snapshot holds is of one moment, or the
// snapshot says that it could not be had. A short slice; the long run is for the tests of faults.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { TidemarkError } from '#dist/model/errors.js';
import { createDatabase, type TestClient, type TestDatabase } from '../server/index.js';
import { type Archive, archiveOf, restored } from './cycle.js';

let source: TestDatabase;
let archives: Archive[];
beforeEach(async () => {
  source = await createDatabase();
  archives = [];
});
afterEach(async () => {
  for (const archive of archives) await archive[Symbol.asyncDispose]();
  await source.drop();
});

/** Sessions that do the same over and over until the work is done. What `act` throws ends the test. */
async function whileOthers<T>(
  count: number,
  act: (session: TestClient, turn: number) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  let done = false;
  const other = async (place: number): Promise<void> => {
    await using session = await source.connect();
    for (let turn = place; !done; turn += count) await act(session, turn);
  };
  const others = Array.from({ length: count }, (_, place) => other(place));
  const outcome = work().finally(() => {
    done = true;
  });
  await Promise.all([outcome, ...others]);
  return outcome;
}

// Filler, so that the tables take a while to read: what is written meanwhile must stay away.
const bank = `
  CREATE TABLE balances (account int PRIMARY KEY, amount bigint NOT NULL, filler text);
  CREATE TABLE ledger (id bigserial, account int REFERENCES balances, change bigint);
  INSERT INTO balances SELECT g, 1000, repeat(md5(g::text), 50) FROM generate_series(1, 3000) g;
  INSERT INTO ledger (account, change) SELECT g, 1000 FROM generate_series(1, 3000) g;
  CREATE FUNCTION move(a int, b int, amount int) RETURNS void LANGUAGE sql AS $$
    UPDATE balances SET amount = balances.amount - move.amount WHERE account = least(a, b);
    UPDATE balances SET amount = balances.amount + move.amount WHERE account = greatest(a, b);
    INSERT INTO ledger (account, change) VALUES (least(a, b), -amount), (greatest(a, b), amount)$$`;

const books = `
  SELECT sum(b.amount)::int AS total, sum(l.entries)::int AS entries, count(*) FILTER (WHERE b.amount <> l.amount)::int AS wrong
    FROM balances b FULL JOIN (SELECT account, count(*) AS entries, sum(change) AS amount FROM ledger GROUP BY account) l ON l.account = b.account`;

test('four move money between accounts while snapshots with 1, 2 and 4 workers are taken', async () => {
  await source.run(bank);
  const move = async (session: TestClient, turn: number): Promise<void> => {
    const account = 1 + ((turn * 7919) % 2999);
    await session.query('SELECT move($1, $2, $3)', [account, account + 1 + (turn % (3000 - account)), turn % 100]);
  };
  await whileOthers(4, move, async () => {
    for (const jobs of [1, 2, 4, 1, 2, 4]) archives.push(await archiveOf(source, { jobs }));
  });
  const entries: number[] = [];
  for (const archive of archives) {
    await using target = await restored(archive, { jobs: 2 });
    const [row] = await target.query<{ total: number; entries: number; wrong: number }>(books);
    expect(row).toMatchObject({ total: 3_000_000, wrong: 0 });
    entries.push(row?.entries ?? 0);
  }
  // The writers were at work, or this would show nothing.
  expect(new Set(entries).size).toBeGreaterThan(1);
  expect(entries).toEqual(entries.toSorted((a, b) => a - b));
}, 120_000);

// Twins are written together, in one transaction: whatever moment it is, they are the same, in rows and in columns.
const twins = `
  CREATE TABLE a (id int, x int); CREATE TABLE b (id int, x int);
  INSERT INTO a SELECT g, 0 FROM generate_series(1, 2000) g; INSERT INTO b TABLE a`;

const refill = (turn: number): string => `
  BEGIN; TRUNCATE a; TRUNCATE b;
  INSERT INTO a (id, x) SELECT g, ${turn} FROM generate_series(1, ${1000 + (turn % 7)}) g; INSERT INTO b (id, x) SELECT id, x FROM a; COMMIT`;
const alter = (turn: number): string => `
  BEGIN; ALTER TABLE a ADD COLUMN c${turn} int DEFAULT ${turn}; ALTER TABLE b ADD COLUMN c${turn} int DEFAULT ${turn};
  ALTER TABLE a ALTER x TYPE ${turn % 4 < 2 ? 'bigint' : 'int'}; ALTER TABLE b ALTER x TYPE ${turn % 4 < 2 ? 'bigint' : 'int'}; COMMIT`;

/** Twins agree in rows and columns. Gives what they hold. */
async function expectTwins(archive: Archive): Promise<string> {
  await using target = await restored(archive);
  const rows = async (name: string): Promise<string> => JSON.stringify(await target.query(`SELECT * FROM ${name} ORDER BY id`));
  const moment = await rows('a');
  expect(await rows('b')).toBe(moment);
  const [a, b] = archive.manifest.tables;
  expect(a?.columns).toEqual(b?.columns);
  return moment;
}

/** A snapshot, or the error that says why there is none. */
async function attempt(options: Partial<SnapshotOptions>): Promise<void> {
  try {
    archives.push(await archiveOf(source, options));
  } catch (error) {
    expect(error).toBeInstanceOf(TidemarkError);
    expect(['CONCURRENT_DDL', 'LOCK_TIMEOUT']).toContain((error as TidemarkError).code);
  }
}

test('twin tables are truncated, refilled and altered in every phase of a snapshot', async () => {
  await source.run(twins);
  await using session = await source.connect();
  const phases = ['connect', 'lock', 'schema', 'rows', 'publish'];
  for (let turn = 0; turn < 10; turn += 1) {
    let changed: Promise<unknown> | undefined;
    const onEvent: SnapshotOptions['onEvent'] = (event) => {
      if (event.type === 'phase' && event.phase === phases[turn % 5]) changed ??= session.query(turn < 5 ? refill(turn) : alter(turn));
    };
    await attempt({ jobs: 1 + (turn % 2), onEvent });
    await changed;
  }
  expect(archives.length).toBeGreaterThan(5);
  const moments = new Set<string>();
  for (const archive of archives) moments.add(await expectTwins(archive));
  expect(moments.size).toBeGreaterThan(5);
}, 120_000);

test('twin tables are truncated, refilled and altered all the time', async () => {
  await source.run(twins);
  const change = (session: TestClient, turn: number): Promise<unknown> =>
    session.query(turn % 3 === 2 && turn < 600 ? alter(turn) : refill(turn));
  await whileOthers(1, change, async () => {
    for (const jobs of [1, 2]) await attempt({ jobs, attempts: 2 });
  });
  for (const archive of archives) await expectTwins(archive);
}, 120_000);

test('who wants a table for himself waits until the snapshot has read it, whenever he comes', async () => {
  await source.run(`
    CREATE TABLE first AS SELECT g AS id, repeat(md5(g::text), 100) AS filler FROM generate_series(1, 5000) g;
    CREATE TABLE last AS SELECT 1 AS id`);
  let changed: Promise<unknown> | undefined;
  await using session = await source.connect();
  const onEvent: SnapshotOptions['onEvent'] = (event) => {
    if (event.type === 'phase' && event.phase === 'rows') changed = session.query('ALTER TABLE last ADD added int; TRUNCATE last');
    // All of the first table was read, the last one not yet: the worker that reads it has no lock to wait for.
    if (event.type === 'table' && event.name === 'first') expect(changed).toBeDefined();
  };
  const archive = await archiveOf(source, { jobs: 1, attempts: 1, lockTimeoutMs: 0, onEvent });
  archives.push(archive);
  await changed;
  expect(archive.manifest.tables.map(({ name, rows }) => [name, rows])).toEqual([
    ['first', 5000n],
    ['last', 1n],
  ]);
});
