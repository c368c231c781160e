// New databases: --create, and --swap, which puts one into the place of another; and what is left of either when the process is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { connect, createDatabase, createRole, openDatabase, serverUrl, type TestDatabase } from '../../server/index.js';
import { digest, makeSample, type Sample, sampleRows } from './restore-sample.js';

let sample: Sample;
let expected: Record<string, string>;

beforeAll(async () => {
  sample = await makeSample();
  expected = await digest(sample.source);
});
afterAll(() => sample[Symbol.asyncDispose]());

const restore = (target: { readonly url: string }, more: Partial<RestoreOptions> = {}) =>
  restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, ...more });

/** Names of the databases that begin like this one. */
async function databasesLike({ name }: { readonly name: string }): Promise<string[]> {
  const server = openDatabase(await serverUrl(), 'postgres');
  const rows = await server.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname LIKE $1 || '%' ORDER BY 1`, [name]);
  return rows.map(({ datname }) => datname);
}

async function onServer(sql: string): Promise<void> {
  await openDatabase(await serverUrl(), 'postgres').run(sql);
}

/** A database with something of its own in it. */
async function oldDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  await database.run('CREATE TABLE public.old (id int); INSERT INTO old VALUES (1)');
  return database;
}

const isOld = async (database: TestDatabase): Promise<boolean> =>
  (await database.query(`SELECT to_regclass('public.old') IS NOT NULL AS old`))[0]?.old === true;

describe('swap', () => {
  test('the new database takes the place of the old, with its settings', async () => {
    await using role = await createRole();
    await using target = await oldDatabase();
    await onServer(`ALTER DATABASE "${target.name}" OWNER TO "${role.name}"`);
    await onServer(`COMMENT ON DATABASE "${target.name}" IS 'it''s mine'`);
    await onServer(`ALTER DATABASE "${target.name}" SET search_path = "$user", public, "odd, name"`);
    await onServer(`ALTER ROLE "${role.name}" IN DATABASE "${target.name}" SET work_mem = '5MB'`);
    await onServer(`REVOKE TEMP ON DATABASE "${target.name}" FROM PUBLIC`);
    await onServer(`ALTER DATABASE "${target.name}" CONNECTION LIMIT 17`);
    await onServer(`ALTER DATABASE "${target.name}" IS_TEMPLATE true`);
    const properties = `
      SELECT datdba::regrole::text AS owner, datistemplate, shobj_description(d.oid, 'pg_database') AS comment, datconnlimit, datacl::text[] AS acl,
             ARRAY(SELECT setrole::regrole || ' ' || setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid ORDER BY 1) AS settings
        FROM pg_database d WHERE datname = current_database()`;
    const before = await target.query(properties);

    expect(await restore(target, { swap: true })).toMatchObject({ database: target.name, rows: sampleRows });
    expect(await digest(target)).toEqual(expected);
    const sorted = ([row]: Record<string, unknown>[]) => ({ ...row, acl: (row?.acl as string[] | null)?.toSorted() });
    expect(sorted(await target.query(properties))).toEqual(sorted(before));
    expect(await databasesLike(target)).toEqual([target.name]);
    await onServer(`ALTER DATABASE "${target.name}" IS_TEMPLATE false`);
  });

  test('from a pipe, too', async () => {
    await using target = await oldDatabase();
    await restore(target, { swap: true, file: createReadStream(sample.file) });
    expect(await digest(target)).toEqual(expected);
  });

  test('where there is none it is made', async () => {
    await using target = await createDatabase();
    await onServer(`DROP DATABASE "${target.name}"`);
    await restore(target, { swap: true });
    expect(await digest(target)).toEqual(expected);
    expect(
      await target.query(`SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = current_database()`),
    ).toEqual([{ comment: null }]);
  });

  test('a database in use is refused before anything is done; with force its sessions are ended', async () => {
    await using target = await oldDatabase();
    const client = await target.connect();
    const ended = new Promise((resolve) => client.once('end', resolve));
    await expect(restore(target, { swap: true })).rejects.toMatchObject({
      code: 'TARGET_IN_USE',
      message: expect.stringContaining('test driver'),
      hint: expect.stringContaining('--force'),
    });
    expect(await databasesLike(target)).toEqual([target.name]);
    await client.query('SELECT 1');
    await restore(target, { swap: true, force: true });
    await ended;
    expect(await digest(target)).toEqual(expected);
  });

  test('somebody who connects meanwhile keeps the old one', async () => {
    await using target = await oldDatabase();
    let client: Awaited<ReturnType<TestDatabase['connect']>> | undefined;
    const connecting: Promise<void>[] = [];
    const onEvent = (event: TidemarkEvent) => {
      if (event.type !== 'phase' || event.phase !== 'rows') return;
      connecting.push(
        target.connect().then((connected) => {
          client = connected;
        }),
      );
    };
    await expect(restore(target, { swap: true, onEvent })).rejects.toMatchObject({
      code: 'TARGET_IN_USE',
      message: expect.stringContaining(`${target.name} is as it was`),
    });
    await Promise.all(connecting);
    await client?.end();
    expect(await isOld(target)).toBe(true);
    await restore(target, { swap: true });
    expect(await digest(target)).toEqual(expected);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("databases of these names that are somebody else's are not touched", async () => {
    for (const suffix of ['__restoring', '__replaced']) {
      await using target = await oldDatabase();
      const other = openDatabase(await serverUrl(), `${target.name}${suffix}`);
      await onServer(`CREATE DATABASE "${other.name}"`);
      await other.run('CREATE TABLE public.mine ()');
      await expect(restore(target, { swap: true })).rejects.toMatchObject({
        code: 'TARGET_NOT_EMPTY',
        message: expect.stringContaining(other.name),
      });
      expect(await databasesLike(target)).toEqual([target.name, other.name]);
      expect(await isOld(target)).toBe(true);
      await other.drop();
    }
  });

  test('a failure in the new one leaves the old one, and the next swap clears it away', async () => {
    await using target = await oldDatabase();
    const whole = await readFile(sample.file);
    const short = Readable.from([whole.subarray(0, whole.length - 1)]);
    await expect(restore(target, { swap: true, file: short })).rejects.toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
      message: expect.stringContaining(`${target.name} is as it was`),
    });
    expect(await isOld(target)).toBe(true);
    await restore(target, { swap: true });
    expect(await digest(target)).toEqual(expected);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test('one at a time: a second one waits for a moment', async () => {
    await using target = await oldDatabase();
    const seconds: Promise<unknown>[] = [];
    const phases: string[] = [];
    const told = (run: string) => (event: TidemarkEvent) => {
      if (event.type !== 'phase') return;
      phases.push(`${run}: ${event.phase}`);
      if (event.phase === 'pre-data' && seconds.length === 0) seconds.push(restore(target, { swap: true, onEvent: told('second') }));
    };
    await restore(target, { swap: true, onEvent: told('first') });
    await Promise.all(seconds);
    expect(phases.indexOf('second: create database')).toBeGreaterThan(phases.indexOf('first: swap'));
    expect(await digest(target)).toEqual(expected);
  });

  test('one at a time: a second one does not wait for long', async () => {
    await using target = await oldDatabase();
    await using other = await connect(await serverUrl());
    await other.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`tidemark swap ${target.name}`]);
    await expect(restore(target, { swap: true })).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
  });
});

describe('create', () => {
  test('makes the database that the archive names; drops it first only when told to', async () => {
    // The archive names its source: out of the way with that.
    await using other = await makeSample();
    const server = await serverUrl();
    await expect(restore({ url: server }, { create: true, file: other.file })).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    await other.source.run('DROP TABLE app.events');
    expect(await restore({ url: server }, { create: true, clean: true, file: other.file })).toMatchObject({ database: other.source.name });
    expect(await digest(other.source)).toEqual(expected);
    await onServer(`DROP DATABASE "${other.source.name}"`);
    await expect(restore({ url: server }, { create: true, clean: true, file: other.file })).rejects.toMatchObject({
      code: 'DATABASE_MISSING',
    });
    await restore({ url: server }, { create: true, clean: true, ifExists: true, file: other.file });
    expect(await digest(other.source)).toEqual(expected);
  });

  test('a part of an archive does not take the place of a database that a restore of a whole one has not ended in', async () => {
    await using other = await makeSample();
    const server = await serverUrl();
    await other.source.run('CREATE SCHEMA tidemark_restoring');
    await expect(restore({ url: server }, { create: true, tables: ['app.events'], file: other.file })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
      message: expect.stringContaining('an earlier restore of a whole one into it has not ended; nothing was changed'),
    });
    expect(await digest(other.source)).toEqual(expected);
  });
});

describe('what belongs to the database itself', () => {
  /** Comment, limit, privileges and settings; the name of the database is not part of any. */
  const properties = `
    SELECT pg_get_userbyid(datdba) AS owner, shobj_description(d.oid, 'pg_database') AS comment, datconnlimit,
           datacl::text[] AS acl, (SELECT json_agg(json_build_array(setrole::regrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting
             WHERE setdatabase = d.oid) AS settings
      FROM pg_database d WHERE datname = $1`;
  const read = async (name: string) => {
    await using server = await connect(await serverUrl());
    return (await server.query(properties, [name])).rows;
  };

  test('comes with --create: owner, comment, limit, privileges and settings; not with --no-owner and --no-privileges', async () => {
    await using role = await createRole();
    await using other = await createDatabase();
    const name = `"${other.name}"`;
    for (const statement of [
      `ALTER DATABASE ${name} OWNER TO "${role.name}"`,
      `COMMENT ON DATABASE ${name} IS 'it''s "ours"'`,
      `ALTER DATABASE ${name} CONNECTION LIMIT 7`,
      `REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`,
      `GRANT CREATE ON DATABASE ${name} TO "${role.name}" WITH GRANT OPTION`,
      `ALTER DATABASE ${name} SET search_path TO app, "B c", ''`,
      `ALTER DATABASE ${name} SET default_transaction_read_only TO on`,
      `ALTER ROLE "${role.name}" IN DATABASE ${name} SET my.secret TO 'it''s \\ "x"'`,
    ]) {
      await onServer(statement);
    }
    const before = await read(other.name);
    expect(before).toMatchObject([{ owner: role.name, datconnlimit: 7 }]);
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-create-'));
    const file = join(folder, 'other.tar.zst');
    await takeSnapshot({ database: other.url, file });
    const server = await serverUrl();

    const { plan } = await restore({ url: server }, { create: true, clean: true, file });
    expect(plan.slice(-2).map(({ action }) => action)).toEqual(['database properties', 'unmark']);
    expect(await read(other.name)).toEqual(before);

    await restore({ url: server }, { create: true, clean: true, noOwner: true, noPrivileges: true, file });
    expect(await read(other.name)).toMatchObject([{ comment: `it's "ours"`, acl: null }]);
    expect((await read(other.name))[0]?.owner).not.toBe(role.name);

    // Into one that is there, and empty.
    await onServer(`DROP DATABASE ${name}`);
    await onServer(`CREATE DATABASE ${name} TEMPLATE template0`);
    await restore({ url: server }, { create: true, file });
    expect(await read(other.name)).toEqual(before);

    const gone = await createRole();
    await onServer(`ALTER DATABASE ${name} OWNER TO "${gone.name}"`);
    await takeSnapshot({ database: other.url, file });
    await onServer(`ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
    await gone.drop();
    await expect(restore({ url: server }, { create: true, clean: true, file })).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining(gone.name),
    });
    expect(await read(other.name)).toHaveLength(1);
    await rm(folder, { recursive: true });
  });
});

describe('killed', () => {
  const here = dirname(fileURLToPath(import.meta.url));

  /** Restores in another process and kills it when it says `line`. */
  async function killAt(line: string, options: RestoreOptions): Promise<void> {
    const victim = spawn(process.execPath, [join(here, 'restore-victim.mjs'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const said of createInterface({ input: victim.stdout })) if (said === line) victim.kill('SIGKILL');
    if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit');
    expect(victim.signalCode).toBe('SIGKILL');
  }

  test.each(['create database', 'progress', 'unmark', 'swap'])('a swap at "%s"', async (line) => {
    await using target = await oldDatabase();
    await killAt(line, { file: sample.file, database: target.url, jobs: 2, swap: true });
    if (!(await isOld(target))) expect(await digest(target)).toEqual(expected);
    await restore(target, { swap: true });
    expect(await digest(target)).toEqual(expected);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test.each(['mark', 'progress', 'post-data', 'unmark'])('a restore into an empty database at "%s"', async (line) => {
    await using target = await createDatabase();
    await killAt(line, { file: sample.file, database: target.url, jobs: 2 });
    const [state] = await target.query<{ marked: boolean; made: boolean }>(
      `SELECT to_regnamespace('tidemark_restoring') IS NOT NULL AS marked, to_regnamespace('app') IS NOT NULL AS made`,
    );
    // Empty, marked as incomplete, or complete: nothing else.
    if (state?.made && !state.marked) expect(await digest(target)).toEqual(expected);
    else {
      await restore(target);
      expect(await digest(target)).toEqual(expected);
    }
  });

  test.each(['progress', 'commit'])('a transaction in an existing database at "%s"', async (line) => {
    await using target = await createDatabase({ template: sample.source.name });
    await target.run('DELETE FROM app.events WHERE id > 100');
    const before = await digest(target);
    await killAt(line, { file: sample.file, database: target.url, truncate: true });
    expect([before, expected]).toContainEqual(await digest(target));
    await restore(target, { truncate: true });
    expect(await digest(target)).toEqual(expected);
  });
});
