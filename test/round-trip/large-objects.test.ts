// Large objects through archives: contents, sizes, owners, privileges and comments; with and without them; into databases that have some.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { createDatabase, createRole, requestedVersions, type TestDatabase } from '../server/index.js';
import { type Contents, readContents } from './contents.js';
import { archiveOf, pipe, restored } from './cycle.js';

/** Around pages of 2 kB, pieces of 256 KiB, chunks of 4 MiB and parts of 64 MiB; holes at every place; more of them than a group has. */
const blobs = `
  CREATE TABLE files (name text, content oid);
  SELECT lo_create(30000);
  SELECT lo_from_bytea(30000 + n, decode(repeat(lpad(to_hex(n), 2, '0'), size), 'hex'))
    FROM unnest(ARRAY[1, 2047, 2048, 2049, 262143, 262144, 262145, 524288]) WITH ORDINALITY AS s (size, n);
  SELECT lo_create(31000);
  SELECT lo_put(31000, g * 32768::bigint, decode(string_agg(md5(g || ' ' || i), ''), 'hex'))
    FROM generate_series(0, 150) g, generate_series(1, 2048) i GROUP BY g;
  SELECT lo_put(lo_create(32000), 70000000, '\\xff');
  SELECT lo_put(32000, 67108864, '\\x010203'), lo_put(32000, 67108863, '\\x04');
  SELECT lo_truncate64(lo_open(lo_create(32003), 131072), 10000000);
  SELECT lo_from_bytea((100000 + g * 3)::oid, convert_to('object ' || g, 'UTF8')) FROM generate_series(1, 2500) g;
  ALTER LARGE OBJECT 30000 OWNER TO pg_monitor;
  ALTER LARGE OBJECT 31000 OWNER TO pg_monitor;
  GRANT SELECT ON LARGE OBJECT 31000, 32000, 100003 TO PUBLIC;
  COMMENT ON LARGE OBJECT 31000 IS 'it''s a comment';
  COMMENT ON LARGE OBJECT 100006 IS 'another';
  INSERT INTO files SELECT oid::text, oid FROM pg_largeobject_metadata`;

describe.each(requestedVersions())('large objects on PostgreSQL %i', (version) => {
  let source: TestDatabase;
  let whole: Contents;
  beforeAll(async () => {
    source = await createDatabase({ version });
    await source.run(blobs);
    whole = await readContents(source);
  });
  afterAll(() => source.drop());

  const objects = (contents: Contents): readonly string[] => contents.rows['large objects'] ?? [];

  test.each([
    { copyFormat: 'auto', jobs: 3 },
    { copyFormat: 'text', jobs: 1 },
  ] as const)('whole, as $copyFormat, with $jobs at work', async ({ copyFormat, jobs }) => {
    expect(objects(whole)).toHaveLength(2512);
    await using archive = await archiveOf(source, { copyFormat, jobs });
    const entry = archive.manifest.tables.find(({ largeObjects }) => largeObjects !== undefined);
    expect(entry).toMatchObject({ directory: 'data/largeobjects', largeObjects: 2512, format: copyFormat === 'text' ? 'text' : 'binary' });
    // Holes are no rows, and many small objects share a chunk.
    expect(entry?.rows).toBeLessThan(2600n);
    expect(entry?.chunks.length).toBeLessThan(20);
    expect(archive.manifest.totals.tables).toBe(1);
    await using target = await restored(archive, { jobs, into: { version } });
    expect(await readContents(target)).toEqual(whole);
    // A second archive has the same bytes in the same members.
    await using again = await archiveOf(target, { copyFormat, jobs });
    const digests = (chunks: typeof entry) => chunks?.chunks.map(({ member, sha256 }) => [member, sha256]);
    expect(digests(again.manifest.tables.find(({ largeObjects }) => largeObjects !== undefined))).toEqual(digests(entry));
  });

  test('through a pipe', async () => {
    await using target = await createDatabase({ version });
    await pipe(source, target, { snapshot: { jobs: 2 }, restore: { jobs: 2 } });
    expect(await readContents(target)).toEqual(whole);
  });

  test('rows alone, into a database that has the tables; replaced there; refused where the OIDs are taken', async () => {
    await using archive = await archiveOf(source, { jobs: 2 });
    await using target = await restored(archive, { schemaOnly: true, into: { version } });
    expect(objects(await readContents(target))).toEqual([]);
    await restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true });
    expect(await readContents(target)).toEqual(whole);

    await target.run(`SELECT lo_put(30001, 0, 'changed'); SELECT lo_unlink(30002); SELECT lo_from_bytea(77, 'mine'); TRUNCATE files`);
    const changed = await readContents(target);
    await expect(restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
      message: expect.stringContaining('30000, 30001, 30003, 30004, 30005, ...'),
    });
    expect(await readContents(target)).toEqual(changed);
    await restoreSnapshot({ database: target.url, file: archive.file, truncate: true });
    const [mine, ...others] = objects(await readContents(target));
    expect(mine).toMatch(/^77 4 /);
    expect(others).toEqual(objects(whole));

    await target.run('SELECT lo_unlink(30003)');
    const clean = { database: target.url, file: archive.file, clean: true };
    await expect(restoreSnapshot(clean)).rejects.toMatchObject({ code: 'RESTORE_FAILED', hint: expect.stringContaining('--if-exists') });
    await restoreSnapshot({ ...clean, ifExists: true });
    expect(objects(await readContents(target)).slice(1)).toEqual(objects(whole));
    await restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true, largeObjects: false });
    expect((await readContents(target)).rows['public.files']?.[0]).toBe(String(2 * 2512));
  });

  test('chosen or not', async () => {
    await using own = await createDatabase({ version });
    await own.run(`CREATE TABLE files (id oid); INSERT INTO files SELECT lo_from_bytea(0, 'some'); SELECT lo_create(0)`);
    const both = await readContents(own);
    const none = { rows: { 'public.files': both.rows['public.files'] }, sequences: {} };
    await using archive = await archiveOf(own);
    for (const [snapshot, restore, expected] of [
      [{ tables: ['files'] }, {}, none],
      [{ schemas: ['public'] }, {}, none],
      [{ largeObjects: false }, {}, none],
      [{ tables: ['files'], largeObjects: true }, {}, both],
      [undefined, { tables: ['files'] }, none],
      [undefined, { largeObjects: false }, none],
      [undefined, { schemas: ['public'], largeObjects: true }, both],
    ] as const) {
      const less = snapshot === undefined ? undefined : await archiveOf(own, snapshot);
      await using target = await restored(less ?? archive, { ...restore, into: { version } });
      await less?.[Symbol.asyncDispose]();
      expect(await readContents(target)).toEqual(expected);
    }
    await using schema = await archiveOf(own, { schemaOnly: true, largeObjects: true });
    await using target = await restored(schema, { into: { version } });
    expect(objects(await readContents(target))).toEqual([]);
  });

  test('without owners and privileges', async () => {
    await using own = await createDatabase({ version });
    await own.run('SELECT lo_create(5); ALTER LARGE OBJECT 5 OWNER TO pg_monitor; GRANT SELECT ON LARGE OBJECT 5 TO PUBLIC');
    await using archive = await archiveOf(own);
    await using target = await restored(archive, { noOwner: true, noPrivileges: true, into: { version } });
    const rows = await target.query<{ owner: string; acl: string | null }>(
      'SELECT DISTINCT pg_get_userbyid(lomowner) = current_user AS own, lomacl::text AS acl FROM pg_largeobject_metadata',
    );
    expect(rows).toEqual([{ own: true, acl: null }]);
  });

  test('a database with nothing but a large object is not empty; one that a restore left is', async () => {
    await using own = await createDatabase({ version });
    await own.run(`SELECT lo_from_bytea(31000, 'some')`);
    await using archive = await archiveOf(own);
    await using target = await createDatabase({ version });
    await target.run('SELECT lo_create(5)');
    await expect(restoreSnapshot({ database: target.url, file: archive.file })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
      message: expect.stringContaining('large object 5'),
    });
    await target.run(
      'CREATE SCHEMA tidemark_restoring; CREATE TABLE tidemark_restoring.restore (); SELECT lo_create(g) FROM generate_series(31000, 33500) g',
    );
    await restoreSnapshot({ database: target.url, file: archive.file });
    expect(await readContents(target)).toEqual(await readContents(own));
  });

  test('those that the role may not read', async () => {
    await using role = await createRole({ version });
    await using own = await createDatabase({ version });
    await own.run(`SELECT lo_create(5); SELECT lo_create(6); GRANT SELECT ON LARGE OBJECT 6 TO "${role.name}"`);
    await expect(archiveOf(own, { database: role.as(own.url) })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('large object 5'),
      hint: expect.stringContaining('--no-large-objects'),
    });
    await own.run('SELECT lo_unlink(5)');
    await using _archive = await archiveOf(own, { database: role.as(own.url) });
    await own.run('SELECT lo_unlink(6)');
  });
});
