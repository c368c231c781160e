// The record of what stood before, and what becomes of each entry by it.
import { describe, expect, test } from 'vitest';
import { fateOf, formatRecord, parseRecord, type TuningRecord } from '#dist/restore/tuning/record.js';

const record: TuningRecord = {
  since: '2026-01-02T03:04:05.000Z',
  settings: [
    { name: 'max_wal_size', before: "it's \\ 1GB", set: '2048MB' },
    { name: 'autovacuum', before: null, set: 'off' },
  ],
};

test('a record is one line, and read as it was written', () => {
  const text = formatRecord(record);
  expect(text).not.toContain('\n');
  expect(parseRecord(text)).toEqual(record);
});

test.each([
  'x',
  '[]',
  'null',
  '{"version":2,"since":"","settings":{}}',
  '{"version":1,"settings":{}}',
  '{"version":1,"since":"","settings":[]}',
  '{"version":1,"since":"","settings":{"max_wal_size":{"before":1,"set":"1GB"}}}',
  '{"version":1,"since":"","settings":{"max_wal_size":{"before":null}}}',
  // Who may write the record is not thereby somebody who may have a superuser run commands.
  '{"version":1,"since":"","settings":{"archive_command":{"before":"rm -rf /","set":"x"}}}',
])('what is no record of ours is refused: %s', (text) => {
  expect(() => parseRecord(text)).toThrow(
    expect.objectContaining({ code: 'TARGET_MISMATCH', hint: expect.stringContaining('docs/tune.md') }),
  );
});

describe('an entry', () => {
  const setting = { name: 'max_wal_size', before: '1GB', set: '2GB' } as const;
  test.each([
    ['2GB', 'put back'],
    ['1GB', 'back'],
    ['3GB', 'changed'],
    [null, 'changed'],
  ])('%s: %s', (entry, fate) => {
    expect(fateOf(setting, entry)).toBe(fate);
  });
  test('where there was none', () => {
    expect(fateOf({ ...setting, before: null }, null)).toBe('back');
    expect(fateOf({ ...setting, before: null }, '2GB')).toBe('put back');
  });
});
