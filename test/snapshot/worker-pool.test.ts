import { expect, it } from 'vitest';
import { resolveConnection } from '#dist/pg/settings.js';
import { WorkerPool } from '#dist/snapshot/worker-pool.js';
import { createDatabase } from '../server/index.js';

it('does not wait for workers that ended while they had nothing to do', async () => {
  await using db = await createDatabase();
  const settings = {
    connection: resolveConnection(db.url, {}),
    compressLevel: 3,
    chunkBytes: 1 << 20,
    window: 3,
    framesComeBack: true,
    foreignTables: false,
    spoolPrefix: '/nowhere',
  };
  await using pool = await WorkerPool.start(2, settings);
  await pool[Symbol.asyncDispose]();
  const task = {
    id: 0,
    statement: 'COPY t TO STDOUT',
    format: 'text',
    table: '"t"',
    lockable: true,
    directory: 'data/1-t',
    range: 0,
  } as const;
  const sink = { chunk: async () => undefined, done: () => undefined };
  await expect(pool.read([task], sink)).rejects.toMatchObject({ name: 'TidemarkError', message: /worker thread ended/ });
});
