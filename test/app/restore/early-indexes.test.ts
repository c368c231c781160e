// Indexes of a table are made while others are still loaded: what comes of it, and of a failure then.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { connect, createDatabase, eventually, type TestDatabase } from '../../server/index.js';
import { rewriteArchive } from '../../untrusted/rewrite.js';
import { digest, sessionsLeft } from './restore-sample.js';

let source: TestDatabase;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-early-'));
  source = await createDatabase();
  // The larger one comes first; no statement about it may wait for a lock that a row of the smaller needs, nor the other way round.
  await source.run(`CREATE SCHEMA app;
    CREATE TABLE app.large (id bigint PRIMARY KEY, a bigint NOT NULL UNIQUE, t text);
    CREATE TABLE app.small (id bigint PRIMARY KEY, large bigint REFERENCES app.large, t text, CONSTRAINT late UNIQUE (t) DEFERRABLE);
    INSERT INTO app.large SELECT n, -n, md5(n::text) FROM generate_series(1, 180000) n;
    INSERT INTO app.small SELECT n, n, md5(n::text) FROM generate_series(1, 40000) n;
    CREATE INDEX by_text ON app.large (t, a);
    CREATE INDEX by_quotient ON app.large ((1000 / a));
    ALTER TABLE app.large REPLICA IDENTITY USING INDEX large_a_key; ALTER TABLE app.small CLUSTER ON small_pkey;
    COMMENT ON CONSTRAINT large_pkey ON app.large IS 'key'; COMMENT ON INDEX app.large_pkey IS 'index of it'`);
  file = join(folder, 'early.tar.zst');
  await takeSnapshot({ database: source.url, file, chunkBytes: 256 << 10 });
});
afterAll(async () => {
  await source.drop();
  await rm(folder, { recursive: true });
});

const marks = `SELECT indexrelid::regclass::text AS index, indisprimary, indisunique, indisclustered, indisreplident, indisvalid,
    obj_description(indexrelid, 'pg_class') AS comment, (SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f') AS "on"
  FROM pg_index WHERE indrelid IN ('app.large'::regclass, 'app.small'::regclass) ORDER BY 1`;

test.each([1, 2, 5])('all is as it was, with %i jobs', async (jobs) => {
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, jobs });
  expect(await digest(target)).toEqual(await digest(source));
  expect(await target.query(marks)).toEqual(await source.query(marks));
  expect(await sessionsLeft(target)).toEqual([]);
});

/** An archive of which the smaller table's rows wait for whoever has the advisory lock: one chunk, so that one job has nothing to do. */
async function heldArchive(name: string, change: (text: string) => string): Promise<string> {
  const [whole, held] = [join(folder, `whole-${name}`), join(folder, name)];
  await takeSnapshot({ database: source.url, file: whole });
  const check = 'ALTER TABLE app.small ADD CONSTRAINT held CHECK (pg_advisory_xact_lock_shared(1)::text IS NOT NULL)';
  await rewriteArchive(whole, held, (catalog) => ({
    ...catalog,
    steps: catalog.steps.map((step) => {
      const statements = step.statements.map(change);
      return {
        ...step,
        statements: statements.some((text) => text.startsWith('CREATE TABLE "app"."small"')) ? [...statements, check] : statements,
      };
    }),
  }));
  return held;
}

test('they are there while others are still loaded', async () => {
  const held = await heldArchive('held.tar.zst', (text) => text);
  await using target = await createDatabase();
  await using holder = await connect(target.url);
  await holder.query('SELECT pg_advisory_lock(1)');
  const restored = restoreSnapshot({ database: target.url, file: held, jobs: 2 });
  const made = `SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indisvalid AND indrelid = to_regclass('app.large') ORDER BY 1`;
  const names = ['by_quotient', 'by_text', 'large_a_key', 'large_pkey'];
  await eventually('its indexes are made', async () => expect((await target.query(made)).map(({ relname }) => relname)).toEqual(names));
  expect(await target.query('SELECT FROM app.small')).toEqual([]);
  await holder.query('SELECT pg_advisory_unlock(1)');
  await restored;
  await target.run('ALTER TABLE app.small DROP CONSTRAINT held');
  expect(await digest(target)).toEqual(await digest(source));
});

test('one that cannot be made ends the restore while others are still loaded', async () => {
  const broken = await heldArchive('broken.tar.zst', (text) => text.replace('/ "a"', '/ ("a" + 7)'));
  await using target = await createDatabase();
  await using holder = await connect(target.url);
  await holder.query('SELECT pg_advisory_lock(1)');
  await expect(restoreSnapshot({ database: target.url, file: broken, jobs: 2 })).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringMatching(/by_quotient.*division by zero.*is marked incomplete/s),
  });
  expect(await sessionsLeft(target)).toEqual([]);
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  expect(await digest(target)).toEqual(await digest(source));
});

test('where there is no connection left for it, it waits until those who load have gone', async () => {
  await using target = await createDatabase();
  await target.run(`ALTER DATABASE "${target.name}" CONNECTION LIMIT 4`);
  await using owner = await createDatabase();
  const role = `early_${owner.name.slice(-8)}`;
  await owner.run(`CREATE ROLE ${role} LOGIN CREATEDB`);
  try {
    await owner.run(`ALTER DATABASE "${target.name}" OWNER TO ${role}`);
    const url = new URL(target.url);
    url.username = role;
    await restoreSnapshot({ database: url.href, file, jobs: 2, noOwner: true });
    expect(await digest(target)).toEqual(await digest(source));
  } finally {
    await target.run(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}`);
    await owner.run(`ALTER DATABASE "${target.name}" OWNER TO CURRENT_USER; DROP ROLE ${role}`);
  }
});
