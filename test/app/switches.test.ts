// The switches of pg_dump and pg_restore on real databases: what stays away, section by section, as which role, where rows go.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { printSchema } from '#dist/app/snapshot/print-schema.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { Section } from '#dist/model/catalog.js';
import { createDatabase, createRole, type TestDatabase, uniqueName } from '../server/index.js';
import { digest, makeSample, type Sample } from './restore/restore-sample.js';

let sample: Sample;
let folder: string;

beforeAll(async () => {
  sample = await makeSample({ sql: `COMMENT ON TABLE app.blocks IS 'all of them'; COMMENT ON INDEX app.events_tx IS 'by tx'` });
  folder = await mkdtemp(join(tmpdir(), 'tidemark-switches-'));
});
afterAll(async () => {
  await sample[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const comments = (database: TestDatabase): Promise<{ description: string }[]> =>
  database.query(`SELECT description FROM pg_description WHERE objoid >= 16384 AND description IN ('all of them', 'by tx') ORDER BY 1`);

test('comments stay out of an archive, or in it', async () => {
  await using both = await createDatabase();
  await restoreSnapshot({ database: both.url, file: sample.file });
  expect(await comments(both)).toHaveLength(2);
  await using onRestore = await createDatabase();
  await restoreSnapshot({ database: onRestore.url, file: sample.file, noComments: true });
  expect(await comments(onRestore)).toEqual([]);
  const { preData, postData } = await printSchema({ database: sample.source.url, noComments: true });
  expect(preData + postData).not.toContain('COMMENT');
});

describe('sections', () => {
  const file = (name: string) => join(folder, `${name}.tar.zst`);

  test('of one archive, one after the other, give what all at once gives', async () => {
    await using target = await createDatabase();
    const restore = (section: Section) => restoreSnapshot({ database: target.url, file: sample.file, sections: [section] });
    const { plan: first } = await restore('pre-data');
    expect(first.map(({ action }) => action)).toEqual(['mark', 'pre-data', 'unmark']);
    expect(await target.query('SELECT 1 FROM app.blocks')).toEqual([]);
    expect(await target.query(`SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = 'blocks'`)).toEqual([]);
    const { rows } = await restore('data');
    expect(rows).toBe(7712n);
    await restore('post-data');
    expect(await digest(target)).toEqual(await digest(sample.source));
  });

  test('of a database, each an archive of its own, give what all at once gives', async () => {
    await using target = await createDatabase();
    for (const section of ['pre-data', 'data', 'post-data'] as const) {
      await takeSnapshot({ database: sample.source.url, file: file(section), sections: [section], jobs: 1 });
      const { manifest } = await showSnapshot({ file: file(section) });
      expect(manifest.settings.sections).toEqual([section]);
      expect(manifest.totals.rows).toBe(section === 'data' ? 7712n : 0n);
      await restoreSnapshot({ database: target.url, file: file(section) });
    }
    expect(await digest(target)).toEqual(await digest(sample.source));
  });

  test('of the schema are printed alone', async () => {
    const whole = await printSchema({ database: sample.source.url });
    expect(await printSchema({ database: sample.source.url, sections: ['pre-data'] })).toEqual({ ...whole, postData: '' });
    expect(await printSchema({ database: sample.source.url, sections: ['pre-data', 'post-data'] })).toEqual(whole);
    const last = await printSchema({ database: sample.source.url, sections: ['post-data'] });
    expect(last).toMatchObject({ preData: '', postData: expect.stringContaining('REFRESH') });
    await expect(printSchema({ database: sample.source.url, sections: ['data'] })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each([
    [{ sections: ['data'], dataOnly: true }, /data-only and sections exclude/],
    [{ sections: ['data'], truncate: true }, /sections and truncate exclude/],
    [{ sections: ['post-data'], clean: true }, /clean needs the section pre-data/],
    [{ sections: ['data'], create: true }, /create needs the section pre-data/],
    [{ sections: ['pre-data', 'data', 'post-data'], swap: true }, /swap and sections exclude/],
    [{ sections: ['predata' as Section] }, /there is no section predata/],
  ] as const)('refuses %j', async (options, message) => {
    await expect(restoreSnapshot({ database: 'postgres://nowhere.invalid/x', file: sample.file, ...options })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message),
    });
  });
});

test('ANALYZE is left out where that is asked for', async () => {
  const analyzed = (database: TestDatabase) => database.query(`SELECT 1 FROM pg_class WHERE relname = 'blocks' AND reltuples = 500`);
  await using without = await createDatabase();
  const { plan } = await restoreSnapshot({ database: without.url, file: sample.file, noAnalyze: true, tables: ['app.blocks'] });
  expect(plan.map(({ action }) => action)).not.toContain('analyze');
  expect(await without.query(`SELECT 1 FROM pg_stats WHERE tablename = 'blocks'`)).toEqual([]);
  await using as = await createDatabase();
  await restoreSnapshot({ database: as.url, file: sample.file, tables: ['app.blocks'] });
  expect(await analyzed(as)).toHaveLength(1);
});

test('materialized views that cannot be filled are left unpopulated where that is asked for, and those that read them', async () => {
  await using source = await createDatabase();
  await source.run(`CREATE TABLE t AS SELECT 1 AS x; CREATE MATERIALIZED VIEW inverse AS SELECT 1 / x AS y FROM t; CREATE VIEW between AS TABLE inverse;
    CREATE MATERIALIZED VIEW reader AS TABLE between; CREATE UNIQUE INDEX ON reader (y); CREATE MATERIALIZED VIEW other AS TABLE t; UPDATE t SET x = 0`);
  const file = join(folder, 'unfillable.tar.zst');
  await takeSnapshot({ database: source.url, file, jobs: 1 });
  await using failed = await createDatabase();
  await expect(restoreSnapshot({ database: failed.url, file, jobs: 1 })).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringContaining('restore refresh of materialized view public.inverse: division by zero'),
    hint: expect.stringContaining('--exclude-table-data'),
  });
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, excludeTableData: ['inverse'], jobs: 1 });
  expect(await target.query(`SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1`)).toEqual([
    { relname: 'inverse', relispopulated: false },
    { relname: 'other', relispopulated: true },
    { relname: 'reader', relispopulated: false },
  ]);
  expect(await target.query(`SELECT 1 FROM pg_index WHERE indrelid = 'reader'::regclass`)).toHaveLength(1);
});

describe('role', () => {
  test('owns what is restored without owners, whoever connects, rows and all', async () => {
    await using role = await createRole({ attributes: 'NOLOGIN' });
    await using target = await createDatabase();
    await target.run(`GRANT CREATE ON DATABASE "${target.name}" TO "${role.name}"; GRANT CREATE ON SCHEMA public TO "${role.name}"`);
    await restoreSnapshot({ database: target.url, file: sample.file, role: role.name, noOwner: true, jobs: 2 });
    const owners = await target.query(
      `SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'app'::regnamespace`,
    );
    expect(owners).toEqual([{ owner: role.name }]);
    expect(await digest(target)).toEqual(await digest(sample.source));
  });

  test('is taken on again after privileges that others have granted', async () => {
    await using owner = await createRole({ attributes: 'NOLOGIN SUPERUSER' });
    await using login = await createRole({ attributes: 'LOGIN NOINHERIT' });
    await using source = await createDatabase();
    await using target = await createDatabase();
    for (const schema of ['one', 'two']) {
      await source.run(`CREATE SCHEMA ${schema}; GRANT USAGE ON SCHEMA ${schema} TO pg_monitor WITH GRANT OPTION;
        SET ROLE pg_monitor; GRANT USAGE ON SCHEMA ${schema} TO pg_read_all_stats`);
    }
    const file = join(folder, 'grantors.tar.zst');
    await takeSnapshot({ database: source.url, file, jobs: 1 });
    await target.run(`GRANT "${owner.name}", pg_monitor TO "${login.name}"`);
    await restoreSnapshot({ database: login.as(target.url), file, role: owner.name, noOwner: true, jobs: 1 });
    const granted = `SELECT nspname AS schema FROM pg_namespace, aclexplode(nspacl) WHERE grantor = 'pg_monitor'::regrole ORDER BY 1`;
    expect(await target.query(granted)).toEqual([{ schema: 'one' }, { schema: 'two' }]);
    await target.drop();
  });

  test('reads with its rights, in every session', async () => {
    await using role = await createRole({ attributes: 'NOLOGIN' });
    await using source = await createDatabase();
    await source.run(`CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE u (); GRANT SELECT ON t TO "${role.name}"`);
    const file = join(folder, 'role.tar.zst');
    const take = (tables: string[]) => takeSnapshot({ database: source.url, file, role: role.name, tables, jobs: 2 });
    await take(['t']);
    await expect(take(['u'])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await source.run(`REVOKE SELECT ON t FROM "${role.name}"`);
  });

  test('that does not exist, or may not be taken on, is refused', async () => {
    await using login = await createRole();
    await using source = await createDatabase();
    const print = (database: string, role: string) => printSchema({ database, role });
    await expect(print(source.url, uniqueName())).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringMatching(/^set the role \w+ on .*: role "\w+" does not exist$/),
    });
    await expect(print(login.as(source.url), 'postgres')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(print(source.url, '')).rejects.toMatchObject({ code: 'USAGE' });
  });
});

test('tablespaces and access methods of tables are settings that can be left out', async () => {
  await using source = await createDatabase({ version: 18 });
  const space = uniqueName();
  const admin = await source.connect();
  try {
    await admin.query('SET allow_in_place_tablespaces = on');
    await admin.query(`CREATE TABLESPACE "${space}" LOCATION ''`);
    await admin.query(`
      CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE "${space}") TABLESPACE "${space}";
      CREATE INDEX i ON t (a) TABLESPACE "${space}";
      CREATE TABLE whole (a int) PARTITION BY LIST (a) USING heap TABLESPACE "${space}";
      CREATE MATERIALIZED VIEW m TABLESPACE "${space}" AS SELECT a FROM t`);
    const file = join(folder, 'space.tar.zst');
    await takeSnapshot({ database: source.url, file });
    const spaces = `SELECT relname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE spcname = $1 ORDER BY 1`;
    const everywhere = ['i', 'm', 't', 't_pkey', 'whole'].map((relname) => ({ relname }));
    const method = `SELECT relam <> 0 AS has FROM pg_class WHERE relname = 'whole'`;
    await using same = await createDatabase({ version: 18 });
    await restoreSnapshot({ database: same.url, file });
    expect(await same.query(spaces, [space])).toEqual(everywhere);
    expect(await same.query(method)).toEqual([{ has: true }]);
    await using other = await createDatabase({ version: 18 });
    await restoreSnapshot({ database: other.url, file, noTablespaces: true, noTableAccessMethod: true });
    expect(await other.query(spaces, [space])).toEqual([]);
    expect(await other.query(method)).toEqual([{ has: false }]);
    const { preData, postData } = await printSchema({ database: source.url, noTablespaces: true });
    expect(preData + postData).not.toContain(space);
    await same.drop();
    await source.run('DROP TABLE t, whole CASCADE');
  } finally {
    await admin.query(`DROP TABLESPACE IF EXISTS "${space}"`);
    await admin.end();
  }
});

describe('load via partition root', () => {
  const rows = async (database: TestDatabase) =>
    (await database.query(`SELECT string_agg(DISTINCT tableoid::regclass::text, ' ') AS tables, count(*)::int FROM app.part`))[0];
  const otherwise = `
    CREATE SCHEMA app; CREATE TABLE app.keys (k int PRIMARY KEY); INSERT INTO app.keys SELECT generate_series(0, 199);
    CREATE TABLE app.part (k int PRIMARY KEY REFERENCES app.keys, v text) PARTITION BY RANGE (k);
    CREATE TABLE app.all PARTITION OF app.part DEFAULT`;

  test('puts rows where other partitions are, from an archive that knew nothing of it', async () => {
    await using target = await createDatabase();
    await target.run(otherwise);
    const restore = (more: object) =>
      restoreSnapshot({ database: target.url, file: sample.file, dataOnly: true, tables: ['app.part'], ...more });
    await expect(restore({})).rejects.toMatchObject({ code: 'TARGET_MISMATCH', message: expect.stringContaining('no table app.part1') });
    await restore({ loadViaPartitionRoot: true });
    expect(await rows(target)).toEqual({ tables: 'app."all"', count: 200 });
  });

  test('with foreign keys to rows that are there', async () => {
    await using target = await createDatabase();
    await target.run(`${otherwise}; DELETE FROM app.keys WHERE k = 7`);
    const options = { dataOnly: true, tables: ['app.part'], loadViaPartitionRoot: true };
    await expect(restoreSnapshot({ database: target.url, file: sample.file, ...options })).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      details: { sqlstate: '23503' },
    });
    expect(await rows(target)).toMatchObject({ count: 0 });
  });

  test('is in an archive that was made for it', async () => {
    const file = join(folder, 'root.tar.zst');
    await takeSnapshot({ database: sample.source.url, file, loadViaPartitionRoot: true, tables: ['app.part', 'app.blocks'] });
    await using target = await createDatabase();
    const { plan } = await restoreSnapshot({ database: target.url, file });
    const loads = plan.flatMap((action) => (action.action === 'rows' ? action.loads : []));
    expect(loads.map(({ name, sql }) => [name, /COPY (\S+)/.exec(sql)?.[1]]).sort()).toEqual([
      ['blocks', '"app"."blocks"'],
      ['part1', '"app"."part"'],
      ['part2', '"app"."part"'],
    ]);
    expect(await rows(target)).toEqual({ tables: 'app.part1 app.part2', count: 200 });
  });
});

test('a restore leaves out tables, schemas and rows', async () => {
  await using target = await createDatabase();
  const { leftOut } = await restoreSnapshot({
    database: target.url,
    file: sample.file,
    excludeTables: ['app.circle'],
    excludeSchemas: ['public'],
    excludeTableData: ['app.events'],
  });
  expect(leftOut).toEqual([]);
  const tables = await target.query(
    `SELECT to_regclass('app.circle') AS circle, to_regclass('public.bare') AS bare, count(*)::int FROM app.events`,
  );
  expect(tables).toEqual([{ circle: null, bare: null, count: 0 }]);
});

describe('filter', () => {
  let family: TestDatabase;
  beforeAll(async () => {
    family = await createDatabase();
    await family.run(`
      CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); CREATE TABLE "Odd\nName" (a int); CREATE TABLE other (a int);
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2); INSERT INTO "Odd\nName" VALUES (3); INSERT INTO other VALUES (4)`);
  });
  afterAll(() => family.drop());

  const filter = async (text: string) => {
    const path = join(folder, 'filter');
    await writeFile(path, text);
    return { filterFiles: [path] };
  };
  const counts = (database: TestDatabase) =>
    database.query(`SELECT relname, (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM ONLY %I', relname), true, true, '')))[1]::text AS n
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`);

  test('chooses what a snapshot takes', async () => {
    const file = join(folder, 'filter.tar.zst');
    const chosen = await filter('include table_and_children parent # both\ninclude table "Odd\nName"\nexclude table_data child\n');
    const { manifest } = await takeSnapshot({ database: family.url, file, ...chosen });
    expect(manifest.settings.selection).toEqual({
      table: ['"Odd\nName"'],
      tableAndChildren: ['parent'],
      excludeTableData: ['child'],
    });
    await using target = await createDatabase();
    await restoreSnapshot({ database: target.url, file });
    expect(await counts(target)).toEqual([
      { relname: 'Odd\nName', n: '1' },
      { relname: 'child', n: '0' },
      { relname: 'parent', n: '1' },
    ]);
  });

  test('chooses what a restore takes, beside other options', async () => {
    const file = join(folder, 'family.tar.zst');
    await takeSnapshot({ database: family.url, file });
    await using target = await createDatabase();
    const left = await filter('exclude table other\nexclude table_data_and_children parent');
    await restoreSnapshot({ database: target.url, file, ...left, excludeTables: ['Nothing'] });
    expect(await counts(target)).toEqual([
      { relname: 'Odd\nName', n: '1' },
      { relname: 'child', n: '0' },
      { relname: 'parent', n: '0' },
    ]);
    const { preData } = await printSchema({ database: family.url, ...(await filter('include table other')) });
    expect(preData.match(/CREATE TABLE \S+/g)).toEqual(['CREATE TABLE "public"."other"']);
  });

  test('that cannot be read, or is not understood, is refused', async () => {
    await expect(printSchema({ database: family.url, filterFiles: [join(folder, 'none')] })).rejects.toMatchObject({ code: 'FILE_ERROR' });
    await expect(printSchema({ database: family.url, ...(await filter('include tables x')) })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/filter, line 1: there is no type tables/),
    });
    await expect(printSchema({ database: family.url, ...(await filter('include table nothing')) })).rejects.toMatchObject({
      code: 'PATTERN_UNMATCHED',
    });
  });
});

describe('list', () => {
  test('is in the order of a restore, each entry once', async () => {
    const { lines, entries } = await listArchive({ file: sample.file });
    expect(lines).toContain('pre-data\tdefinition\ttable\tapp.blocks');
    expect(lines).toContain('pre-data\tcomment\ttable\tapp.blocks');
    expect(lines).toContain('rows\trows\ttable\tapp.events\t5000');
    expect(lines).toContain('post-data\tdefinition\ttrigger\tapp.blocks: touch');
    expect(lines).toContain('refresh\trefresh\tmaterialized view\tapp.totals');
    expect(new Set(lines).size).toBe(lines.length);
    const phases = [...new Set(entries.map(({ phase }) => phase))];
    expect(phases).toEqual(['pre-data', 'rows', 'values', 'post-data', 'refresh']);
    const { lines: some } = await listArchive({ file: sample.file, tables: ['app.part'], dataOnly: true });
    // The larger first.
    expect(some).toEqual(['rows\trows\ttable\tapp.part2\t100', 'rows\trows\ttable\tapp.part1\t100']);
  });

  test('restores what it still has', async () => {
    const { lines } = await listArchive({ file: sample.file });
    const useList = join(folder, 'list');
    await writeFile(useList, lines.map((line) => (/circle|comment|rows\ttable\tapp\.events/.test(line) ? `;${line}` : line)).join('\n'));
    await using target = await createDatabase();
    const { rows } = await restoreSnapshot({ database: target.url, file: sample.file, useList });
    expect(rows).toBe(7712n - 5010n);
    const expected = await digest(sample.source);
    const found = await digest(target);
    expect(found).not.toHaveProperty('app.circle');
    expect(found['app.part']).toBe(expected['app.part']);
    expect(found['app.events']).toMatch(/^0 /);
    expect(await comments(target)).toEqual([]);
    const { lines: listed } = await listArchive({ file: sample.file, useList });
    expect(listed.filter((line) => /circle|comment/.test(line))).toEqual([]);
  });

  test('that is of another archive, or not there, is refused', async () => {
    const useList = join(folder, 'list');
    await writeFile(useList, 'pre-data\tdefinition\ttable\tapp.nothing\n');
    await expect(restoreSnapshot({ database: sample.source.url, file: sample.file, useList })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(listArchive({ file: sample.file, useList: join(folder, 'none') })).rejects.toMatchObject({ code: 'FILE_ERROR' });
  });
});

test('publications and subscriptions stay out of an archive, or in it', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE t (a int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t; COMMENT ON PUBLICATION p IS 'x';
    CREATE SUBSCRIPTION s CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = NONE)`);
  const file = join(folder, 'publications.tar.zst');
  const both = `SELECT (SELECT count(*)::int FROM pg_publication) AS p,
    (SELECT count(*)::int FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname = current_database()) AS s`;
  await takeSnapshot({ database: source.url, file });
  await using whole = await createDatabase();
  await restoreSnapshot({ database: whole.url, file });
  expect(await whole.query(both)).toEqual([{ p: 1, s: 1 }]);
  await using without = await createDatabase();
  await restoreSnapshot({ database: without.url, file, noPublications: true, noSubscriptions: true });
  expect(await without.query(both)).toEqual([{ p: 0, s: 0 }]);
  const printed = await printSchema({ database: source.url, noPublications: true, noSubscriptions: true });
  expect(printed.preData + printed.postData).not.toMatch(/PUBLICATION|SUBSCRIPTION/);
  expect(printed.leftOut).toEqual([]);
  for (const database of [source, whole]) await database.run('DROP SUBSCRIPTION s');
});
