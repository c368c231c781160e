import { expect, test } from 'vitest';
import { dropClone } from '#dist/app/clones/clone.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { connect, createDatabase, databaseUrl, patience } from '../server/index.js';

test('a session that is about to end is not cut off', async () => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(databaseUrl(db.url, 'postgres'), patience), { use: 'write' });
  const client = await connect(db.url);
  const errors: Error[] = [];
  client.on('error', (error) => void errors.push(error));
  let dropped = false;
  const dropping = dropClone(session, new URL(db.url).pathname.slice(1), 120_000).then(() => {
    dropped = true;
  });
  for (let turn = 0; turn < 200; turn += 1) await client.query('SELECT 1');
  expect(dropped).toBe(false);
  await client.end();
  await dropping;
  expect(errors).toEqual([]);
  await expect(connect(db.url)).rejects.toThrow('does not exist');
});
