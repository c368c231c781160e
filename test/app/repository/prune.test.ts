// Pruning a folder: the plan and the removals agree, and what comes in between takes nothing good away.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneRepository } from '#dist/app/repository/prune.js';
import { Repository } from '#dist/app/repository/repository.js';
import { temporaryDirectory } from '../../temporary-directory.js';
import { fillStore } from './fill-store.js';

const heights = [1n, 2n, 3n, 4n, 5n];

async function five() {
  const folder = await temporaryDirectory();
  await fillStore(folder.path, Object.fromEntries(heights.map((height) => [`s-${height}`, { height, lsn: height }])));
  return { folder, repository: new Repository({ store: folder.path, prefix: 's' }) };
}

const ids = (found: readonly { readonly id: string }[]): string[] => found.map(({ id }) => id);

test('a dry run says what a run does, and does nothing', async () => {
  const { folder, repository } = await five();
  await using _ = folder;
  await writeFile(join(folder.path, 's-9.tar.zst'), 'not verified');
  await repository.pin(await repository.find('s-2'), 'why not');
  const before = await readdir(folder.path);
  const planned = await pruneRepository(repository, { last: 2 }, { dryRun: true });
  expect(await readdir(folder.path)).toEqual(before);
  expect(planned.keep.map(({ snapshot, reasons }) => [snapshot.id, reasons])).toEqual([
    ['s-5', ['last snapshot']],
    ['s-4', ['last snapshot']],
    ['s-2', ['pinned: why not']],
  ]);
  expect([ids(planned.removed), ids(planned.unknown)]).toEqual([['s-3', 's-1'], ['s-9']]);
  const order: string[] = [];
  expect(await pruneRepository(repository, { last: 2 }, { onRemoved: ({ id }) => order.push(id) })).toEqual(planned);
  expect(order).toEqual(['s-1', 's-3']);
  expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-4', 's-2']);
  expect(await readdir(folder.path)).toContain('s-9.tar.zst');
});

test('one that is pinned between the decision and its turn stays', async () => {
  const { folder, repository } = await five();
  await using _ = folder;
  const third = await repository.find('s-3');
  const pinned = new Repository({ store: folder.path, prefix: 's' });
  const remove = repository.remove.bind(repository);
  repository.remove = async (snapshot) => {
    await pinned.pin(third);
    await remove(snapshot);
  };
  const { keep, removed } = await pruneRepository(repository, { last: 1 });
  expect(keep.map(({ snapshot, reasons }) => [snapshot.id, reasons])).toEqual([
    ['s-5', ['last snapshot']],
    ['s-3', ['pinned']],
  ]);
  expect(ids(removed)).toEqual(['s-4', 's-2', 's-1']);
  expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-3']);
});

test('where somebody empties the folder meanwhile, what is left stays', async () => {
  const { folder, repository } = await five();
  await using _ = folder;
  const onRemoved = () => {
    for (const name of ['s-5.tar.zst', 's-4.tar.zst']) gone.push(rm(join(folder.path, name)));
  };
  const gone: Promise<void>[] = [];
  const store = await repository.store();
  const stat = store.stat.bind(store);
  store.stat = async (key) => {
    await Promise.all(gone);
    return await stat(key);
  };
  await expect(pruneRepository(repository, { last: 2 }, { onRemoved })).rejects.toMatchObject({ code: 'FILE_ERROR' });
  expect(ids((await repository.list()).snapshots)).toEqual(['s-3', 's-2']);
});

test('a signal ends it between two removals', async () => {
  const { folder, repository } = await five();
  await using _ = folder;
  const stop = new AbortController();
  await expect(pruneRepository(repository, { last: 1 }, { onRemoved: () => stop.abort(), signal: stop.signal })).rejects.toThrow();
  expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-4', 's-3', 's-2']);
});

test('a policy that cannot be followed removes nothing', async () => {
  const { folder, repository } = await five();
  await using _ = folder;
  for (const policy of [{}, { last: 0 }]) {
    await expect(pruneRepository(repository, policy)).rejects.toMatchObject({ code: 'USAGE' });
  }
  expect((await repository.list()).snapshots).toHaveLength(5);
});

test('what holds rows of one that stays, stays; one whose rows lie in another that has gone does not count', async () => {
  await using folder = await temporaryDirectory();
  const store = folder.path;
  const others = (id: string) => ({ others: [`${id}.tar.zst`] });
  await fillStore(store, Object.fromEntries(heights.map((height) => [`s-${height}`, { height, lsn: height }])), {
    's-5': others('s-2'),
    's-4': others('s-1'),
    's-3': others('s-1'),
  });
  const repository = new Repository({ store, prefix: 's' });
  const { keep, removed } = await pruneRepository(repository, { last: 1 }, { inUse: new Set(['s-3']) });
  expect(keep.map(({ snapshot, reasons }) => [snapshot.id, ...reasons])).toEqual([
    ['s-5', 'last snapshot'],
    ['s-3', 'in use'],
    ['s-2', 'referred to by s-5'],
    ['s-1', 'referred to by s-3'],
  ]);
  expect(ids(removed)).toEqual(['s-4']);
  await rm(join(store, 's-2.tar.zst'));
  const { snapshots, unknown } = await repository.list();
  expect([ids(snapshots), unknown]).toEqual([
    ['s-3', 's-1'],
    [expect.objectContaining({ id: 's-5', problem: 'a part of its rows is in s-2.tar.zst, which is not there' })],
  ]);
});

test('one that is pinned in its turn keeps what holds its rows', async () => {
  await using folder = await temporaryDirectory();
  const store = folder.path;
  await fillStore(store, Object.fromEntries(heights.map((height) => [`s-${height}`, { height, lsn: height }])), {
    's-4': { others: ['s-1.tar.zst'] },
  });
  const repository = new Repository({ store, prefix: 's' });
  const remove = repository.remove.bind(repository);
  repository.remove = async (snapshot) => {
    if (snapshot.id === 's-4') await repository.pin(snapshot);
    await remove(snapshot);
  };
  const { removed } = await pruneRepository(repository, { last: 1 });
  expect(ids(removed)).toEqual(['s-3', 's-2']);
  expect(ids((await repository.list()).snapshots)).toEqual(['s-5', 's-4', 's-1']);
});
