import { parse } from 'pg-connection-string';
import { expect, test } from 'vitest';
import { connectionUrl } from '#dist/app/clones/connection-url.js';
import { resolveConnection } from '#dist/pg/settings.js';

const settings = { host: 'db.example', port: 5433, user: 'me', database: 'a b', password: 'p@ss:w/rd' };

test.each([
  [settings, { host: 'db.example', port: '5433', user: 'me', password: 'p@ss:w/rd', database: 'a b' }],
  [
    { ...settings, host: '::1' },
    { host: '::1', port: '5433' },
  ],
  [
    { ...settings, host: '/run/postgresql' },
    { host: '/run/postgresql', port: '5433', user: 'me', database: 'a b' },
  ],
  [{ ...settings, options: '-c search_path=x' }, { options: '-c search_path=x' }],
])('%j can be read by pg, and by us', (given, expected) => {
  const url = connectionUrl(given);
  expect(parse(url)).toMatchObject(expected);
  expect(resolveConnection(url, {})).toMatchObject(given);
});

test.each([
  [
    'postgres://me@db.example:1/other?sslmode=require&uselibpqcompat=true',
    'postgres://me@db.example:1/mine?sslmode=require&uselibpqcompat=true',
  ],
  ['postgresql://db.example', 'postgresql://db.example/mine'],
  ['postgresql://db.example?sslmode=disable', 'postgresql://db.example/mine?sslmode=disable'],
  ['postgres:///other?host=/run/postgresql', 'postgres:///mine?host=/run/postgresql'],
])('of %s only the database is another one', (given, url) => {
  expect(connectionUrl({ ...settings, database: 'mine' }, given)).toBe(url);
});
