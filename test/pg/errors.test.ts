import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { restoreError } from '#dist/restore/restore-error.js';
import { createDatabase, patience } from '../server/index.js';

test('what the server advises is passed on, where nothing better is known', async () => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'read' });
  const failing = session.query(`SELECT lenght('x')`).catch((error: unknown) => error);
  expect(await failing).toMatchObject({ code: 'SERVER_ERROR', hint: expect.stringMatching(/^the server says: No function matches/) });
  expect(restoreError(await failing, 'view a.b')).toMatchObject({ hint: expect.stringContaining('No function matches') });
});
