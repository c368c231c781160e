// The planner's statistics through archives, from each older server to 18, judged by pg_dump --statistics-only and by our own reading of
// the catalogs; how they are left out, and what becomes of those that a server does not take. Autovacuum keeps away from all tables.
// Case 211.
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { dumpStatistics } from '../schema/judge.js';
import { createDatabase, createRole, requestedVersions, type TestDatabase, type Version } from '../server/index.js';
import { oldestHere } from '../server/version.js';
import { type Archive, archiveOf, pipe, restored } from './cycle.js';

const newest: Version = 18;
const sources = process.env.TIDEMARK_TEST_PG_VERSIONS ? requestedVersions() : [...new Set([...requestedVersions(), 16 as const])];

/** Names, values and kinds of relations that are hard to carry. */
const hostile = String.raw`
  CREATE SCHEMA "s""p'\ a,c{e";
  CREATE TYPE comp AS (a int, b text);
  CREATE TYPE mood AS ENUM ('sad', 'o,k', 'h"ap''p{y}', '');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE "s""p'\ a,c{e"."T'a""b\" ("co'l""\ n" text, plain int) WITH (autovacuum_enabled = off);
  INSERT INTO "s""p'\ a,c{e"."T'a""b\" SELECT 'x' || g % 3, g FROM generate_series(1, 60) g;
  CREATE INDEX "i'n""d\" ON "s""p'\ a,c{e"."T'a""b\" (plain, ("co'l""\ n" || 'x'));
  CREATE TABLE t (id int PRIMARY KEY, txt text, arr text[], f float8, n numeric, r int4range, mr int4multirange, m mood, c comp, cs comp[], d positive,
    j jsonb, ts timestamptz, day date, b bytea, v tsvector, nothing int, gone int, box box, bits varbit, iv interval) WITH (autovacuum_enabled = off);
  INSERT INTO t SELECT g, (ARRAY['it''s', E'new\nline', E'tab\t', 'back\slash "q"', 'NULL', '', '{a,b}', E'\\.', 'ü€😀', E'\x01'])[1 + g % 10],
    ARRAY['a', 'b"''', NULL, E'x\n' || g % 3], (ARRAY['NaN', 'Infinity', '-Infinity', '1.1', '1e-300'])[1 + g % 5]::float8,
    (ARRAY['NaN', 'Infinity', '-Infinity', '1.50', '123456789012345678901234567890'])[1 + g % 5]::numeric,
    CASE g % 9 WHEN 0 THEN 'empty' WHEN 1 THEN int4range(NULL, g) WHEN 2 THEN '(,)' WHEN 3 THEN NULL ELSE int4range(g, g + g % 7) END,
    CASE g % 7 WHEN 0 THEN '{}' ELSE int4multirange(int4range(g, g + 2), int4range(g + 10, NULL)) END,
    (ARRAY['sad', 'o,k', 'h"ap''p{y}', ''])[1 + g % 4]::mood, (g % 5, 'a"b,''c\')::comp, ARRAY[(g % 2, NULL)::comp, (3, '{')::comp], 1 + g % 3,
    jsonb_build_object('k"', g % 3), (ARRAY['infinity', '-infinity', '2020-02-29 12:34:56.789+05', '0044-03-15 BC'])[1 + g % 4]::timestamptz,
    (ARRAY['infinity', '5874897-12-31'])[1 + g % 2]::date, decode(lpad(to_hex(g % 256), 2, '0'), 'hex'), to_tsvector('simple', 'word' || g % 4 || ' it''s'),
    NULL, NULL, box(point(g, g), point(0, 0)), (g % 4)::bit(3), (g % 5 || ' days -1 hours')::interval FROM generate_series(1, 900) g;
  ALTER TABLE t DROP COLUMN gone;
  ALTER TABLE t ALTER id SET STATISTICS 1000;
  CREATE INDEX te ON t (lower(txt), (id + 1), f, (r * r)) WHERE id > 3;
  CREATE TABLE p (a int, b text) PARTITION BY RANGE (a);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) WITH (autovacuum_enabled = off);
  CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (b);
  CREATE TABLE p2x PARTITION OF p2 FOR VALUES IN ('x') WITH (autovacuum_enabled = off);
  INSERT INTO p SELECT g % 20, 'x' FROM generate_series(1, 300) g;
  CREATE INDEX ON p ((a + 1));
  CREATE INDEX lonely ON ONLY p (b);
  CREATE TABLE par (a int) WITH (autovacuum_enabled = off);
  CREATE TABLE chi (b int) INHERITS (par) WITH (autovacuum_enabled = off);
  CREATE INDEX ON par ((a * 2));
  INSERT INTO par SELECT g % 5 FROM generate_series(1, 100) g;
  INSERT INTO chi SELECT g % 3, g FROM generate_series(1, 100) g;
  CREATE MATERIALIZED VIEW mv WITH (autovacuum_enabled = off) AS SELECT id, txt FROM t;
  CREATE INDEX ON mv (upper(txt));
  CREATE MATERIALIZED VIEW unfilled WITH (autovacuum_enabled = off) AS SELECT 1 AS one WITH NO DATA;
  CREATE TABLE empty (a int) WITH (autovacuum_enabled = off);
  CREATE UNLOGGED TABLE unlogged (a int) WITH (autovacuum_enabled = off);
  INSERT INTO unlogged SELECT g % 3 FROM generate_series(1, 30) g;
  CREATE FOREIGN DATA WRAPPER nowhere;
  CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
  CREATE FOREIGN TABLE ft (a int) SERVER far;
  CREATE VIEW v AS SELECT 1 AS one;
  CREATE SEQUENCE sq;
  CREATE EXTENSION citext;
  CREATE TABLE citexts (c citext) WITH (autovacuum_enabled = off);
  INSERT INTO citexts SELECT 'Aa' || g % 2 FROM generate_series(1, 30) g;
  ANALYZE t; ANALYZE "s""p'\ a,c{e"."T'a""b\"; ANALYZE p; ANALYZE par; ANALYZE chi; ANALYZE mv; ANALYZE empty; ANALYZE unlogged; ANALYZE citexts;
  UPDATE pg_class SET reltuples = 12345, relpages = 678 WHERE oid = 'ft'::regclass`;

interface Read {
  readonly relations: readonly Record<string, unknown>[];
  readonly columns: readonly Record<string, unknown>[];
}

/** What the planner knows, as text. `columns` of indexes by their numbers: the server names them as it likes. */
async function readStatistics(database: TestDatabase): Promise<Read> {
  const relations = await database.query(
    `SELECT c.oid::regclass::text AS name, relpages, reltuples, relallvisible, coalesce((to_jsonb(c) ->> 'relallfrozen')::int, 0) AS relallfrozen FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND relkind IN ('r', 'p', 'm', 'f', 'i', 'I') ORDER BY 1`,
  );
  const columns = await database.query<{ line: Record<string, unknown> }>(
    `SELECT to_jsonb(s) - 'attname' || jsonb_build_object('column', CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum::text ELSE a.attname END) AS line
       FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
      WHERE s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema' ORDER BY s.schemaname, s.tablename, a.attnum, s.inherited`,
  );
  const ranges = { range_length_histogram: null, range_empty_frac: null, range_bounds_histogram: null };
  return { relations, columns: columns.map(({ line }) => ({ ...ranges, ...line })) };
}

/** Text of the judge without what says from which server it comes: before 18 there was no relallfrozen. */
async function judged(database: TestDatabase): Promise<string | undefined> {
  const text = await dumpStatistics(database.url);
  return text
    ?.replace(/^-- Dumped .*\n/gm, '')
    .replace(/'version', '\d+'::integer/g, '')
    .replace(/,\n\t'relallfrozen', '0'::integer/g, '');
}

function listening(): { readonly onEvent: (event: TidemarkEvent) => void; readonly notices: string[]; readonly phases: string[] } {
  const notices: string[] = [];
  const phases: string[] = [];
  const onEvent = (event: TidemarkEvent): void => {
    if (event.type === 'notice') notices.push(event.message);
    if (event.type === 'phase') phases.push(event.phase);
  };
  return { onEvent, notices, phases };
}

test.each(sources)(`all that PostgreSQL %i has come up on ${newest}`, async (version) => {
  await using source = await createDatabase({ version });
  await source.run(hostile);
  await source.run('VACUUM t');
  await source.run('VACUUM FREEZE chi');
  const before = await readStatistics(source);
  expect(before.columns.length).toBeGreaterThan(40);
  await using archive = await archiveOf(source, { statistics: true, jobs: 2 });
  const entry = archive.manifest.tables.find(({ statistics }) => statistics);
  expect(entry).toMatchObject({
    directory: 'data/statistics',
    format: 'text',
    rows: BigInt(before.relations.length + before.columns.length),
  });
  const { onEvent, notices, phases } = listening();
  await using target = await restored(archive, { jobs: 3, onEvent, into: { version: newest } });
  // What ANALYZE runs on is only what has none.
  expect(phases.filter((phase) => /statistics|analyze/.test(phase))).toEqual(['stage statistics', 'statistics', 'analyze']);
  expect(notices).toEqual([]);
  expect(await readStatistics(target)).toEqual(before);
  expect(await judged(target)).toEqual(await judged(source));
  expect(await target.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'tidemark_restoring'`)).toEqual([]);
  // The same rows are the same bytes.
  await using again = await archiveOf(source, { statistics: true });
  const digests = (tables: typeof archive.manifest.tables) =>
    tables.find(({ statistics }) => statistics)?.chunks.map(({ sha256 }) => sha256);
  expect(digests(again.manifest.tables)).toEqual(digests(archive.manifest.tables));
});

/** More rows of statistics than go through the server's functions at once, in tables with names next to each other. */
const many = `
  DO $$ BEGIN FOR i IN 1..70 LOOP
    EXECUTE format('CREATE TABLE %I (a int, b text, c int) WITH (autovacuum_enabled = off)', 't' || i);
    EXECUTE format('INSERT INTO %I SELECT g %% 7, ''v'' || g %% %s, g FROM generate_series(1, 200) g', 't' || i, i);
    EXECUTE format('CREATE INDEX %I ON %I ((a + c))', 'i' || i, 't' || i);
    EXECUTE format('ANALYZE %I', 't' || i);
  END LOOP; END $$;
  CREATE MATERIALIZED VIEW mv WITH (autovacuum_enabled = off) AS SELECT a, b FROM t1;
  CREATE INDEX mvi ON mv (upper(b));
  ANALYZE mv`;

describe('of a database with many tables', () => {
  let source: TestDatabase;
  let before: Read;
  let archive: Archive;
  beforeAll(async () => {
    source = await createDatabase();
    await source.run(many);
    before = await readStatistics(source);
    archive = await archiveOf(source, { statistics: true, jobs: 2 });
  });
  afterAll(async () => {
    await archive[Symbol.asyncDispose]();
    await source.drop();
  });

  test('from a pipe, with several at work', async () => {
    await using target = await createDatabase();
    await pipe(source, target, { snapshot: { jobs: 2, statistics: true }, restore: { jobs: 3 } });
    expect(await readStatistics(target)).toEqual(before);
  });

  test('into the place of a database, and again after a restore that did not end', async () => {
    await using target = await createDatabase();
    await restoreSnapshot({ database: target.url, file: archive.file, jobs: 2, swap: true });
    expect(await readStatistics(target)).toEqual(before);
    await target.run(
      'CREATE SCHEMA tidemark_restoring; CREATE TABLE tidemark_restoring.restore (); CREATE TABLE tidemark_restoring.statistics (a int)',
    );
    await restoreSnapshot({ database: target.url, file: archive.file, jobs: 2 });
    expect(await readStatistics(target)).toEqual(before);
  });

  test('only of what is chosen, into a database that has other tables', async () => {
    const { onEvent, notices } = listening();
    await using target = await createDatabase();
    await target.run('CREATE TABLE t2 (a int, b text, c int) WITH (autovacuum_enabled = off)');
    await restoreSnapshot({ database: target.url, file: archive.file, tables: ['t1', 't3', 'mv'], onEvent });
    const chosen = /^(t1|t3|i1|i3|mv|mvi)$/;
    const after = await readStatistics(target);
    expect(after.columns).toEqual(before.columns.filter(({ tablename }) => chosen.test(String(tablename))));
    expect(after.relations.filter(({ name }) => name !== 't2')).toEqual(before.relations.filter(({ name }) => chosen.test(String(name))));
    expect(notices).toEqual([]);
  });

  test('in sections', async () => {
    await using target = await restored(archive, { sections: ['pre-data'] });
    expect((await readStatistics(target)).columns).toEqual([]);
    await restoreSnapshot({ database: target.url, file: archive.file, sections: ['data'] });
    const tables = before.columns.filter(({ tablename }) => String(tablename).startsWith('t'));
    expect((await readStatistics(target)).columns).toEqual(tables);
    await restoreSnapshot({ database: target.url, file: archive.file, sections: ['post-data'] });
    expect((await readStatistics(target)).columns).toEqual(before.columns);
    // Without rows there is nothing that the statistics would be true of.
    await using empty = await restored(archive, { sections: ['pre-data', 'post-data'] });
    expect((await readStatistics(empty)).columns).toEqual([]);
  });

  test('over rows that are replaced, where nothing of the old ones stays; not where rows are added', async () => {
    await using target = await restored(archive, { schemaOnly: true });
    await target.run(`INSERT INTO t1 SELECT NULL, g::text, g FROM generate_series(1, 999) g; REFRESH MATERIALIZED VIEW mv; ANALYZE`);
    const old = await readStatistics(target);
    await restoreSnapshot({ database: target.url, file: archive.file, truncate: true });
    const after = await readStatistics(target);
    const mv = ({ columns }: Read) => columns.filter(({ tablename }) => String(tablename).startsWith('mv'));
    expect(after.columns).toEqual([...before.columns.filter((column) => !mv(before).includes(column)), ...mv(old)].sort(byName));
    const { onEvent, phases } = listening();
    await restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true, tables: ['t1'], onEvent });
    expect(phases).toContain('analyze');
    expect(phases).not.toContain('statistics');
  });

  test.each([
    { options: { noStatistics: true }, analyzed: true },
    { options: { noStatistics: true, noAnalyze: true }, analyzed: false },
    { options: { noAnalyze: true }, analyzed: undefined },
  ])('$options', async ({ options, analyzed }) => {
    const { onEvent, phases } = listening();
    await using target = await restored(archive, { ...options, onEvent });
    const { columns } = await readStatistics(target);
    expect(phases.includes('analyze')).toBe(analyzed === true);
    expect(phases.includes('statistics')).toBe(analyzed === undefined);
    if (analyzed === undefined) expect(columns).toEqual(before.columns);
    else expect(columns.length > 0).toBe(analyzed);
  });

  test('listed, and left out by a list', async () => {
    const { lines } = await listArchive({ file: archive.file });
    const rows = before.relations.length + before.columns.length;
    const line = `rows\trows\tplanner statistics\tall\t${rows}`;
    expect(lines).toContain(line);
    expect((await listArchive({ file: archive.file, noStatistics: true })).lines).not.toContain(line);
    expect((await listArchive({ file: archive.file, dataOnly: true })).lines).not.toContain(line);
    const useList = `${archive.file}.list`;
    await writeFile(useList, lines.filter((other) => other !== line).join('\n'));
    const { onEvent, phases } = listening();
    await using _target = await restored(archive, { useList, onEvent });
    expect(phases).toContain('analyze');
    // Of an index that is not made there is nothing to say.
    await writeFile(useList, lines.filter((other) => !other.includes('t7: i7')).join('\n'));
    const without = listening();
    await using target = await restored(archive, { useList, onEvent: without.onEvent });
    expect(without.notices).toEqual([]);
    expect((await readStatistics(target)).columns).toEqual(before.columns.filter(({ tablename }) => tablename !== 'i7'));
  });
});

const byName = (a: Record<string, unknown>, b: Record<string, unknown>): number => (String(a.tablename) < String(b.tablename) ? -1 : 1);

describe('what is in an archive', () => {
  test('none where none are asked for; never with a schema alone', async () => {
    await using source = await createDatabase();
    await source.run('CREATE TABLE t (a int); INSERT INTO t VALUES (1); ANALYZE t');
    await using archive = await archiveOf(source);
    expect(archive.manifest.tables.some(({ statistics }) => statistics)).toBe(false);
    for (const less of [{ schemaOnly: true }, { dataOnly: true }, { sections: ['pre-data', 'post-data'] as const }]) {
      await expect(takeSnapshot({ database: source.url, file: '/nowhere/a', statistics: true, ...less })).rejects.toMatchObject({
        code: 'USAGE',
      });
    }
  });

  test('those of chosen tables; those of tables without their rows, as pg_dump has it, and it is said', async () => {
    await using source = await createDatabase();
    await source.run(`
      CREATE TABLE a (a text) WITH (autovacuum_enabled = off); CREATE TABLE b (a text) WITH (autovacuum_enabled = off);
      INSERT INTO a SELECT 'secret of a' FROM generate_series(1, 9); INSERT INTO b SELECT 'of b' FROM generate_series(1, 9); ANALYZE a; ANALYZE b`);
    const before = await readStatistics(source);
    await using chosen = await archiveOf(source, { statistics: true, tables: ['b'] });
    expect(chosen.manifest.tables.find(({ statistics }) => statistics)?.rows).toBe(2n);
    const { onEvent, notices } = listening();
    await using without = await archiveOf(source, { statistics: true, excludeTableData: ['a'], onEvent });
    expect(notices).toEqual(['statistics hold some values of "public"."a", whose rows are left out']);
    await using target = await restored(without);
    expect(await readStatistics(target)).toEqual(before);
  });

  test('those that the role may read', async () => {
    await using role = await createRole();
    await using source = await createDatabase();
    await source.run(`
      CREATE TABLE seen (a int); CREATE TABLE hidden (a int);
      INSERT INTO seen SELECT g % 3 FROM generate_series(1, 99) g; INSERT INTO hidden SELECT g % 3 FROM generate_series(1, 99) g;
      CREATE INDEX ON seen ((a + 1)); ANALYZE seen; ANALYZE hidden;
      ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON seen, hidden TO "${role.name}"`);
    await using archive = await archiveOf(source, { statistics: true, database: role.as(source.url), excludeTableData: ['*'] });
    await using target = await restored(archive, { noOwner: true, noPrivileges: true });
    expect((await readStatistics(target)).columns.map(({ tablename, column }) => [tablename, column])).toEqual([['seen', 'a']]);
    await source.run(`DROP OWNED BY "${role.name}"`);
  });
});

describe('what a server does not take', () => {
  test('ANALYZE gathers them where it is older than 18', async () => {
    await using source = await createDatabase({ version: oldestHere });
    await source.run('CREATE TABLE t (a int); INSERT INTO t VALUES (1); ANALYZE t; CREATE TABLE u (a int)');
    await using archive = await archiveOf(source, { statistics: true });
    const { onEvent, notices, phases } = listening();
    await using target = await restored(archive, { onEvent, into: { version: oldestHere } });
    expect(notices).toEqual([]);
    expect(phases).toContain('analyze');
    expect((await readStatistics(target)).columns).toHaveLength(1);
    const bare = listening();
    await using _without = await restored(archive, { noAnalyze: true, onEvent: bare.onEvent, into: { version: oldestHere } });
    expect(bare.notices).toEqual([expect.stringMatching('older than 18, and cannot take .* statistics: the planner has none')]);
    await using without = await archiveOf(source, { statistics: true, excludeTableData: ['u'] });
    const less = listening();
    await using _less = await restored(without, { onEvent: less.onEvent, into: { version: oldestHere } });
    expect(less.notices).toEqual([expect.stringMatching('older than 18, .* ANALYZE gathers those of the rows that are restored')]);
  });

  test('is told, and all else is in', async () => {
    await using source = await createDatabase();
    await source.run(`
      CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE TABLE first (a int) WITH (autovacuum_enabled = off); CREATE TABLE last (a int, gone int) WITH (autovacuum_enabled = off);
      CREATE TABLE moods (a int, m mood) WITH (autovacuum_enabled = off);
      INSERT INTO first SELECT g % 3 FROM generate_series(1, 99) g; INSERT INTO last SELECT g % 4, g % 2 FROM generate_series(1, 99) g;
      INSERT INTO moods SELECT g % 5, (ARRAY['good', 'bad'])[1 + g % 2]::mood FROM generate_series(1, 99) g;
      CREATE STATISTICS pair ON a, m FROM moods; ANALYZE first; ANALYZE last; ANALYZE moods`);
    const before = await readStatistics(source);
    await using archive = await archiveOf(source, { statistics: true, excludeTableData: ['*'] });
    await using target = await restored(archive, { schemaOnly: true });
    await target.run(`ALTER TABLE last DROP gone; ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'`);
    const { onEvent, notices } = listening();
    await restoreSnapshot({ database: target.url, file: archive.file, sections: ['data'], onEvent });
    expect(notices).toEqual([
      'statistics of column gone of public.last: column "gone" of relation "last" does not exist',
      'statistics of column m of public.moods: invalid input value for enum public.mood: "bad"',
      '1 extended statistics are empty until ANALYZE: no server takes them',
    ]);
    const after = await readStatistics(target);
    expect(after.relations).toEqual(before.relations);
    const taken = ({ column }: Record<string, unknown>): boolean => column === 'a';
    expect(after.columns.filter(taken)).toEqual(before.columns.filter(taken));
    expect(after.columns.filter((column) => !taken(column))).toMatchObject([{ column: 'm', most_common_vals: null, n_distinct: 2 }]);
  });

  test('is counted where it is much: of tables of somebody else', async () => {
    await using role = await createRole();
    await using source = await createDatabase();
    await source.run(many);
    await using archive = await archiveOf(source, { statistics: true });
    await using target = await restored(archive, { schemaOnly: true });
    await target.run(`GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA public TO "${role.name}"; ALTER TABLE t5 OWNER TO "${role.name}"`);
    const { onEvent, notices } = listening();
    await restoreSnapshot({ database: role.as(target.url), file: archive.file, sections: ['data'], onEvent });
    expect(notices).toHaveLength(11);
    expect(notices[0]).toBe('statistics of public.t1: the role may not set them');
    expect(notices[10]).toBe('statistics: 59 more were not taken, or not as a whole');
    expect((await readStatistics(target)).columns.map(({ tablename, column }) => [tablename, column])).toEqual([
      ['t5', 'a'],
      ['t5', 'b'],
      ['t5', 'c'],
    ]);
    await target.run(`DROP OWNED BY "${role.name}"`);
  });

  test('of multiranges only what ANALYZE makes of them, whatever an archive says', async () => {
    await using source = await createDatabase();
    await source.run(`
      CREATE TABLE t (m int4multirange) WITH (autovacuum_enabled = off);
      INSERT INTO t SELECT int4multirange(int4range(g, g + 2)) FROM generate_series(1, 99) g; ANALYZE t`);
    const honest = (await readStatistics(source)).columns;
    // As a superuser could forge them.
    await source.run(`
      SET allow_system_table_mods = on;
      UPDATE pg_statistic SET stakind5 = 1, staop5 = '=(anyrange,anyrange)'::regoperator, stanumbers5 = '{1}', stavalues5 = array_in('{"[1,2)"}', 'int4range'::regtype, -1)
       WHERE starelid = 't'::regclass AND staattnum = 1`);
    expect((await readStatistics(source)).columns[0]?.most_common_vals).toEqual(['[1,2)']);
    await using archive = await archiveOf(source, { statistics: true });
    await using target = await restored(archive);
    const [after] = (await readStatistics(target)).columns;
    expect(after).toMatchObject({
      most_common_vals: null,
      most_common_freqs: null,
      range_bounds_histogram: honest[0]?.range_bounds_histogram,
    });
  });
});
