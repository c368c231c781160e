import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { holdAutovacuum, releaseAutovacuum } from '#dist/restore/autovacuum.js';
import { createDatabase, patience } from '../server/index.js';

const options = `
  SELECT c.relname AS name, c.reloptions::text AS own, t.reloptions::text AS toast
    FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
   WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`;

test('tables are held and released, and keep what they said themselves', async () => {
  await using db = await createDatabase();
  await db.query(`
    CREATE TABLE bare (a int);
    CREATE TABLE "wide 'n' odd" (a text) WITH (fillfactor = 70);
    CREATE TABLE own (a text) WITH (autovacuum_enabled = on);
    CREATE TABLE own_toast (a text) WITH (toast.autovacuum_enabled = off, toast.vacuum_truncate = off);
    CREATE TABLE other (a text)`);
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  const before = await db.query(options);
  const names = ['bare', "wide 'n' odd", 'own', 'own_toast', 'missing'].map((name) => ({ schema: 'public', name }));

  const held = await holdAutovacuum(session, names);
  expect(await db.query(options)).toEqual([
    { name: 'bare', own: '{autovacuum_enabled=off}', toast: null },
    { name: 'other', own: null, toast: null },
    { name: 'own', own: '{autovacuum_enabled=on}', toast: null },
    { name: 'own_toast', own: '{autovacuum_enabled=off}', toast: '{autovacuum_enabled=off,vacuum_truncate=off}' },
    { name: "wide 'n' odd", own: '{fillfactor=70,autovacuum_enabled=off}', toast: '{autovacuum_enabled=off}' },
  ]);

  await releaseAutovacuum(session, held);
  expect(await db.query(options)).toEqual(before);
});
