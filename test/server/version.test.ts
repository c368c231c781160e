// Which versions tests run against, as the environment says.
import { expect, test } from 'vitest';
import { defaultVersion, requestedVersions, versions } from './index.js';
import { oldestHere } from './version.js';

test('one version, and the ones of tests that go through several', () => {
  expect(defaultVersion({})).toBe(18);
  expect(defaultVersion({ TIDEMARK_TEST_PG_VERSION: '15' })).toBe(15);
  expect(requestedVersions({})).toEqual([oldestHere, 18]);
  expect(requestedVersions({ TIDEMARK_TEST_PG_VERSIONS: '16, 17' })).toEqual([16, 17]);
  expect(requestedVersions({ TIDEMARK_TEST_PG_VERSIONS: 'all' })).toEqual(versions);
});

test.each(['13', '18.4', 'newest'])('%s is none', (text) => {
  expect(() => defaultVersion({ TIDEMARK_TEST_PG_VERSION: text })).toThrow('is none of 14, 15, 16, 17, 18');
});
