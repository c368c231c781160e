// Rows that are text in one snapshot and binary in the other are compared as text, where it is known how their values are written.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffSnapshots } from '#dist/app/diff/diff-snapshots.js';
import { NotAsText, TextOfRows } from '#dist/app/diff/text-of-rows.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { Snapshots } from './snapshots.js';

let snapshots: Snapshots;
let db: TestDatabase;

// Whole ranges of values, not only those that somebody thought of.
beforeAll(async () => {
  snapshots = await Snapshots.make();
  db = await createDatabase();
  await db.run(`CREATE TABLE t AS SELECT g AS id, hashint4(g) AS i, (hashint4(g) % 32768)::int2 AS s, hashint8extended(g, 0) AS l, g % 2 = 0 AS b,
      round(hashint8extended(g, 2)::numeric * power(10::numeric, g % 80 - 40), g % 50) AS n, (hashint4(g) % 100000000 / 100.0)::numeric(10, 2) AS price,
      '2000-01-01'::date + hashint4(g) % 1000000 AS day, '2000-01-01'::timestamp + hashint8extended(g, 3) % 100000000000000000 * interval '1 us' AS at,
      '2000-01-01'::timestamptz + hashint8extended(g, 4) % 60000000000000000 * interval '1 us' AS attz, make_time(abs(hashint4(g) % 24), abs(g % 60), (g % 60000) / 1000.0) AS clock,
      md5(g::text)::uuid AS u, sha256(g::text::bytea) AS h, CASE WHEN g % 3 > 0 THEN chr(1 + g % 50000) || E'\\\\\\t\\n' || md5(g::text) END AS w,
      jsonb_build_object('a', g, 'b', chr(1 + g % 50000)) AS j, (g % 7)::text::char(5) AS c
    FROM generate_series(1, 20000) AS g;
    CREATE TABLE address (n int, v inet); INSERT INTO address VALUES (1, '10.0.0.1');
    CREATE TABLE page (n int, v xml); INSERT INTO page VALUES (1, '<?xml version="1.0" encoding="UTF-8"?><a/>');
    CREATE TABLE part (n int, v real); INSERT INTO part VALUES (1, 147719.125); CREATE TABLE whole (n int, v float8); INSERT INTO whole VALUES (1, 25071423642517130)`);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await snapshots[Symbol.asyncDispose]();
});

test('the same rows are equal, whichever has which form', async () => {
  const [text, binary] = [
    await snapshots.of(db, { copyFormat: 'text', tables: ['t'] }),
    await snapshots.of(db, { copyFormat: 'binary', tables: ['t'] }),
  ];
  const same = { equal: true, tables: [{ name: 't', rowsBefore: 20_000n, rowsAfter: 20_000n, added: 0n, removed: 0n, equal: true }] };
  expect(await diffSnapshots({ a: text, b: binary })).toMatchObject(same);
  expect(await diffSnapshots({ a: binary, b: text, rows: 3 })).toMatchObject(same);
});

test('rows that differ are counted and told alike', async () => {
  await using changed = await createDatabase();
  await changed.run(
    "CREATE TABLE t (id int, price numeric(10, 2), word text); INSERT INTO t VALUES (1, 1.50, NULL), (2, 2, E'a\\tb'), (2, 2, E'a\\tb')",
  );
  const before = await snapshots.of(changed, { copyFormat: 'binary' });
  await changed.run(
    "UPDATE t SET price = 1.51 WHERE id = 1; DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t WHERE id = 2); INSERT INTO t VALUES (3, 0, '')",
  );
  const after = await snapshots.of(changed, { copyFormat: 'text' });
  const expected = { removed: ['1\t1.50\t\\N', '2\t2.00\ta\\tb'], added: ['1\t1.51\t\\N', '3\t0.00\t'] };
  expect((await diffSnapshots({ a: before, b: after, rows: 5 })).tables).toMatchObject([{ added: 2n, removed: 2n, samples: expected }]);
  expect((await diffSnapshots({ a: after, b: before, rows: 5 })).tables).toMatchObject([
    { added: 2n, removed: 2n, samples: { removed: expected.added, added: expected.removed } },
  ]);
});

// Of floating point there may be two of the shortest texts.
test.each(['address', 'page', 'part', 'whole'])('where it is not known how a type is written, the reason is told: %s', async (table) => {
  const a = await snapshots.of(db, { copyFormat: 'text', tables: [table] });
  const b = await snapshots.of(db, { copyFormat: 'binary', tables: [table] });
  expect(await diffSnapshots({ a, b })).toMatchObject({
    equal: false,
    tables: [{ reason: 'its rows are written as text and as binary' }],
  });
});

test('nor where one value cannot be written', async () => {
  await using far = await createDatabase();
  await far.run("CREATE TABLE t (id int, day date); INSERT INTO t VALUES (1, '2026-01-01'), (2, '5000000-01-01')");
  const [a, b] = [await snapshots.of(far, { copyFormat: 'text' }), await snapshots.of(far, { copyFormat: 'binary' })];
  expect(await diffSnapshots({ a, b })).toMatchObject({
    equal: false,
    tables: [{ rowsBefore: 2n, rowsAfter: 2n, equal: false, reason: /has a value that cannot be compared so/ }],
  });
});

describe('a row in pieces', () => {
  const row = Buffer.concat([Buffer.from([0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 3]), Buffer.from('a\tb')]);
  const columns = [
    { name: 'n', type: 'integer' },
    { name: 'w', type: 'text' },
  ];

  test('is one, wherever they end', () => {
    for (let cut = 0; cut <= row.length; cut += 1) {
      const told: string[] = [];
      const sink = new TextOfRows(columns, { piece: (bytes, last) => told.push(`${bytes} ${last}`) });
      sink.piece(row.subarray(0, cut), false);
      sink.piece(row.subarray(cut), true);
      sink.piece(row, true);
      expect(told).toEqual(['7\ta\\tb true', '7\ta\\tb true']);
    }
  });

  test('of a type that is not known is refused', () => {
    const sink = new TextOfRows([{ name: 'n', type: 'inet' }], { piece: () => undefined });
    expect(() => sink.piece(Buffer.from([0, 1, 0, 0, 0, 1, 9]), true)).toThrow(NotAsText);
  });
});
