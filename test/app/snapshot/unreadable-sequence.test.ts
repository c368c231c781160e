// A sequence whose value the role may not read stops a snapshot that holds the sequence, and no other.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, createRole, requestedVersions } from '../../server/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-sequence-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('a sequence that may not be read', async () => {
    await using role = await createRole({ version });
    await using db = await createDatabase({ version });
    await db.run(`
      CREATE TABLE open (id int GENERATED ALWAYS AS IDENTITY, note text);
      CREATE TABLE secret (id serial);
      CREATE SCHEMA closed; CREATE TABLE closed.away (id serial);
      GRANT SELECT ON open, open_id_seq, closed.away, closed.away_id_seq TO "${role.name}"`);
    const options = { database: role.as(db.url), file: join(folder, 'a.tar.zst'), jobs: 1 };
    const refused = {
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('secret'),
      hint: expect.stringContaining('--exclude-table'),
    };
    await expect(takeSnapshot({ ...options, excludeSchemas: ['closed'] })).rejects.toMatchObject(refused);

    const { manifest } = await takeSnapshot({ ...options, excludeTables: ['secret'], excludeSchemas: ['closed'] });
    expect(manifest.tables.map(({ name }) => name)).toEqual(['open']);
    const chosen = await takeSnapshot({ ...options, tables: ['open'] });
    expect(chosen.manifest.tables.map(({ name }) => name)).toEqual(['open']);

    // The table is readable now, its sequence is not.
    await db.run(`GRANT SELECT ON secret TO "${role.name}"`);
    const withSecret = { ...options, excludeSchemas: ['closed'] };
    await expect(takeSnapshot(withSecret)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('secret_id_seq') });
    await takeSnapshot({ ...withSecret, schemaOnly: true });
    await db.run(`GRANT SELECT ON secret_id_seq TO "${role.name}"`);
    await takeSnapshot(withSecret);
  });

  test('a sequence of nobody but itself', async () => {
    await using role = await createRole({ version });
    await using db = await createDatabase({ version });
    await db.run(`CREATE SEQUENCE hidden; CREATE TABLE t (id int); GRANT SELECT ON t TO "${role.name}"`);
    const options = { database: role.as(db.url), file: join(folder, 'b.tar.zst'), jobs: 1 };
    await expect(takeSnapshot(options)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message: expect.stringContaining('hidden') });
    await takeSnapshot({ ...options, excludeTables: ['hidden'] });
  });
});
