// Restores from somebody one does not trust, against a real server: what is hostile leaves no trace, also not when a superuser uses the database
// afterwards; what is plain comes whole; and as whom it may be done.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { openSource } from '#dist/app/restore/source.js';
import { checkSame } from '#dist/app/restore/untrusted.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { serializeManifest } from '#dist/archive/manifest-schema.js';
import { openArchive } from '#dist/archive/reader.js';
import type { Manifest } from '#dist/model/manifest.js';
import { runCli } from '../../cli/run-cli.js';
import { readContents } from '../../round-trip/contents.js';
import { createDatabase, createRole, type TestDatabase } from '../../server/index.js';
import { hostile } from '../../untrusted/hostile.js';
import { createLoaderDatabase } from '../../untrusted/loader.js';
import { flipByte, rewriteArchive, withObjects } from '../../untrusted/rewrite.js';
import { digest, makeSample, type Sample } from './restore-sample.js';

let folder: string;
let plain: string;
let sample: Sample;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-untrusted-'));
  await using source = await createDatabase();
  await source.run(`CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 100) g`);
  plain = join(folder, 'plain.tar.zst');
  await takeSnapshot({ database: source.url, file: plain, jobs: 1 });
  sample = await makeSample();
});
afterAll(async () => {
  await sample[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Whatever could run code, by the catalogs; and the trace. */
const suspects = `
  SELECT 'function ' || p.proname AS what FROM pg_proc p WHERE p.oid >= 16384
  UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'rule ' || rulename FROM pg_rewrite WHERE oid >= 16384
  UNION ALL SELECT 'policy ' || polname FROM pg_policy
  UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
  UNION ALL SELECT 'operator ' || oprname FROM pg_operator WHERE oid >= 16384
  UNION ALL SELECT 'operator class ' || opcname FROM pg_opclass WHERE oid >= 16384
  UNION ALL SELECT 'cast' FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE oid >= 16384
  UNION ALL SELECT 'language ' || lanname FROM pg_language WHERE oid >= 16384
  UNION ALL SELECT 'server ' || srvname FROM pg_foreign_server
  UNION ALL SELECT 'publication ' || pubname FROM pg_publication
  UNION ALL SELECT 'statistics ' || stxname FROM pg_statistic_ext
  UNION ALL SELECT 'large object' FROM pg_largeobject_metadata
  UNION ALL SELECT 'default privileges' FROM pg_default_acl
  UNION ALL SELECT 'setting ' || setconfig::text FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT 'view ' || relname FROM pg_class WHERE oid >= 16384 AND relkind IN ('v', 'm', 'f')
  UNION ALL SELECT 'trace' FROM pg_class WHERE relname = 'trace'
  UNION ALL SELECT 'type ' || typname FROM pg_type WHERE oid >= 16384 AND typtype IN ('r', 'm', 'p')
  UNION ALL SELECT 'role evil' FROM pg_roles WHERE rolname = 'evil'
  UNION ALL SELECT 'expression ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) ~ 'leaks|pg_read|lo_import|sleep|set_config'`;

async function suspectsIn(database: TestDatabase): Promise<readonly string[]> {
  return (await database.query<{ what: string }>(suspects)).map(({ what }) => what);
}

/** Everything that makes a superuser's session run what hangs on tables. */
async function useAsSuperuser(database: TestDatabase): Promise<void> {
  const tables = await database.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  await database.run('ANALYZE');
  for (const { name } of tables) {
    // Not of the whole database: that would lock what all databases share, while other tests have read it and want another connection.
    await database.run(`VACUUM FULL ${name}`);
    await database.run(`SELECT * FROM ${name}; REINDEX TABLE ${name}`);
    await database.query(`INSERT INTO ${name} DEFAULT VALUES`).catch(() => undefined);
    await database.query(`UPDATE ${name} SET ctid = NULL`).catch(() => undefined);
    await database.query(`DELETE FROM ${name}`).catch(() => undefined);
  }
}

describe('a hostile archive', () => {
  test('leaves no trace, and names what it was', { timeout: 120_000 }, async () => {
    const file = join(folder, 'hostile.tar.zst');
    await rewriteArchive(plain, file, (catalog) => withObjects(catalog, hostile));
    await using target = await createLoaderDatabase();
    const told: string[] = [];
    const { leftOut, untrusted, rows } = await restoreSnapshot({
      database: target.url,
      file,
      jobs: 2,
      untrusted: true,
      onEvent: (event) => {
        if (event.type === 'left-out') told.push(event.object.name);
        if (event.type === 'phase' && event.phase === 'mark') told.push('(begun)');
      },
    });
    expect(rows).toBe(100n);
    expect(await suspectsIn(target.database)).toEqual([]);
    await useAsSuperuser(target.database);
    expect(await suspectsIn(target.database)).toEqual([]);
    // Each by its name, before anything was done.
    expect(told.at(-1)).toBe('(begun)');
    expect(leftOut.map(({ name }) => name)).toEqual(told.slice(0, -1));
    for (const { object } of hostile) {
      const label = object.schema === undefined ? object.name : `${object.schema}.${object.name}`;
      expect(
        leftOut.some(({ name }) => name.startsWith(label) || name.endsWith(`: ${object.name}`)),
        label,
      ).toBe(true);
    }
    expect(untrusted?.leftOut.find(({ name }) => name === 'public.leaks()')?.statements[0]).toContain('CREATE FUNCTION');
  });

  test('would leave one if it were trusted', async () => {
    const file = join(folder, 'trusted.tar.zst');
    const [call] = hostile.filter(({ object }) => object.name === 'c4');
    const [leaks] = hostile.filter(({ object }) => object.name === 'leaks()');
    await rewriteArchive(plain, file, (catalog) =>
      withObjects(
        catalog,
        [leaks, call].filter((added) => added !== undefined),
      ),
    );
    await using target = await createDatabase();
    await restoreSnapshot({ database: target.url, file, jobs: 1 });
    expect(await suspectsIn(target)).toContain('trace');
  });

  test('that is damaged is refused before any server is asked', async () => {
    const file = join(folder, 'damaged.tar.zst');
    await flipByte(plain, file, 40);
    const restored = restoreSnapshot({ database: 'postgres://nobody@127.0.0.1:1/none', file, untrusted: true });
    await expect(restored).rejects.toMatchObject({ code: expect.stringMatching(/^ARCHIVE_/) });
  });
});

test('an archive that says which other files are to be opened, or that became another one meanwhile, is refused', async () => {
  await using archive = await openArchive(plain);
  const { manifest } = archive;
  const source = async (changed: Manifest) => ({
    ...(await openSource(plain)),
    manifest: changed,
    manifestText: serializeManifest(changed),
  });
  const referring = { ...manifest, archives: [{ file: '../other/x.tar.zst', sha256: 'a'.repeat(64), bytes: 1n }] };
  const other = { ...manifest, toolVersion: '9' };
  await using first = await source(referring);
  await using second = await source(other);
  await using same = await source(manifest);
  expect(() => checkSame(serializeManifest(referring), first)).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID' }));
  expect(() => checkSame(serializeManifest(manifest), second)).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
  expect(() => checkSame(serializeManifest(manifest), same)).not.toThrow();
});

describe('what is plain', () => {
  test('comes whole: rows, sequences, keys and indexes', async () => {
    await using target = await createLoaderDatabase();
    const { leftOut } = await restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, untrusted: true });
    const before = await digest(sample.source);
    const after = await digest(target.database);
    const { constraints, indexes, triggers, ...relations } = after;
    expect(relations).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => name in relations)));
    expect(Object.keys(before).filter((name) => !(name in after))).toEqual(['app.heights', 'app.totals']);
    expect(constraints).toBe(before.constraints);
    expect(indexes).toBe(
      before.indexes
        ?.split('\n')
        .filter((line) => !line.includes('app.totals'))
        .join('\n'),
    );
    expect(triggers).toBeNull();
    expect(leftOut.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'function app.touch()',
      'view app.heights',
      'materialized view app.totals',
      'trigger app.blocks: touch',
      expect.stringMatching(/^owner of \d+ objects$/),
    ]);
    expect(await suspectsIn(target.database)).toEqual([]);
  });

  test('in place of another database, with the locale of that one', async () => {
    await using target = await createLoaderDatabase({ attributes: 'CREATEDB' });
    await target.database.run('CREATE TABLE old ()');
    await target.database.run(`ALTER TABLE old OWNER TO "${target.role}"`);
    await restoreSnapshot({ database: target.url, file: plain, untrusted: true, swap: true, force: true });
    expect(await target.database.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 100 }]);
  });

  test('a dry run says it and changes nothing', async () => {
    await using target = await createLoaderDatabase();
    const { untrusted, plan } = await restoreSnapshot({ database: target.url, file: sample.file, untrusted: true, dryRun: true });
    expect(untrusted?.leftOut).toHaveLength(5);
    expect(JSON.stringify(plan, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))).not.toContain('FUNCTION');
    expect(await target.database.query(`SELECT FROM pg_namespace WHERE nspname = 'app'`)).toEqual([]);
  });
});

describe('the command', () => {
  test('prints what is out with its SQL before the plan, and how much it was after a restore', async () => {
    await using target = await createLoaderDatabase();
    const restore = ['restore', '--untrusted', sample.file, '-d', target.url];
    const dry = await runCli([...restore, '--dry-run']);
    expect(dry.exitCode).toBe(0);
    const lines = dry.stdout.split('\n');
    expect(lines[0]).toBe('an untrusted archive; left out of it: 5 parts');
    expect(lines[1]).toBe('left out: function app.touch(): it is code');
    expect(lines[2]).toContain('CREATE OR REPLACE FUNCTION');
    expect(dry.stdout.indexOf('left out')).toBeLessThan(dry.stdout.indexOf('pre-data'));
    const { stdout, stderr, exitCode } = await runCli([...restore, '--allow', 'functions,triggers']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('left out of it: 3 parts; in because it is allowed: 2 objects');
    expect(stderr).toContain('left out view app.heights: its query runs when it is read');
    expect(await runCli(['restore', '--allow', 'views', sample.file])).toMatchObject({ exitCode: 2 });
    await using role = await createLoaderDatabase({ attributes: 'SUPERUSER' });
    const refused = await runCli(['restore', '--untrusted', sample.file, '-d', role.url]);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('is a superuser');
  });
});

describe('what is allowed', () => {
  test('is in, and is told', async () => {
    await using target = await createLoaderDatabase();
    const told: string[] = [];
    const { untrusted } = await restoreSnapshot({
      database: target.url,
      file: sample.file,
      untrusted: { allow: ['functions', 'views', 'triggers'] },
      onEvent: (event) => {
        if (event.type === 'notice') told.push(event.message);
      },
    });
    expect(untrusted?.allowed.map(({ name }) => name)).toEqual(['app.touch()', 'app.heights', 'app.totals', 'app.blocks: touch']);
    expect(told.filter((message) => message.startsWith('allowed'))).toHaveLength(4);
    expect(await digest(target.database)).toEqual(await digest(sample.source));
  });

  test('expressions stay where they stand', async () => {
    await using source = await createDatabase();
    await source.run(`
      CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
      CREATE TABLE made (a integer DEFAULT twice(1), b integer GENERATED ALWAYS AS (twice(a)) STORED, CHECK (twice(a) > 0));
      CREATE INDEX made_twice ON made (twice(a) DESC) WHERE twice(a) > 1;
      INSERT INTO made VALUES (3)`);
    const file = join(folder, 'expressions.tar.zst');
    await takeSnapshot({ database: source.url, file, jobs: 1 });
    await using with_ = await createLoaderDatabase();
    await restoreSnapshot({ database: with_.url, file, untrusted: { allow: ['functions', 'expressions'] } });
    expect(await readContents(with_.database)).toEqual(await readContents(source));
    await using without = await createLoaderDatabase();
    const { leftOut } = await restoreSnapshot({ database: without.url, file, untrusted: true });
    expect(leftOut.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['default', 'generated column', 'check', 'index']));
    expect(await without.database.query('SELECT * FROM made')).toEqual([{ a: 3 }]);
  });

  test('is only what it says: another statement under its name stays out', async () => {
    const file = join(folder, 'disguised.tar.zst');
    const disguised = ['CREATE ROLE "evil"', 'CREATE SCHEMA "x"', 'create function "public"."x"() returns int', ' CREATE FUNCTION "a"'];
    await rewriteArchive(plain, file, (catalog) =>
      withObjects(
        catalog,
        disguised.map((text, at) => ({ object: { kind: 'function', schema: 'public', name: `x${at}` }, steps: [{ statements: [text] }] })),
      ),
    );
    await using target = await createLoaderDatabase();
    const { untrusted } = await restoreSnapshot({ database: target.url, file, untrusted: { allow: ['functions'] } });
    expect(untrusted?.allowed).toEqual([]);
    expect(untrusted?.leftOut.filter(({ kind }) => kind === 'function')).toHaveLength(4);
  });

  test('a second statement behind it is refused by the server', async () => {
    const file = join(folder, 'two.tar.zst');
    const two = `CREATE FUNCTION "public"."x"() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TABLE "public"."trace" ()`;
    await rewriteArchive(plain, file, (catalog) =>
      withObjects(catalog, [{ object: { kind: 'function', schema: 'public', name: 'x()' }, steps: [{ statements: [two] }] }]),
    );
    await using target = await createLoaderDatabase();
    const restored = restoreSnapshot({ database: target.url, file, untrusted: { allow: ['functions'] } });
    await expect(restored).rejects.toMatchObject({ code: 'RESTORE_FAILED', message: expect.stringContaining('multiple commands') });
    expect(await suspectsIn(target.database)).toEqual([]);
  });
});

describe('as whom', () => {
  test.each([
    ['a superuser', 'SUPERUSER'],
    ['CREATEROLE', 'CREATEROLE'],
    ['REPLICATION', 'REPLICATION'],
    ['a member of pg_execute_server_program', 'IN ROLE pg_execute_server_program'],
    ['a member of pg_write_server_files', 'NOINHERIT IN ROLE pg_write_server_files'],
  ])('not as %s', async (_what, attributes) => {
    await using target = await createLoaderDatabase({ attributes });
    const restored = restoreSnapshot({ database: target.url, file: plain, untrusted: true });
    await expect(restored).rejects.toMatchObject({ code: 'ROLE_UNSAFE', hint: expect.stringContaining('CREATE ROLE loader') });
    expect(await target.database.query(`SELECT FROM pg_tables WHERE tablename = 't'`)).toEqual([]);
  });

  test('not as a superuser that has taken on another role', async () => {
    await using role = await createRole();
    await using target = await createDatabase();
    const restored = restoreSnapshot({ database: target.url, role: role.name, file: plain, untrusted: true });
    await expect(restored).rejects.toMatchObject({ code: 'ROLE_UNSAFE' });
  });

  test('not into a database that holds something', async () => {
    await using target = await createLoaderDatabase();
    await target.database.run('CREATE TABLE mine ()');
    for (const options of [{}, { tables: ['t'] }]) {
      const restored = restoreSnapshot({ database: target.url, file: plain, untrusted: true, ...options });
      await expect(restored).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    }
  });

  test.each(['clean', 'create', 'globals', 'truncate', 'dataOnly'] as const)('not with %s', async (option) => {
    await expect(restoreSnapshot({ file: plain, untrusted: true, [option]: true })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('not from a pipe, and with no word that is not known', async () => {
    const bytes = await readFile(plain);
    const pipe = (async function* () {
      yield bytes;
    })();
    await expect(restoreSnapshot({ file: pipe, untrusted: true })).rejects.toMatchObject({ code: 'USAGE' });
    const allow = ['everything' as 'views'];
    await expect(restoreSnapshot({ file: plain, untrusted: { allow } })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
