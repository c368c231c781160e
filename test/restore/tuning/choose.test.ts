// Values by what is to come and what a server has.
import { describe, expect, test } from 'vitest';
import { chooseServerSettings, maintenanceKilobytes } from '#dist/restore/tuning/choose.js';

const usual = { max_wal_size: '1024', checkpoint_timeout: '300', autovacuum: 'on' };
const mebibyte = 1n << 20n;

describe('server settings', () => {
  test.each([
    [0n, '2048MB'],
    [500n * mebibyte, '2048MB'],
    [1000n * mebibyte, '3000MB'],
    [1n << 50n, '8192MB'],
    [undefined, '4096MB'],
  ])('max_wal_size for %s bytes of rows is %s', (rawBytes, set) => {
    expect(chooseServerSettings(usual, rawBytes)).toEqual([
      { name: 'max_wal_size', now: '1024MB', set },
      { name: 'checkpoint_timeout', now: '300s', set: '3600s' },
      { name: 'autovacuum', now: 'on', set: 'off' },
    ]);
  });

  test('what is more generous stays', () => {
    expect(chooseServerSettings({ max_wal_size: '2147483647', checkpoint_timeout: '86400', autovacuum: 'off' }, 1n << 40n)).toEqual([]);
    expect(chooseServerSettings({ ...usual, max_wal_size: '2048', checkpoint_timeout: '3600' }, 0n)).toEqual([
      { name: 'autovacuum', now: 'on', set: 'off' },
    ]);
  });
});

describe('maintenance_work_mem of each session', () => {
  test.each([
    ['a server that nobody has set up', 128n * mebibyte, null, 2, 256],
    ['16 GB by shared_buffers', 4096n * mebibyte, null, 4, 1024],
    ['16 GB by effective_cache_size', 128n * mebibyte, 12288n * mebibyte, 4, 1024],
    ['the larger one counts', 8192n * mebibyte, 12288n * mebibyte, 8, 1024],
    ['little, and many sessions', 4096n * mebibyte, null, 64, 256],
  ])('%s', (_, sharedBuffers, effectiveCacheSize, jobs, megabytes) => {
    expect(maintenanceKilobytes({ sharedBuffers, effectiveCacheSize }, jobs)).toBe(BigInt(megabytes) * 1024n);
  });

  test('never as much as some servers refuse', () => {
    expect(maintenanceKilobytes({ sharedBuffers: 1n << 40n, effectiveCacheSize: null }, 1)).toBe(2097151n);
  });
});
