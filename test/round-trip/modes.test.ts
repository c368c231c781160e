// Less than everything: the schema alone, the rows alone, chosen tables, tables without their rows, partitions to any depth, a pipe.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { type Contents, readContents } from './contents.js';
import { archiveOf, pipe, restored } from './cycle.js';

const shop = `
  CREATE SCHEMA shop; CREATE SCHEMA audit;
  SET search_path = shop;
  CREATE TYPE state AS ENUM ('open', 'closed');
  CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE SEQUENCE invoice_numbers START 1000;
  CREATE FUNCTION code() RETURNS text LANGUAGE sql AS $$SELECT 'a code'$$;
  CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, referred_by int REFERENCES customers);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers, state state, total amount, invoice bigint DEFAULT nextval('invoice_numbers'), code text DEFAULT code());
  CREATE TABLE items (order_id bigint REFERENCES orders ON DELETE CASCADE, line int, label text, PRIMARY KEY (order_id, line));
  ALTER TABLE orders ADD first_line int, ADD FOREIGN KEY (id, first_line) REFERENCES items (order_id, line) DEFERRABLE INITIALLY DEFERRED;
  CREATE TABLE audit.log (at timestamptz DEFAULT '2020-01-01Z', what text);
  CREATE FUNCTION audit.write() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO audit.log (what) VALUES (TG_TABLE_NAME || ' ' || NEW.id); NEW.total := NEW.total + 1; RETURN NEW; END$$;
  CREATE TRIGGER logged BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit.write();
  CREATE TRIGGER disabled BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit.write();
  ALTER TABLE orders DISABLE TRIGGER disabled;
  CREATE VIEW open_orders AS SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer WHERE o.state = 'open';
  CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
  CREATE TABLE events (at date, kind text, n int) PARTITION BY RANGE (at);
  CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (kind);
  CREATE TABLE events_2020_a PARTITION OF events_2020 FOR VALUES IN ('a') PARTITION BY HASH (n);
  CREATE TABLE events_2020_a_0 PARTITION OF events_2020_a FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE events_2020_a_1 PARTITION OF events_2020_a FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE events_2020_rest PARTITION OF events_2020 DEFAULT;
  CREATE TABLE audit.events_rest PARTITION OF events DEFAULT;
  INSERT INTO customers (name, referred_by) VALUES ('first', 2), ('second', 1), ('third', 3);
  INSERT INTO orders (customer, state, total) SELECT 1 + g % 3, (ARRAY['open', 'closed'])[1 + g % 2]::state, g FROM generate_series(1, 30) g;
  INSERT INTO items SELECT 1 + g % 30, g, 'item ' || g FROM generate_series(1, 100) g;
  UPDATE orders SET first_line = (SELECT min(line) FROM items WHERE order_id = orders.id);
  INSERT INTO events SELECT '2020-01-01'::date + g, (ARRAY['a', 'b', 'c'])[1 + g % 3], g FROM generate_series(0, 500) g;
  REFRESH MATERIALIZED VIEW totals`;

let source: TestDatabase;
let whole: Contents;
beforeAll(async () => {
  source = await createDatabase();
  await source.run(shop);
  whole = await readContents(source);
});
afterAll(() => source.drop());

/** The tables that have rows. */
function filled({ rows }: Contents): readonly string[] {
  return Object.keys(rows).filter((name) => (rows[name]?.length ?? 0) > 0);
}

const eventParts = ['audit.events_rest', 'shop.events_2020_a_0', 'shop.events_2020_a_1', 'shop.events_2020_rest'];

test('the schema alone, then its rows', async () => {
  await using schema = await archiveOf(source, { schemaOnly: true });
  await using target = await restored(schema);
  expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  const bare = await readContents(target);
  expect(filled(bare)).toEqual(['shop.totals']);
  expect(bare.rows['shop.totals']).toEqual(['not populated']);
  expect(bare.sequences['shop.invoice_numbers']).toBe('1000 false');

  // Triggers are there that would write to the log and change totals, and foreign keys in a circle.
  await using rows = await archiveOf(source, { dataOnly: true });
  await restoreSnapshot({ database: target.url, file: rows.file });
  await target.run('REFRESH MATERIALIZED VIEW shop.totals');
  expect(await readContents(target)).toEqual(whole);
  expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
});

test('the rows of a whole archive, into tables that are there, once more instead of what they hold', async () => {
  await using archive = await archiveOf(source);
  await using target = await restored(archive, { schemaOnly: true });
  await restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true });
  await target.run(`UPDATE shop.orders SET total = 0; DELETE FROM shop.events WHERE n % 2 = 0; INSERT INTO audit.log (what) VALUES ('x')`);
  await restoreSnapshot({ database: target.url, file: archive.file, truncate: true, jobs: 2 });
  await target.run('REFRESH MATERIALIZED VIEW shop.totals');
  expect(await readContents(target)).toEqual(whole);
});

test('a table with what it depends on', async () => {
  const options = { tables: ['shop.orders'] };
  await using chosen = await archiveOf(source, options);
  await using all = await archiveOf(source);
  for (const into of [
    { archive: chosen, restore: {} },
    { archive: all, restore: options },
  ]) {
    await using target = await restored(into.archive, into.restore);
    const contents = await readContents(target);
    expect(contents.rows).toEqual({ 'shop.orders': whole.rows['shop.orders'] });
    expect(contents.sequences).toEqual({
      'shop.invoice_numbers': whole.sequences['shop.invoice_numbers'],
      'shop.orders_id_seq': whole.sequences['shop.orders_id_seq'],
    });
    expect(await target.query(`SELECT conname FROM pg_constraint WHERE contype = 'f'`)).toEqual([]);
    expect(await target.query(`SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`)).toEqual([
      { tgname: 'disabled' },
      { tgname: 'logged' },
    ]);
  }
});

describe('partitions', () => {
  test.each([
    ['the root', ['shop.events'], eventParts],
    ['one in the middle', ['shop.events_2020_a'], ['shop.events_2020_a_0', 'shop.events_2020_a_1']],
    ['a leaf', ['shop.events_2020_a_1'], ['shop.events_2020_a_1']],
  ] as const)('%s', async (_what, tables, expected) => {
    await using archive = await archiveOf(source, { tables });
    await using target = await restored(archive);
    const { rows } = await readContents(target);
    expect(rows).toEqual(Object.fromEntries(expected.map((name) => [name, whole.rows[name]])));
  });

  test('without one of them', async () => {
    await using archive = await archiveOf(source, { tables: ['shop.events'], excludeTables: ['shop.events_2020_a'] });
    await using target = await restored(archive);
    expect(Object.keys((await readContents(target)).rows)).toEqual(['audit.events_rest', 'shop.events_2020_rest']);
  });
});

test('all but the rows of some', async () => {
  await using archive = await archiveOf(source, { excludeTableData: ['shop.events', 'audit.log'] });
  await using target = await restored(archive);
  expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  const without = new Set(['audit.log', ...eventParts]);
  const rows = Object.fromEntries(Object.entries(whole.rows).map(([name, texts]) => [name, without.has(name) ? [] : texts]));
  expect(await readContents(target)).toEqual({ ...whole, rows });
});

test('one schema of two', async () => {
  await using archive = await archiveOf(source, { schemas: ['audit'] });
  await using target = await restored(archive);
  expect(Object.keys((await readContents(target)).rows)).toEqual(['audit.events_rest', 'audit.log']);
});

test.each([1, 3])('through a pipe, with %i at work', async (jobs) => {
  await using target = await createDatabase();
  await pipe(source, target, { snapshot: { jobs }, restore: { jobs } });
  expect(await readContents(target)).toEqual(whole);
  expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  await pipe(source, target, { snapshot: { jobs }, restore: { jobs, truncate: true } });
  expect((await readContents(target)).rows).toEqual(whole.rows);
});

test('rows that a hash of an enum spreads', async () => {
  await using own = await createDatabase();
  await own.run(`
    CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'grey', 'black', 'white');
    CREATE TABLE spread (a colour, n int) PARTITION BY HASH (a);
    CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY HASH (a);
    CREATE TABLE spread_0_0 PARTITION OF spread_0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO spread SELECT c, g FROM generate_series(1, 10) g, unnest(enum_range(NULL::colour)) c`);
  const before = await readContents(own);
  await using archive = await archiveOf(own);
  await using target = await restored(archive, { jobs: 2 });
  expect(await readContents(target)).toEqual(before);
  await restoreSnapshot({ database: target.url, file: archive.file, truncate: true });
  expect(await readContents(target)).toEqual(before);
  // Alone, a partition is an ordinary table, which takes its rows itself.
  await using alone = await restored(archive, { tables: ['spread_1'] });
  expect(await alone.query('SELECT * FROM spread_1 ORDER BY a, n')).toEqual(await own.query('SELECT * FROM spread_1 ORDER BY a, n'));
});
