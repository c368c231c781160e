// What fails only when all the rows are there: ANALYZE of an expression that its rows are wrong for, which is told and ends nothing, privileges on
// what a newer server has no more, and a materialized view whose query has come to give rows that its unique index refuses.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase, oldestHere } from '../../server/index.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-late-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('ANALYZE that fails is told, and the restore goes on', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE of_text (a text, b text);
    CREATE STATISTICS as_numbers ON (a::integer), b FROM of_text;
    INSERT INTO of_text VALUES ('not a number', 'b');
    CREATE TABLE plain (a integer);
    INSERT INTO plain VALUES (1), (2);`);
  const file = join(folder, 'analyze.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase();
  // The first into an empty database, the second in one transaction.
  for (const truncate of [false, true]) {
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => (event.type === 'notice' ? notices.push(event.message) : 0);
    const { rows } = await restoreSnapshot({ database: target.url, file, truncate, onEvent });
    expect(rows).toBe(3n);
    expect(notices).toEqual([expect.stringMatching(/ANALYZE (ONLY )?"public"\."of_text": .*invalid input syntax for type integer/)]);
    expect(await target.query('SELECT a FROM of_text')).toEqual([{ a: 'not a number' }]);
    expect(await target.query(`SELECT reltuples FROM pg_class WHERE relname = 'plain'`)).toEqual([{ reltuples: 2 }]);
  }
});

test('a materialized view that cannot be filled again says what to do', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE t (a integer);
    INSERT INTO t VALUES (1);
    CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
    CREATE UNIQUE INDEX ON m (a);
    INSERT INTO t VALUES (1);`);
  const file = join(folder, 'refresh.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase();
  await expect(restoreSnapshot({ database: target.url, file })).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringContaining('refresh of materialized view public.m'),
    hint: expect.stringContaining('--exclude-table-data'),
  });
});

test('privileges on what the server or an extension has no more are told, and the restore goes on', async () => {
  await using source = await createDatabase({ version: oldestHere });
  // Up to 15 pg_get_publication_tables takes one name; up to 17 postgres_fdw_get_connections takes nothing.
  await source.run(`ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC; CREATE EXTENSION postgres_fdw;
    GRANT EXECUTE ON FUNCTION pg_get_publication_tables(text) TO pg_monitor; GRANT SELECT (rolname) ON pg_authid TO pg_monitor; CREATE SCHEMA s;
    GRANT USAGE ON SCHEMA s TO pg_monitor`);
  const file = join(folder, 'privileges.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase({ version: 18 });
  for (const again of [{}, { clean: true, ifExists: true }]) {
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => (event.type === 'notice' ? notices.push(event.message) : 0);
    await restoreSnapshot({ database: target.url, file, onEvent, ...again });
    expect(notices).toEqual([
      expect.stringMatching(
        /^privileges on function pg_catalog\.pg_get_publication_tables\("text"\) are left out: the server has no such object: /,
      ),
      expect.stringMatching(/^privileges on function public\.postgres_fdw_get_connections\(\) are left out: /),
    ]);
    const granted = `SELECT 1 FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'pg_authid'::regclass AND grantee = 'pg_monitor'::regrole
      UNION ALL SELECT 1 FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 's' AND grantee = 'pg_monitor'::regrole`;
    expect(await target.query(granted)).toHaveLength(2);
  }
});

test('children without the NOT NULL of their parents come into servers that have no such thing, and it is told', async () => {
  await using source = await createDatabase({ version: oldestHere });
  await source.run(`CREATE SCHEMA "s "" s"; SET search_path = "s "" s"; CREATE TABLE top ("a "" a" int NOT NULL, b int NOT NULL, c int NOT NULL);
    CREATE TABLE middle () INHERITS (top); CREATE TABLE strict () INHERITS (middle); CREATE TABLE lenient () INHERITS (middle);
    ALTER TABLE lenient ALTER "a "" a" DROP NOT NULL, ALTER b DROP NOT NULL; INSERT INTO lenient VALUES (NULL, NULL, 1);
    CREATE TABLE under () INHERITS (lenient); CREATE TABLE under_strict () INHERITS (lenient); ALTER TABLE under_strict ALTER b SET NOT NULL`);
  const file = join(folder, 'lenient.tar.zst');
  await takeSnapshot({ database: source.url, file });
  for (const again of [{}, { clean: true, ifExists: true }]) {
    await using target = await createDatabase({ version: 18 });
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => (event.type === 'notice' ? notices.push(event.message) : 0);
    if ('clean' in again) await target.run('CREATE TABLE other ()');
    await restoreSnapshot({ database: target.url, file, onEvent, ...again });
    expect(notices).toHaveLength(4);
    expect(notices[0]).toBe(
      'table s " s.top: NOT NULL of column "a "" a" is not inherited any more, as its child "s "" s"."lenient" goes without',
    );
    expect(await target.query('SELECT b, c FROM "s "" s".lenient')).toEqual([{ b: null, c: 1 }]);
    const columns = `SELECT c.relname, string_agg(a.attname, ',' ORDER BY a.attnum) AS strict FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE a.attnotnull AND a.attnum > 0 AND c.relkind = 'r' AND c.relnamespace = '"s "" s"'::regnamespace GROUP BY 1 ORDER BY 1`;
    const all = 'a " a,b,c';
    expect(await target.query(columns)).toEqual([
      { relname: 'lenient', strict: 'c' },
      { relname: 'middle', strict: all },
      { relname: 'strict', strict: all },
      { relname: 'top', strict: all },
      { relname: 'under', strict: 'c' },
      { relname: 'under_strict', strict: 'b,c' },
    ]);
  }
});
