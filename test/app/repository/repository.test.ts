// A folder of snapshots: what counts, what does not, and what becomes of each.
import { copyFile, mkdir, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pruneRepository } from '#dist/app/repository/prune.js';
import { Repository } from '#dist/app/repository/repository.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase } from '../../server/index.js';
import { temporaryDirectory } from '../../temporary-directory.js';

let shared: Awaited<ReturnType<typeof temporaryDirectory>>;
const heights = [100n, 20n, 3n] as const;

beforeAll(async () => {
  shared = await temporaryDirectory();
  await using db = await createDatabase();
  await db.run('CREATE TABLE blocks (height bigint); INSERT INTO blocks SELECT generate_series(1, 100)');
  for (const height of heights) await takeSnapshot({ database: db.url, file: join(shared.path, `at-${height}.tar.zst`), height });
});

afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

/** A folder with archives of these heights, by nothing but their copies. */
async function folderWith(copies: Readonly<Record<string, bigint>>) {
  const folder = await temporaryDirectory();
  for (const [name, height] of Object.entries(copies)) await copyFile(join(shared.path, `at-${height}.tar.zst`), join(folder.path, name));
  return folder;
}

const ids = (found: readonly { readonly id: string }[]): string[] => found.map(({ id }) => id);

describe('what counts', () => {
  test('a folder that is not there has no snapshots, and is not made by looking', async () => {
    await using folder = await temporaryDirectory();
    const store = join(folder.path, 'not', 'there');
    const repository = new Repository({ store });
    expect(await repository.list()).toEqual({ snapshots: [], unknown: [] });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('an archive counts once it has been verified; the newest is that of the greatest recorded height, whatever its name', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-900.tar.zst': 3n, 's-20.tar.zst': 20n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    expect(await repository.newestGood()).toBeUndefined();
    expect(ids((await repository.list()).unknown).sort()).toEqual(['s-20', 's-5', 's-900']);
    expect(await repository.verifyUnknown()).toEqual([]);
    const { snapshots, unknown } = await new Repository({ store: folder.path, prefix: 's' }).list();
    expect(unknown).toEqual([]);
    expect(ids(snapshots)).toEqual(['s-5', 's-20', 's-900']);
    expect(snapshots[0]).toMatchObject({ good: true, position: { height: 100n }, verification: { tables: 1, rows: 100n } });
  });

  test('foreign files are not seen: other prefixes, other endings, directories, temporary files', async () => {
    await using folder = await folderWith({
      's-5.tar.zst': 100n,
      's-extra-7.tar.zst': 3n,
      'other-9.tar.zst': 20n,
      's-12345678901234567890.tar.zst': 20n,
      's-8.tar.zst.part': 20n,
      '.s-9.tar.zst': 20n,
      's-0x10.tar.zst': 20n,
      's-.tar.zst': 20n,
    });
    await mkdir(join(folder.path, 's-6.tar.zst'));
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    const { snapshots, unknown } = await repository.list();
    expect([ids(snapshots), unknown]).toEqual([['s-5'], []]);
    expect(ids((await new Repository({ store: folder.path, prefix: 's-extra' }).list()).unknown)).toEqual(['s-extra-7']);
  });

  test('what is no archive, or half of one, neither counts nor goes, and is not read again at each look', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-6.tar.zst': 20n });
    await truncate(join(folder.path, 's-6.tar.zst'), 1000);
    await writeFile(join(folder.path, 's-7.tar.zst'), 'of another program');
    const repository = new Repository({ store: folder.path, prefix: 's' });
    const bad = await repository.verifyUnknown();
    expect(ids(bad).sort()).toEqual(['s-6', 's-7']);
    const events: string[] = [];
    expect(await repository.verifyUnknown({ onEvent: ({ type }) => events.push(type) })).toEqual(bad);
    expect(events).toEqual([]);
    expect(await readdir(folder.path)).toContain('s-7.tar.zst');
    // Another size: somebody has put another one there.
    await copyFile(join(shared.path, 'at-3.tar.zst'), join(folder.path, 's-7.tar.zst'));
    expect(ids(await repository.verifyUnknown())).toEqual(['s-6']);
    expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-7']);
  });

  test('a verified archive that has changed its size since, or lost its record, does not count', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-6.tar.zst': 20n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    await truncate(join(folder.path, 's-5.tar.zst'), 1000);
    await writeFile(join(folder.path, 's-6.tar.zst.verified.json'), '{"verifiedAt": "now"}');
    const { snapshots, unknown } = await repository.list();
    expect(snapshots).toEqual([]);
    expect(unknown.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('it has 1000 bytes, and had'),
      'it has not been verified yet',
    ]);
  });

  test('a record that is written anew is read anew', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    const path = join(folder.path, 's-5.tar.zst.verified.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"height": "100"', '"height": "101"'));
    expect(await repository.newestGood()).toMatchObject({ position: { height: 101n } });
  });

  test('a snapshot that is doubted does not count until it is verified again', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-6.tar.zst': 20n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    await repository.doubt(await repository.find('s-5'));
    expect((await repository.newestGood())?.id).toBe('s-6');
    await repository.verifyUnknown();
    expect((await repository.newestGood())?.id).toBe('s-5');
  });
});

describe('what is done to them', () => {
  test('pins and drills are remembered by the folder, and taken back', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    const drill = { at: new Date('2026-01-01T00:00:00Z'), durationMs: 1500, ok: true, rows: 100n };
    await repository.pin(await repository.find('s-5'), 'before the migration, as agreed');
    await repository.recordDrill(await repository.find('s-5.tar.zst'), drill);
    const seen = await new Repository({ store: folder.path, prefix: 's' }).find('s-5');
    expect(seen).toMatchObject({ pinned: 'before the migration, as agreed', drill });
    await expect(repository.remove(seen)).rejects.toMatchObject({ code: 'USAGE', message: 'remove snapshot s-5: it is pinned' });
    await repository.unpin(seen);
    await repository.unpin(seen);
    expect(await repository.find('s-5')).not.toHaveProperty('pinned');
    await repository.pin(seen);
    expect(await repository.find('s-5')).toMatchObject({ pinned: '' });
  });

  test('what a killed process left of records is cleared away, and nothing else', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    const host = encodeURIComponent(hostname());
    const left = [`.put-${host}-${process.pid}-${'a'.repeat(16)}.tidemark`];
    const foreign = [
      `.put-elsewhere-7-${'a'.repeat(16)}.tidemark`,
      '.s-5.tar.zst.77-1.tidemark',
      `.put-${host}-${process.pid}-${'a'.repeat(15)}.tidemark`,
      's-5.tar.zst.bak',
    ];
    for (const name of [...left, ...foreign]) await writeFile(join(folder.path, name), '');
    // Clocks differ.
    const soon = new Date(Date.now() + 3_600_000);
    for (const name of left) await utimes(join(folder.path, name), soon, soon);
    await repository.clearUp();
    expect((await readdir(folder.path)).sort()).toEqual(['s-5.tar.zst', ...foreign].sort());
  });

  test('one that is being read stays until the next time', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-6.tar.zst': 20n, 's-7.tar.zst': 3n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    const { keep, removed } = await pruneRepository(repository, { last: 1 }, { inUse: new Set(['s-6']) });
    expect([keep.map(({ snapshot, reasons }) => [snapshot.id, ...reasons]), ids(removed)]).toEqual([
      [
        ['s-5', 'last snapshot'],
        ['s-6', 'in use'],
      ],
      ['s-7'],
    ]);
    expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-6']);
    await pruneRepository(repository, { last: 1 });
    expect(ids((await repository.list()).snapshots)).toEqual(['s-5']);
  });

  test('removing one removes what is its own, and nothing else', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n, 's-55.tar.zst': 20n, 'notes.txt': 3n, 's-5.tar.zst.bak': 3n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await repository.verifyUnknown();
    const before = await readdir(folder.path);
    await repository.remove(await repository.find('s-5'));
    const gone = ['s-5.tar.zst', 's-5.tar.zst.verified.json'];
    expect((await readdir(folder.path)).sort()).toEqual(before.filter((name) => !gone.includes(name)).sort());
  });

  test('names that are there, or count not, are told from those that are not there', async () => {
    await using folder = await folderWith({ 's-5.tar.zst': 100n });
    const repository = new Repository({ store: folder.path, prefix: 's' });
    await expect(repository.find('s-5')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('not been verified yet'),
    });
    await expect(repository.find('s-6')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('there is none of that name'),
    });
  });

  test('a prefix that is no part of a file name is refused', () => {
    for (const prefix of ['', '.hidden', 'a/b', '../up', '-x', 'ä', 'x'.repeat(101)]) {
      expect(() => new Repository({ store: '/nowhere', prefix })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });
});
