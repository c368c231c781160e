import { describe, expect, test } from 'vitest';
import { separateConninfo, separateOptions } from '#dist/schema/secrets.js';

test('of the options of a user mapping only those stay that are known to be no secrets', () => {
  const options: [string, string][] = [
    ['api_key', 'k'],
    ['password', 'p'],
    ['user', 'u'],
    ['Username', 'x'],
    ['password_required', 'false'],
  ];
  expect(separateOptions(options)).toEqual({
    open: [
      ['user', 'u'],
      ['password_required', 'false'],
    ],
    secrets: ['api_key', 'password', 'Username'],
  });
});

describe('a connection string', () => {
  test.each([
    '',
    'dbname=x',
    'host=a,b port=1,2 user=u passfile=/f sslkey=/k',
    `application_name='it\\'s a' dbname = x`,
    'postgres://',
    'postgresql://u@h/db?sslmode=require',
    'postgres://[::1]:5432,h2:1/db',
  ])('without a secret stays as it is: %s', (text) => {
    expect(separateConninfo(text)).toEqual({ open: text, secrets: [] });
  });

  test.each([
    ['host=h password=x dbname=d', 'host=h dbname=d', ['password']],
    [`password = 'it\\'s host=h' user=u`, 'user=u', ['password']],
    ['password=a\\ b user=u', 'user=u', ['password']],
    ['sslpassword=x oauth_client_secret=y scram_client_key=z a=b', 'a=b', ['sslpassword', 'oauth_client_secret', 'scram_client_key']],
    ['password=x', '', ['password']],
    ['postgres://u:p@h/db', 'postgres://u@h/db', ['password']],
    [
      'postgresql://u:p%40:x?y@h:1,i:2/db?a=b&password=q&sslpassword=r',
      'postgresql://u@h:1,i:2/db?a=b',
      ['password', 'password', 'sslpassword'],
    ],
    ['postgres://h/db?password=q', 'postgres://h/db', ['password']],
  ])('%s', (text, open, secrets) => {
    expect(separateConninfo(text)).toEqual({ open, secrets });
  });

  test.each([
    'postgres://u:pa/ss@h/db',
    'postgres://u:p@ss@h/db',
    'postgres://u:secret',
    `dbname='postgres://u:p@h/db'`,
    'host',
    `password='open`,
    'postgres://h/db?pass%77ord=x',
  ])('that cannot be judged is none: %s', (text) => {
    expect(separateConninfo(text)).toBeUndefined();
  });
});
