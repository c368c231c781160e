// What a restore decides about roles and tablespaces, from what is in the archive and on the target. That servers take it, and pg_dumpall
// sees no difference afterwards, is shown by test/round-trip/globals.test.ts.
import { expect, test } from 'vitest';
import type { GlobalRole, Globals, Tablespace } from '#dist/model/globals.js';
import { newRole } from '#dist/pg/globals-sql.js';
import { comingWith, planGlobals } from '#dist/restore/globals.js';

const role = (rolname: string, more: Partial<GlobalRole> = {}): GlobalRole => ({
  ...newRole,
  ...{ rolname, comment: null, labels: [], settings: [] },
  ...more,
});
const superuser = (rolname: string, more: Partial<GlobalRole> = {}) =>
  role(rolname, { rolsuper: true, rolcanlogin: true, bootstrap: true, ...more });
const tablespace = (spcname: string, owner: string): Tablespace => ({
  ...{ spcname, owner, location: '/fast', options: [], comment: null, labels: [], privileges: [], roles: [] },
});
const globals = (more: Partial<Globals>): Globals => ({
  roles: [],
  settings: [],
  memberships: [],
  parameters: [],
  tablespaces: [],
  ...more,
});
const plan = (wanted: Partial<Globals>, there: Partial<Globals> = {}, connected = ['admin']) =>
  planGlobals(globals(wanted), { globals: globals({ ...there, roles: [superuser('admin'), ...(there.roles ?? [])] }), connected });
const texts = ({ statements }: ReturnType<typeof plan>) => statements.map(({ text }) => text);

test('a new role gets what a new role has not', () => {
  const made = plan({
    roles: [role('a', { rolcanlogin: true, rolinherit: false, rolconnlimit: 3, rolvaliduntil: 'infinity' }), role('b')],
  });
  expect(texts(made)).toEqual([
    'CREATE ROLE "a"',
    `ALTER ROLE "a" WITH NOINHERIT LOGIN CONNECTION LIMIT 3 VALID UNTIL 'infinity'`,
    'CREATE ROLE "b"',
  ]);
  expect(made.report).toEqual({ created: ['role a', 'role b'], altered: [], left: [] });
  expect(comingWith(made)).toEqual({ roles: new Set(['a', 'b']), tablespaces: new Set() });
});

test('one that is there gets what differs, and loses only attributes', () => {
  const there = role('a', {
    rolsuper: true,
    comment: 'theirs',
    settings: ['work_mem=1MB', 'my.own=1'],
    rolvaliduntil: '2001-01-01 00:00:00+00',
  });
  const made = plan({ roles: [role('a', { settings: ['work_mem=2MB', 'my.own=1'] })] }, { roles: [there] });
  expect(texts(made)).toEqual([`ALTER ROLE "a" WITH NOSUPERUSER VALID UNTIL 'infinity'`, `ALTER ROLE "a" SET "work_mem" TO '2MB'`]);
  expect(made.report).toEqual({ created: [], altered: ['role a'], left: [] });
  expect(plan({ roles: [role('a')] }, { roles: [role('a', { comment: 'theirs', rolvaliduntil: 'infinity' })] }).report.altered).toEqual([]);
});

test('a password is set where it differs or cannot be read, and is in no statement of the plan', () => {
  const wanted = { roles: [role('a', { rolpassword: 'SCRAM-SHA-256$hash' })] };
  const set = [{ what: 'role a', text: `ALTER ROLE "a" WITH PASSWORD '...'`, passwordOf: 'a' }];
  expect(plan(wanted, { roles: [role('a')] }).statements).toEqual(set);
  expect(plan(wanted, { roles: [role('a', { rolpassword: 'md5other' })] }).statements).toEqual(set);
  expect(plan(wanted, { roles: [role('a', { rolpassword: 'SCRAM-SHA-256$hash' })] }).statements).toEqual([]);
  expect(plan({ roles: [role('a', { rolpassword: null })] }, { roles: [role('a', { rolpassword: 'md5other' })] }).statements).toEqual([]);
});

test('neither the role that is connected nor the superuser of the target is touched', () => {
  const wanted = { roles: [role('admin', { rolpassword: 'md5x' }), role('me', { rolsuper: false, settings: ['a.b=c'] })] };
  const made = plan(wanted, { roles: [role('me', { rolsuper: true })] }, ['me', 'other']);
  expect(made.statements).toEqual([]);
  expect(made.report.left).toEqual([
    { name: 'role admin', reason: 'it is the superuser that the target was made with; in the archive it has other attributes, password' },
    { name: 'role me', reason: 'it is the role that is connected; in the archive it has other attributes, settings' },
  ]);
});

test('the superuser of the source is not made: what needs it is left out, and told', () => {
  const membership = { role: 'a', grantor: null, admin: false, inherit: true, set: true };
  const made = plan({
    roles: [superuser('postgres', { settings: ['work_mem=1MB'] }), role('a')],
    memberships: [
      { ...membership, member: 'postgres' },
      { ...membership, role: 'pg_monitor', member: 'a' },
    ],
    parameters: [{ name: 'work_mem', statements: ['REVOKE ALL ON PARAMETER "work_mem" FROM "postgres"'], roles: ['postgres'] }],
    tablespaces: [{ ...tablespace('fast', 'postgres'), privileges: ['GRANT CREATE ON TABLESPACE "fast" TO "a"'], roles: ['a'] }],
  });
  expect(texts(made)).toEqual(['CREATE ROLE "a"', 'GRANT "pg_monitor" TO "a" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE']);
  expect(made.tablespaces.flatMap(({ create, properties }) => [...create, ...properties]).map(({ text }) => text)).toEqual([
    `CREATE TABLESPACE "fast" LOCATION '/fast'`,
    'GRANT CREATE ON TABLESPACE "fast" TO "a"',
  ]);
  expect(made.report).toEqual({
    created: ['role a', 'membership of a in pg_monitor', 'tablespace fast'],
    altered: [],
    left: [
      { name: 'role postgres', reason: 'it is the superuser that the source was made with; on the target that is admin' },
      { name: 'membership of postgres in a', reason: 'the target has no role postgres' },
      { name: 'privileges on parameter work_mem', reason: 'the target has no role postgres' },
      { name: 'owner of tablespace fast', reason: 'the target has no role postgres' },
    ],
  });
});

test('memberships: those of servers that know neither grantors nor options are compared without', () => {
  const old = { role: 'a', member: 'b', grantor: null, admin: false, inherit: null, set: null };
  const now = { ...old, grantor: 'eve', inherit: false, set: true };
  const roles = [role('a'), role('b'), role('eve')];
  const report = (memberships: Globals['memberships'], there: Globals['memberships']) =>
    plan({ roles, memberships }, { roles, memberships: there }).report;
  expect(report([old], [now])).toMatchObject({ created: [], altered: [] });
  expect(report([now], [old])).toMatchObject({ created: [], altered: [] });
  expect(report([{ ...old, admin: true }], [now])).toMatchObject({ created: ['membership of b in a'] });
  expect(report([now], [{ ...now, inherit: true }])).toMatchObject({ altered: ['membership of b in a, granted by eve'] });
  expect(report([now], [{ ...now, grantor: null }])).toMatchObject({ created: ['membership of b in a, granted by eve'] });
});

test('a tablespace that is there stays, whatever it is', () => {
  const wanted = { roles: [role('a'), role('b')], tablespaces: [tablespace('fast', 'a')] };
  const there = { roles: wanted.roles, tablespaces: [{ ...tablespace('fast', 'b'), location: '' }] };
  expect(plan(wanted, there)).toMatchObject({
    statements: [],
    tablespaces: [],
    report: { left: [{ name: 'tablespace fast', reason: 'it is there, and in the archive it has another owner, location' }] },
  });
  expect(plan({ ...wanted, tablespaces: [{ ...tablespace('fast', 'x'), owner: null, location: '' }] }, there).report.left).toEqual([]);
});
