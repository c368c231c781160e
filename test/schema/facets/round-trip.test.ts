// What pg_dump does not print, or could not restore: comparing comments and privileges as the catalogs have them, roles with hostile
// names, roles that are gone, grant options that were taken back.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { quoteIdentifier } from '#dist/pg/quote.js';
import { connect, createDatabase, requestedVersions, serverUrl, type TestDatabase, uniqueName, type Version } from '../../server/index.js';
import { dumpSchema, readSchema, runSteps } from '../judge.js';

async function fixture(name: string): Promise<string> {
  return readFile(new URL(`../../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8');
}

/** Every comment on an object of the user, by the object's name. */
async function commentsOf(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    SELECT o.type, o.identity, d.description
      FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
     WHERE d.objoid >= 16384 AND o.identity IS NOT NULL ORDER BY 1, 2, 3`);
}

/** Every list of privileges by the object's name, as a set of items: the server gives their order no meaning, nor does it tell a table
 *  that says the built-in default from one that says nothing. */
async function privilegesOf(database: TestDatabase): Promise<unknown[]> {
  const lists = [
    ['pg_class', 'oid', '0', 'relacl'],
    ['pg_attribute', 'attrelid', 'attnum', 'attacl'],
    ['pg_proc', 'oid', '0', 'proacl'],
    ['pg_type', 'oid', '0', 'typacl'],
    ['pg_namespace', 'oid', '0', 'nspacl'],
    ['pg_language', 'oid', '0', 'lanacl'],
    ['pg_default_acl', 'oid', '0', 'defaclacl'],
  ].map(([catalog, oid, subid, acl]) => {
    const classid = catalog === 'pg_attribute' ? 'pg_class' : catalog;
    return `SELECT '${catalog}' AS catalog, o.identity, ARRAY(SELECT i::text FROM unnest(c.${acl}) i ORDER BY 1) AS items
              FROM ${catalog} c, pg_identify_object('${classid}'::regclass, c.${oid}, ${subid}) o WHERE c.${acl} IS NOT NULL
               AND ('${catalog}' <> 'pg_class' OR c.${acl}::text <> acldefault('r', (to_jsonb(c) ->> 'relowner')::oid)::text)`;
  });
  return database.query(`${lists.join(' UNION ALL ')} ORDER BY 1, 2`);
}

/** A role with a name that is hard on whoever does not quote it. Roles outlive databases, so it is dropped by hand, after them. */
async function createOddRole(version: Version): Promise<AsyncDisposable & { readonly name: string; readonly quoted: string }> {
  const name = `a "role" =/,{}\\'${uniqueName()}`;
  const quoted = quoteIdentifier(name);
  const run = async (text: string) => {
    await using client = await connect(await serverUrl(version));
    await client.query(text);
  };
  await run(`CREATE ROLE ${quoted}`);
  return { name, quoted, [Symbol.asyncDispose]: () => run(`DROP ROLE IF EXISTS ${quoted}`) };
}

describe.each(requestedVersions())('on PostgreSQL %i', (version) => {
  test('every comment arrives', async () => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(await fixture('comments'));
    await runSteps(target.url, (await readSchema(source.url)).steps);
    const comments = await commentsOf(source);
    expect(comments.length).toBeGreaterThan(50);
    expect(await commentsOf(target)).toEqual(comments);
  });

  test.each(['privileges', 'default-privileges', 'privileges-extension'])('every privilege of %s arrives', async (name) => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(await fixture(name));
    await runSteps(target.url, (await readSchema(source.url)).steps);
    expect(await privilegesOf(target)).toEqual(await privilegesOf(source));
  });

  // Case 197.
  test('roles may have any name, and are said to be needed', async () => {
    await using owner = await createOddRole(version);
    await using other = await createOddRole(version);
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      CREATE SCHEMA app;
      CREATE TABLE app.t (id integer, "a ""column" text);
      ALTER TABLE app.t OWNER TO ${owner.quoted};
      GRANT SELECT ON app.t TO ${other.quoted} WITH GRANT OPTION;
      GRANT UPDATE ("a ""column") ON app.t TO ${other.quoted};
      GRANT USAGE ON SCHEMA app TO ${other.quoted};
      SET ROLE ${other.quoted};
      GRANT SELECT ON app.t TO pg_monitor;
      RESET ROLE;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${owner.quoted} GRANT SELECT ON TABLES TO ${other.quoted};`);
    const { steps } = await readSchema(source.url);
    await runSteps(target.url, steps);
    expect(await privilegesOf(target)).toEqual(await privilegesOf(source));
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
    const roles = new Set(steps.flatMap((step) => step.roles ?? []));
    expect([...roles].sort()).toEqual(expect.arrayContaining([owner.name, other.name, 'pg_monitor']));
  });

  test('a role that is gone is left out, and named', async () => {
    await using role = await createOddRole(version);
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      CREATE TABLE t (id integer);
      GRANT INSERT ON t TO ${role.quoted} WITH GRANT OPTION;
      GRANT SELECT ON t TO pg_monitor;
      SET ROLE ${role.quoted};
      GRANT INSERT ON t TO pg_monitor;
      RESET ROLE;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${role.quoted}, pg_monitor;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${role.quoted} GRANT SELECT ON TABLES TO pg_monitor;`);
    const [{ oid } = {}] = await source.query<{ oid: number }>('DELETE FROM pg_authid WHERE rolname = $1 RETURNING oid', [role.name]);
    const { steps, leftOut } = await readSchema(source.url);
    expect(leftOut).toEqual([
      { kind: 'privilege', name: 'TABLE "public"."t"', reason: `the role with OID ${oid} does not exist any more` },
      expect.objectContaining({ kind: 'default privileges', reason: `the role with OID ${oid} does not exist any more` }),
      expect.objectContaining({ kind: 'default privileges', reason: 'their role does not exist any more' }),
    ]);
    await runSteps(target.url, steps);
    const [row] = await target.query<{ relacl: string }>(`SELECT relacl::text FROM pg_class WHERE relname = 't'`);
    expect(row?.relacl).toContain('pg_monitor=r/');
    expect(row?.relacl).not.toContain('pg_monitor=ar');
  });

  test('so it is on large objects', async () => {
    await using role = await createOddRole(version);
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      SELECT lo_create(20001), lo_create(20002);
      GRANT SELECT ON LARGE OBJECT 20001 TO ${role.quoted}, pg_monitor`);
    const [{ oid } = {}] = await source.query<{ oid: number }>('DELETE FROM pg_authid WHERE rolname = $1 RETURNING oid', [role.name]);
    const { steps, partial } = await readSchema(source.url);
    const reason = `privileges: the role with OID ${oid} does not exist any more`;
    expect([...partial.values()]).toEqual([[{ kind: 'large object', name: '20001', reason }]]);
    await runSteps(target.url, steps);
    const rows = await target.query<{ acl: string }>('SELECT lomacl::text AS acl FROM pg_largeobject_metadata ORDER BY oid');
    expect(rows).toEqual([{ acl: '{postgres=rw/postgres,pg_monitor=r/postgres}' }, { acl: null }]);
  });

  test('a grant option that came from a second role in the end is granted before it is used', async () => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      CREATE TABLE t (id integer);
      GRANT SELECT ON t TO pg_read_all_data WITH GRANT OPTION;
      GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION;
      SET ROLE pg_read_all_data;
      GRANT SELECT ON t TO pg_write_all_data;
      SET ROLE pg_monitor;
      GRANT SELECT ON t TO pg_read_all_data WITH GRANT OPTION;
      RESET ROLE;
      REVOKE GRANT OPTION FOR SELECT ON t FROM pg_read_all_data;`);
    await runSteps(target.url, (await readSchema(source.url)).steps);
    expect(await privilegesOf(target)).toEqual(await privilegesOf(source));
  });

  test('the session is its own again after grants of others', async () => {
    await using source = await createDatabase({ version });
    await source.run(`
      CREATE TABLE t (id integer, name text);
      GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION;
      SET ROLE pg_monitor;
      GRANT SELECT ON t TO pg_read_all_data, pg_write_all_data;
      GRANT SELECT (name) ON t TO pg_signal_backend;
      RESET ROLE;
      GRANT INSERT ON t TO pg_signal_backend;`);
    const { steps } = await readSchema(source.url);
    const granted = steps.filter((step) => step.facet === 'privilege' && step.statements.length > 2).map((step) => step.statements);
    expect(granted).toEqual([
      [
        'GRANT SELECT ON TABLE "public"."t" TO "pg_monitor" WITH GRANT OPTION',
        'SET ROLE "pg_monitor"',
        'GRANT SELECT ON TABLE "public"."t" TO "pg_read_all_data"',
        'GRANT SELECT ON TABLE "public"."t" TO "pg_write_all_data"',
        'RESET ROLE',
        'GRANT INSERT ON TABLE "public"."t" TO "pg_signal_backend"',
        'SET ROLE "pg_monitor"',
        'GRANT SELECT ("name") ON TABLE "public"."t" TO "pg_signal_backend"',
        'RESET ROLE',
      ],
    ]);
  });

  test('public keeps what everybody may do there, on the same version', async () => {
    for (const script of [
      'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
      'GRANT ALL ON SCHEMA public TO PUBLIC',
      'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    ]) {
      await using source = await createDatabase({ version });
      await using target = await createDatabase({ version });
      await source.run(script);
      await runSteps(target.url, (await readSchema(source.url)).steps);
      expect(await privilegesOf(target)).toEqual(await privilegesOf(source));
    }
  });
});
