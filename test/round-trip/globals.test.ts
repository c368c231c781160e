// Roles, memberships, privileges on parameters and tablespaces of a whole server, from one to another, with pg_dumpall as judge. Roles
// are shared by all databases of a server, so these tests have servers of their own. Cases 15 to 19.
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toJson } from '#dist/app/json.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { printSchema } from '#dist/app/snapshot/print-schema.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { openArchive } from '#dist/archive/reader.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { dumpGlobals, oracle } from '../schema/judge.js';
import {
  connect,
  createDatabase,
  createRole,
  openDatabase,
  startServer,
  type TestDatabase,
  type TestServer,
  type Version,
} from '../server/index.js';
import { oldestHere } from '../server/version.js';
import { type Archive, archiveOf } from './cycle.js';

const odd = `"Ann's ""ä""\n\\role; -- "`;

const roles = `
  CREATE ROLE app;
  CREATE ROLE ${odd} LOGIN CREATEDB CREATEROLE NOINHERIT REPLICATION BYPASSRLS CONNECTION LIMIT 5
    VALID UNTIL '2030-01-01 00:00:00+02' PASSWORD 'canary-scram';
  SET password_encryption = md5;
  CREATE ROLE old LOGIN PASSWORD 'canary-md5' VALID UNTIL 'infinity';
  CREATE ROLE boss SUPERUSER LOGIN;
  CREATE ROLE reader CONNECTION LIMIT 0;
  COMMENT ON ROLE ${odd} IS E'it''s\n"hers"';
  ALTER ROLE app SET search_path TO '', 'a b', "c""d", public;
  ALTER ROLE app SET my.secret TO E'it''s \\\\ "x"';
  ALTER ROLE ${odd} SET work_mem TO '7MB';
  ALTER ROLE old SET role TO app;
  GRANT app TO ${odd} WITH ADMIN OPTION;
  GRANT app TO old; GRANT reader TO app;
  GRANT pg_monitor TO reader; GRANT pg_read_all_data TO ${odd} WITH ADMIN OPTION;`;

const from15 = `
  GRANT SET ON PARAMETER work_mem TO app WITH GRANT OPTION;
  GRANT SET, ALTER SYSTEM ON PARAMETER log_statement TO reader;
  GRANT ALTER SYSTEM ON PARAMETER "my.parameter" TO PUBLIC;
  GRANT SET ON PARAMETER my.parameter TO ${odd};
  SET ROLE app; GRANT SET ON PARAMETER work_mem TO reader; RESET ROLE;`;

// A chain in which who comes first by name was granted last.
const from16 = `
  CREATE ROLE z1; CREATE ROLE y2; CREATE ROLE x3; CREATE ROLE "group";
  GRANT "group" TO z1 WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
  GRANT "group" TO y2 WITH ADMIN TRUE, INHERIT TRUE, SET FALSE GRANTED BY z1;
  GRANT "group" TO x3 WITH ADMIN FALSE, INHERIT FALSE, SET TRUE GRANTED BY y2;
  GRANT "group" TO app GRANTED BY y2; GRANT "group" TO app GRANTED BY z1;`;

const inPlace = `
  CREATE TABLESPACE inside OWNER app LOCATION '' WITH (random_page_cost = 1.5, seq_page_cost = 0.5);
  GRANT CREATE ON TABLESPACE inside TO reader WITH GRANT OPTION;
  COMMENT ON TABLESPACE inside IS 'it''s inside';`;

/** One statement at a time, as CREATE TABLESPACE wants it. */
async function runAll(db: TestDatabase, script: string): Promise<void> {
  await using session = await db.connect();
  for (const statement of script.split(/;\s*(?:\n|(?=[A-Z]))/)) if (statement.trim() !== '') await session.query(statement);
}

async function fill(db: TestDatabase, version: Version): Promise<void> {
  await runAll(db, `${roles}${version >= 15 ? from15 : ''}${version >= 16 ? from16 : ''}`);
  await runAll(db, `SET allow_in_place_tablespaces = on; ${inPlace}`);
}

/** A folder that both servers may make a tablespace in: that of one version does not get into the other's way. */
async function folderFor({ directory }: TestServer): Promise<string> {
  const folder = join(directory, 'a tablespace');
  await mkdir(folder);
  const { uid, gid } = await stat(directory);
  await chown(folder, uid, gid);
  return folder;
}

async function onServer(server: TestServer): Promise<TestDatabase> {
  return createDatabase({ server: server.url });
}

/** All bytes of an archive, decompressed, and the files beside it. */
async function everything(file: string): Promise<string> {
  await using archive = await openArchive(file);
  const { schema, tables } = archive.manifest;
  const members = [...schema, ...tables.flatMap(({ chunks }) => chunks)];
  const bodies = await Promise.all(members.map((member) => archive.readMember(member)));
  const files = await Promise.all([file, `${file}.manifest.json`, `${file}.sha256`].map((path) => readFile(path)));
  return Buffer.concat([...bodies, Buffer.from(archive.tail.manifestText), ...files]).toString('latin1');
}

const pairs = ([14, 16, 18] as const).filter((version) => version >= oldestHere).map((version) => [version, 18] as const);

/** Before 16 memberships have neither options nor grantors to speak of. */
function comparable(dump: string | undefined, from: Version): string | undefined {
  if (from >= 16) return dump;
  return dump?.replace(/(,| WITH) INHERIT (TRUE|FALSE) GRANTED BY postgres;/g, ';').replace(/\n+/g, '\n');
}

describe.each(pairs)('from PostgreSQL %i to %i', (from, to) => {
  let source: TestServer;
  let target: TestServer;
  let db: TestDatabase;
  let secret: Archive;
  let hashes: readonly string[];
  let dump: string | undefined;
  beforeAll(async () => {
    [source, target] = await Promise.all([startServer({ version: from }), startServer({ version: to })]);
    db = await onServer(source);
    await fill(db, from);
    const folder = await folderFor(source);
    await db.query(`CREATE TABLESPACE "later ""one" OWNER ${odd} LOCATION '${folder}'`);
    await db.run(`CREATE TABLE mine (id integer); ALTER TABLE mine OWNER TO ${odd}; GRANT SELECT ON mine TO reader`);
    hashes = (await db.query<{ hash: string }>('SELECT rolpassword AS hash FROM pg_authid WHERE rolpassword IS NOT NULL')).map(
      ({ hash }) => hash,
    );
    dump = comparable(await dumpGlobals(source.url), from);
    secret = await archiveOf(db, { globals: true, rolePasswords: true });
  });
  afterAll(async () => {
    await secret[Symbol.asyncDispose]();
    await db.drop();
    await source.stop();
    await target.stop();
  });

  test('password hashes are in the archive, the printed globals and nowhere else, and only where they were asked for', async () => {
    expect(hashes.map((hash) => hash.slice(0, 3)).sort()).toEqual(['SCR', 'md5']);
    await using open = await archiveOf(db, { globals: true });
    expect(open.manifest.leftOut).toContainEqual({
      kind: 'passwords',
      name: 'of roles',
      reason: expect.stringContaining('--role-passwords'),
    });
    const database = db.url;
    const printed = await printSchema({ database, globals: true, globalsOnly: true });
    const told = await printSchema({ database, globals: true, globalsOnly: true, rolePasswords: true });
    for (const hash of hashes) {
      expect(await everything(open.file)).not.toContain(hash);
      expect(await everything(secret.file)).toContain(hash);
      expect(printed.globals).not.toContain(hash);
      expect(told.globals).toContain(hash);
    }
    expect(await everything(open.file)).not.toMatch(/PASSWORD|SCRAM-|rolpassword/);

    await using into = await onServer(target);
    const events: TidemarkEvent[] = [];
    const planned = await restoreSnapshot({
      ...{ database: into.url, file: secret.file, globals: true, dryRun: true },
      onEvent: (event) => events.push(event),
    });
    const shown = toJson({ planned, events });
    expect(shown).toContain(`WITH PASSWORD '...'`);
    for (const hash of hashes) expect(shown).not.toContain(hash);
    expect(await into.query(`SELECT FROM pg_roles WHERE rolname = 'app'`)).toEqual([]);
  });

  test('what pg_dumpall says of both is the same; a second time there is nothing to do', async () => {
    await using into = await onServer(target);
    const without = restoreSnapshot({ database: into.url, file: secret.file, jobs: 1 });
    await expect(without).rejects.toMatchObject({ code: 'TARGET_MISMATCH', details: { roles: expect.arrayContaining(['reader']) } });

    // One directory for two servers of one version will not do.
    await db.run('DROP TABLESPACE "later ""one"');
    const restore = (database: TestDatabase) => restoreSnapshot({ database: database.url, file: secret.file, jobs: 2, globals: true });
    const { globals } = await restore(into);
    expect(globals?.created).toEqual(expect.arrayContaining(['role app', 'role boss', 'membership of old in app', 'tablespace inside']));
    expect(globals?.left).toEqual([]);
    expect(comparable(await dumpGlobals(target.url), from)).toEqual(dump);
    expect(await into.query(`SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'mine'`)).toMatchObject([
      { owner: expect.stringContaining('Ann') },
    ]);
    expect((await into.query<{ hash: string }>('SELECT rolpassword AS hash FROM pg_authid')).map(({ hash }) => hash)).toEqual(
      expect.arrayContaining([...hashes]),
    );

    await using again = await onServer(target);
    expect((await restore(again)).globals).toEqual({ created: [], altered: [], left: [] });
    expect(comparable(await dumpGlobals(target.url), from)).toEqual(dump);
  });

  test('roles that are there become the same; whoever is connected, and tablespaces, stay as they are', async () => {
    await using into = await onServer(target);
    await into.run(`
      ALTER ROLE app SUPERUSER LOGIN CONNECTION LIMIT 3 VALID UNTIL '2001-01-01'; ALTER ROLE app RESET ALL; ALTER ROLE app SET my.own TO 1;
      ALTER ROLE ${odd} INHERIT NOCREATEDB; COMMENT ON ROLE ${odd} IS 'another'; ALTER ROLE old PASSWORD 'other';
      REVOKE app FROM old; ALTER TABLESPACE inside OWNER TO boss; ALTER TABLESPACE inside RESET (seq_page_cost);
      COMMENT ON TABLESPACE inside IS NULL`);
    await db.run(`ALTER ROLE postgres SET work_mem TO '9MB'; ALTER ROLE boss CONNECTION LIMIT 9`);
    await using archive = await archiveOf(db, { globals: true, rolePasswords: true });
    await using bystander = await connect(target.url);
    const notices: string[] = [];
    const { globals } = await restoreSnapshot({
      ...{ database: into.url, file: archive.file, jobs: 1, globals: true, schemas: ['public'] },
      onEvent: (event) => {
        if (event.type === 'notice') notices.push(event.message);
      },
    });
    expect(globals).toMatchObject({
      created: ['membership of old in app'],
      altered: [expect.stringContaining('Ann'), 'role app', 'role boss', 'role old'],
      left: [
        { name: 'role postgres', reason: 'it is the role that is connected; in the archive it has other settings' },
        { name: 'tablespace inside', reason: 'it is there, and in the archive it has another owner, options, comment' },
      ],
    });
    expect(notices.filter((message) => message.startsWith('globals: '))).toHaveLength(2);
    await bystander.query(`ALTER ROLE app RESET my.own; ALTER ROLE app VALID UNTIL 'infinity'`);
    await into.run(`ALTER TABLESPACE inside OWNER TO app; ALTER TABLESPACE inside SET (seq_page_cost = 0.5);
      COMMENT ON TABLESPACE inside IS 'it''s inside'; ALTER ROLE boss CONNECTION LIMIT -1`);
    // What is expected is what the first test had, and the end of time for a role that had an end.
    const expected = dump?.replace(/(ALTER ROLE app WITH .*NOBYPASSRLS);/, "$1 VALID UNTIL 'infinity';");
    expect(comparable(await dumpGlobals(target.url), from)).toEqual(expected);
    await db.run(`ALTER ROLE postgres RESET work_mem; ALTER ROLE boss CONNECTION LIMIT -1`);
  });
});

describe('on PostgreSQL 18', () => {
  let source: TestServer;
  let target: TestServer;
  let db: TestDatabase;
  beforeAll(async () => {
    [source, target] = await Promise.all([startServer({ version: 18 }), startServer({ version: 18 })]);
    db = await onServer(source);
    await fill(db, 18);
  });
  afterAll(async () => {
    await db.drop();
    await source.stop();
    await target.stop();
  });

  test('psql runs what is printed, and makes the same of it', async () => {
    const folder = await oracle();
    if (folder === undefined) return;
    await using server = await startServer({ version: 18 });
    const { globals } = await printSchema({ database: db.url, globals: true, globalsOnly: true, rolePasswords: true });
    const file = join(server.directory, 'globals.sql');
    await writeFile(file, globals);
    await promisify(execFile)(`${folder}/psql`, [
      '--no-psqlrc',
      '--quiet',
      '--set=ON_ERROR_STOP=1',
      `--file=${file}`,
      `--dbname=${server.url}`,
    ]);
    expect(await dumpGlobals(server.url)).toEqual(await dumpGlobals(source.url));
  });

  test('security labels are read; the switches leave out what they say; settings of all roles come along', async () => {
    await db.run(`INSERT INTO pg_shseclabel (objoid, classoid, provider, label)
      SELECT oid, 'pg_authid'::regclass, 'a "provider"', 'it''s secret' FROM pg_roles WHERE rolname = 'app'
      UNION ALL SELECT oid, 'pg_tablespace'::regclass, 'dummy', 'here' FROM pg_tablespace WHERE spcname = 'inside';
      ALTER ROLE ALL SET my.every TO 'every'`);
    const print = async (options: object = {}) =>
      (await printSchema({ database: db.url, globals: true, globalsOnly: true, ...options })).globals;
    const whole = await print();
    const labels = [
      `SECURITY LABEL FOR "a ""provider""" ON ROLE "app" IS 'it''s secret';`,
      `SECURITY LABEL FOR "dummy" ON TABLESPACE "inside" IS 'here';`,
    ];
    const judged = await dumpGlobals(source.url, ['--quote-all-identifiers']);
    for (const label of labels) {
      expect(whole).toContain(label);
      if (judged !== undefined) expect(judged).toContain(label);
    }
    expect(whole).toContain(`ALTER ROLE ALL SET "my"."every" TO 'every';`);
    const lines = (text: string): readonly string[] => text.split('\n').filter((line) => /^[A-Z]/.test(line));
    const lost = async (options: object) => {
      const left = new Set(lines(await print(options)));
      return lines(whole).filter((line) => !left.has(line));
    };
    expect(await lost({ noSecurityLabels: true })).toEqual(labels);
    expect(await lost({ noComments: true })).toHaveLength(2);
    expect(await lost({ noOwner: true })).toEqual([`CREATE TABLESPACE "inside" OWNER "app" LOCATION '';`]);
    expect(
      (await lost({ noPrivileges: true })).every((line) => /^(GRANT .* ON (PARAMETER|TABLESPACE)|SET ROLE|RESET ROLE)/.test(line)),
    ).toBe(true);
    expect(await lost({ noTablespaces: true })).toHaveLength(7);

    await using archive = await archiveOf(db, { globals: true });
    await using into = await onServer(target);
    const restore = (options: object = {}) =>
      restoreSnapshot({ database: into.url, file: archive.file, jobs: 1, globals: true, ...options });
    await expect(restore()).rejects.toMatchObject({
      message: expect.stringMatching(/^restore security label of role app: security label provider "a "provider"" is not loaded/),
      hint: expect.stringContaining('--no-security-labels'),
    });
    // All or nothing.
    expect(await into.query(`SELECT FROM pg_roles WHERE rolname IN ('app', 'reader')`)).toEqual([]);
    expect((await restore({ noSecurityLabels: true, noTablespaces: true, dataOnly: true })).globals?.altered).toContain(
      'settings of all roles',
    );
    expect(await into.query(`SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = 0`)).toEqual([
      { setconfig: ['my.every=every'] },
    ]);
    await db.run('DELETE FROM pg_shseclabel; ALTER ROLE ALL RESET my.every');
  });

  test('roles that are gone, and grantors without ADMIN OPTION, are listed', async () => {
    await using server = await startServer({ version: 18 });
    const own = await onServer(server);
    await own.run(`${roles}${from15}${from16}`);
    await own.run(
      `UPDATE pg_auth_members SET admin_option = false WHERE member = 'z1'::regrole; DELETE FROM pg_authid WHERE rolname = 'old'`,
    );
    await using archive = await archiveOf(own, { globals: true });
    const { manifest } = archive;
    const gone = expect.stringMatching(/^the role with OID \d+ does not exist any more$/);
    const none = expect.stringMatching(/, who granted it, has no ADMIN OPTION$/);
    expect(manifest.leftOut).toEqual([
      { kind: 'membership', name: expect.stringMatching(/^of \d+ in app$/), reason: gone },
      { kind: 'membership', name: 'of app in group', reason: none },
      { kind: 'membership', name: 'of app in group', reason: none },
      { kind: 'membership', name: 'of x3 in group', reason: none },
      { kind: 'membership', name: 'of y2 in group', reason: none },
      { kind: 'passwords', name: 'of roles', reason: expect.anything() },
    ]);
    await own.drop();
  });

  test('passwords need a role that may read them, and globals', async () => {
    await using plain = await createRole({ server: source.url });
    const attempt = (database: string, options: Partial<SnapshotOptions>) =>
      takeSnapshot({ database, file: join(source.directory, 'never'), jobs: 1, ...options });
    await expect(attempt(plain.as(db.url), { globals: true, rolePasswords: true })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('--role-passwords'),
    });
    await expect(attempt(db.url, { rolePasswords: true })).rejects.toMatchObject({ code: 'USAGE' });
    const { globals } = await printSchema({ database: plain.as(db.url), globals: true, globalsOnly: true });
    const { globals: whole } = await printSchema({ database: db.url, globals: true, globalsOnly: true });
    expect(globals).toBe(whole);
    await using bare = await archiveOf(db);
    await using into = await onServer(target);
    await expect(restoreSnapshot({ database: into.url, file: bare.file, globals: true })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a role with CREATEROLE makes roles that have no more than itself', async () => {
    await using servers = await startServer({ version: 18 });
    const own = await onServer(servers);
    await own.run(
      `CREATE ROLE team; CREATE ROLE ann LOGIN PASSWORD 'x' CONNECTION LIMIT 3; GRANT team TO ann; ALTER ROLE ann SET work_mem TO '5MB'`,
    );
    await using archive = await archiveOf(own, { globals: true });
    await own.drop();
    await using maker = await createRole({ server: target.url, attributes: 'LOGIN CREATEROLE' });
    await using into = await onServer(target);
    await into.run(`GRANT CREATE ON DATABASE ${into.name} TO "${maker.name}"`);
    const { globals } = await restoreSnapshot({ database: maker.as(into.url), file: archive.file, jobs: 1, globals: true });
    expect(globals).toEqual({ created: ['role ann', 'role team', 'membership of ann in team'], altered: [], left: [] });
    await into.run(`DROP ROLE ann, team; REVOKE ALL ON DATABASE ${into.name} FROM "${maker.name}"`);
  });

  test('what fails says why, without a password: roles are all or nothing, tablespaces come after them', async () => {
    await using server = await startServer({ version: 18 });
    const own = await onServer(server);
    const folder = await folderFor(server);
    await own.run(`CREATE ROLE ann LOGIN PASSWORD 'canary'; CREATE ROLE beth`);
    await own.query(`CREATE TABLESPACE gone LOCATION '${folder}'`);
    const [secret] = await own.query<{ rolpassword: string }>(`SELECT rolpassword FROM pg_authid WHERE rolname = 'ann'`);
    await using archive = await archiveOf(own, { globals: true, rolePasswords: true });
    await own.query('DROP TABLESPACE gone');
    await rm(folder, { recursive: true });
    await own.drop();

    await using maker = await createRole({ server: target.url, attributes: 'LOGIN CREATEROLE' });
    await using into = await onServer(target);
    await into.run(`CREATE ROLE ann LOGIN; GRANT CREATE ON DATABASE ${into.name} TO "${maker.name}"`);
    const restore = (database: string) => restoreSnapshot({ database, file: archive.file, jobs: 1, globals: true });
    const refused: unknown = await restore(maker.as(into.url)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringMatching(/^restore role ann: permission denied/),
      hint: expect.stringContaining('CREATEROLE'),
    });
    expect(inspect(refused, { depth: 20, showHidden: true })).not.toContain(secret?.rolpassword);
    expect(await into.query(`SELECT FROM pg_roles WHERE rolname = 'beth'`)).toEqual([]);

    await expect(restore(into.url)).rejects.toMatchObject({
      message: expect.stringMatching(/^restore tablespace gone: directory ".*" does not exist/),
      hint: expect.stringContaining('--no-tablespaces'),
    });
    expect(await into.query(`SELECT rolpassword FROM pg_authid WHERE rolname = 'ann'`)).toEqual([secret]);
    const stream = createReadStream(archive.file);
    const { globals } = await restoreSnapshot({ database: into.url, file: stream, jobs: 1, globals: true, noTablespaces: true });
    expect(globals).toEqual({ created: [], altered: [], left: [] });
    await into.run(`DROP ROLE ann, beth; REVOKE ALL ON DATABASE ${into.name} FROM "${maker.name}"`);
  });

  test('--create makes a template again, in the tablespace of the source', async () => {
    const name = 'a "template"';
    await using into = await startServer({ version: 18 });
    await db.query(`CREATE DATABASE "a ""template""" TEMPLATE template0 TABLESPACE inside OWNER app`);
    await db.query(`ALTER DATABASE "a ""template""" IS_TEMPLATE true`);
    const made = openDatabase(source.url, name);
    await using archive = await archiveOf(made, { globals: true });
    const facts = `SELECT datistemplate, pg_get_userbyid(datdba) AS owner, spcname FROM pg_database d
                     JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = $1`;
    const restore = (options: object) =>
      restoreSnapshot({ database: into.url, file: archive.file, jobs: 1, create: true, globals: true, ...options });
    await restore({});
    const target = openDatabase(into.url, name);
    expect(await target.query(facts, [name])).toEqual([{ datistemplate: true, owner: 'app', spcname: 'inside' }]);
    await target.run('CREATE TABLE old ()');
    await restore({ clean: true });
    expect(await target.query(`SELECT to_regclass('public.old') AS old`)).toEqual([{ old: null }]);
    expect(await target.query(facts, [name])).toEqual([{ datistemplate: true, owner: 'app', spcname: 'inside' }]);
    await db.query(`ALTER DATABASE "a ""template""" IS_TEMPLATE false`);
    await made.drop();
  });
});
