// Where to connect: what a URL, a keyword string and the PG* variables say, which of them wins, and that no error shows what it read.
import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { TidemarkError } from '#dist/model/errors.js';
import { type ConnectionSettings, describeConnection, resolveConnection, withDatabase } from '#dist/pg/settings.js';

const env = { HOME: '/home/x' };
const me = userInfo().username;
const defaults = { host: 'localhost', port: 5432, user: me, database: me, passfile: '/home/x/.pgpass', sslmode: 'prefer' };

describe('what is read', () => {
  const cases: readonly (readonly [string, Partial<ConnectionSettings>])[] = [
    ['postgres://', {}],
    ['postgresql://localhost', {}],
    ['postgres://u:p@h:6543/d', { user: 'u', password: 'p', host: 'h', port: 6543, database: 'd' }],
    ['postgres://u@h', { user: 'u', host: 'h', database: 'u' }],
    ['postgres://u:p%40%2F%3A%25@h/a%20b', { user: 'u', password: 'p@/:%', host: 'h', database: 'a b' }],
    ['postgres://u:a:b@h/d', { user: 'u', password: 'a:b', host: 'h', database: 'd' }],
    ['postgres://u:a@b@h/d', { user: 'u', password: 'a@b', host: 'h', database: 'd' }],
    ['postgres://u:a#b@h/d', { user: 'u', password: 'a#b', host: 'h', database: 'd' }],
    ['postgres://u:@h/d', { user: 'u', host: 'h', database: 'd' }],
    ['postgres://[::1]:7/d', { host: '::1', port: 7, database: 'd' }],
    ['postgres:///d?host=/run/pg&port=7', { host: '/run/pg', port: 7, database: 'd', sslmode: 'disable' }],
    ['postgres://%2Frun%2Fpg/d', { host: '/run/pg', database: 'd', sslmode: 'disable' }],
    ['postgres://h/d?user=u&password=p%26q', { host: 'h', user: 'u', password: 'p&q', database: 'd' }],
    ['postgres://h/d?sslmode=require', { host: 'h', database: 'd', sslmode: 'require' }],
    ['postgres://h/d?ssl=true', { host: 'h', database: 'd', sslmode: 'require' }],
    ['postgres://h/d?sslmode=no-verify', { host: 'h', database: 'd', sslmode: 'require' }],
    ['postgres://h/d?sslmode=verify-ca&sslrootcert=/ca.pem', { host: 'h', database: 'd', sslmode: 'verify-ca', sslrootcert: '/ca.pem' }],
    [
      'postgres://h/d?connect_timeout=3&options=-c%20geqo%3Doff',
      { host: 'h', database: 'd', connectTimeoutMs: 3000, options: '-c geqo=off' },
    ],
    ['postgres://h/d?application_name=x&schema=public&pool_timeout=3', { host: 'h', database: 'd' }],
    ['POSTGRES://h/d', { host: 'h', database: 'd' }],
    ['host=h port=7 dbname=d user=u password=p', { host: 'h', port: 7, database: 'd', user: 'u', password: 'p' }],
    [`dbname = 'it''s'`.replace("''", "\\'"), { database: "it's" }],
    [String.raw`user='a \\ b' password=c\ d`, { user: 'a \\ b', password: 'c d' }],
    [`host='' dbname=d`, { database: 'd' }],
    ['host=/run/pg sslmode=require', { host: '/run/pg', sslmode: 'disable' }],
    ['mydb', { database: 'mydb' }],
    ['My Database', { database: 'My Database' }],
    ['', {}],
  ];
  test.each(cases)('%s', (text, expected) => {
    const user = expected.user ?? me;
    expect(resolveConnection(text, env)).toEqual({ ...defaults, user, database: user, ...expected });
  });
});

describe('what wins', () => {
  const all = {
    ...env,
    PGHOST: 'eh',
    PGPORT: '1',
    PGUSER: 'eu',
    PGPASSWORD: 'ep',
    PGDATABASE: 'ed',
    PGSSLMODE: 'disable',
    PGPASSFILE: '/pf',
    PGSSLROOTCERT: '/ca',
    PGOPTIONS: '-c a=b',
    PGCONNECT_TIMEOUT: '7',
  };
  const fromAll = {
    host: 'eh',
    port: 1,
    user: 'eu',
    password: 'ep',
    database: 'ed',
    sslmode: 'disable',
    passfile: '/pf',
    sslrootcert: '/ca',
    options: '-c a=b',
    connectTimeoutMs: 7000,
  };
  test('the variables, where nothing else is given', () => {
    expect(resolveConnection(undefined, all)).toEqual(fromAll);
  });
  test('DATABASE_URL over the variables, part by part', () => {
    expect(resolveConnection(undefined, { ...all, DATABASE_URL: 'postgres://du@dh' })).toEqual({ ...fromAll, host: 'dh', user: 'du' });
  });
  test('what is given over DATABASE_URL, of which nothing is taken then', () => {
    const settings = resolveConnection('postgres://gh/gd', { ...all, DATABASE_URL: 'postgres://du:dp@dh:2/dd' });
    expect(settings).toEqual({ ...fromAll, host: 'gh', database: 'gd' });
  });
  test('a name alone is a database on the server of the variables', () => {
    expect(resolveConnection('other', { ...all, DATABASE_URL: 'postgres://du:dp@dh:2/dd' })).toEqual({ ...fromAll, database: 'other' });
  });
  test('empty variables are none', () => {
    const empty = Object.fromEntries(Object.keys(all).map((name) => [name, '']));
    expect(resolveConnection(undefined, { ...empty, DATABASE_URL: '', HOME: '/home/x' })).toEqual(defaults);
  });
});

describe('what is refused, without showing it', () => {
  const secret = 'hunter2';
  test.each([
    `mysql://u:${secret}@h/d`,
    `http://u:${secret}@h/d`,
    `postgres:/u:${secret}@h/d`,
    `postgres:u:${secret}@h/d`,
    `//u:${secret}@h/d`,
    `u:${secret}@h/d`,
    `/run/${secret}`,
    `postgres://u:${secret}@h:port/d`,
    `postgres://u:${secret}@h:99999/d`,
    `postgres://u:${secret}@h:0/d`,
    `postgres://u:${secret}@h:1:2/d`,
    `postgres://u:${secret}@[::1/d`,
    `postgres://u:${secret}%@h/d`,
    `postgres://u:${secret}%zz@h/d`,
    `postgres://u:${secret}%00@h/d`,
    `postgres://u:1/${secret}@h/d`,
    `postgres://u:${secret}/x@h/d`,
    `postgres://u:1?${secret}@h/d`,
    `postgres://u:${secret}@h,i/d`,
    `postgres://u@h/d?password=${secret}=x`,
    `postgres://u@h/d?${secret}`,
    `postgres://u:${secret}@h/d?sslmode=on`,
    `postgres://u:${secret}@h/d?sslmod=require`,
    `postgres://u:${secret}@h/d?sslmode=verify-ca`,
    `postgres://u:${secret}@h/d?service=s`,
    `postgres://u:${secret}@h/d?connect_timeout=soon`,
    `host=h pasword=${secret}`,
    `host=h ${secret}`,
    `password='${secret}`,
    `password=${secret}'x`,
    `host=h,i password=${secret}`,
    `service=s password=${secret}`,
    `${secret}=x`,
  ])('%s', (text) => {
    const error = caught(() => resolveConnection(text, env));
    expect(error).toMatchObject({ code: 'USAGE', hint: expect.any(String) });
    expect(JSON.stringify([error.message, error.hint, error.details, error.stack, error.cause])).not.toContain(secret);
  });
  test('PGPORT, PGSSLMODE and PGSERVICE that cannot be', () => {
    for (const wrong of [{ PGPORT: 'x' }, { PGSSLMODE: 'x' }, { PGSERVICE: 'x' }, { PGSSLMODE: 'verify-ca' }, { PGCONNECT_TIMEOUT: 'x' }]) {
      expect(caught(() => resolveConnection(undefined, wrong)).code, JSON.stringify(wrong)).toBe('USAGE');
    }
    expect(resolveConnection('postgres://h', { ...env, PGSERVICE: 'x' }).host).toBe('h');
  });
});

test('a description names the server, not the password', () => {
  const settings = resolveConnection('postgres://u:hunter2@[::1]/d', {});
  expect(describeConnection(withDatabase(settings, 'other'))).toBe('u@[::1]:5432/other');
});

function caught(work: () => unknown): TidemarkError {
  try {
    work();
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
