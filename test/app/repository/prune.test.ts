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
