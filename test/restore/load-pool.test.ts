// The threads that load rows, which are started before there is anything to load into.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileBytes } from '#dist/frame/file-bytes.js';
import { restoreSnapshot, takeSnapshot } from '#dist/index.js';
import { LoadPool } from '#dist/restore/load-pool.js';
import { Slots } from '#dist/restore/slots.js';
import { createDatabase, createRole, eventually } from '../server/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Each thread is a port of this one. */
const ports = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort').length;

test('they end where the restore fails before it has come to the rows', async () => {
  await using role = await createRole();
  await using source = await createDatabase();
  await source.run('CREATE TABLE t AS SELECT g AS id, repeat(md5(g::text), 30) AS value FROM generate_series(1, 5000) AS g');
  const file = join(folder, 'rows.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase();
  const before = ports();
  // It may not make the mark.
  await expect(restoreSnapshot({ database: role.as(target.url), file, jobs: 2, noOwner: true })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  await eventually('they are gone', async () => ports() === before);
});

test('what one could not do at its start is told when it is to load', async () => {
  const path = join(folder, 'gone');
  await writeFile(path, 'an archive');
  await using bytes = await FileBytes.open(path);
  await rm(path);
  await using database = await createDatabase();
  const { hostname: host, port, username: user } = new URL(database.url);
  const connection = { host, port: Number(port), user, database: 'any' } as unknown as ConstructorParameters<
    typeof LoadPool
  >[1]['connection'];
  await using pool = new LoadPool(1, { archives: [bytes], connection, applicationName: 'test', encodings: { text: 'UTF8', rows: 'UTF8' } });
  const options = { onLoaded: () => undefined, onFilled: () => undefined, slots: new Slots(1), signal: new AbortController().signal };
  await expect(pool.load([], options)).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('gone') });
});
