import { beforeAll, describe, expect, test } from 'vitest';
import { parseManifest, serializeManifest } from '#dist/archive/manifest-schema.js';
import type { Manifest } from '../../src/model/manifest.js';
import { sample } from './sample.js';

let manifest: Manifest;
beforeAll(async () => {
  manifest = (await sample()).manifest;
});

/** The text of the manifest with something else in one place of its JSON, `tables.0.rows`; undefined takes it out. */
function changed(place: string, value: unknown): string {
  const json: unknown = JSON.parse(serializeManifest(manifest));
  const path = place.split('.');
  const last = path.pop() ?? '';
  const parent = path.reduce((at, key) => (at as Record<string, unknown>)[key], json) as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return JSON.stringify(json);
}

test('comes back as it was, and bigints, dates and positions are text', () => {
  const text = serializeManifest(manifest);
  expect(parseManifest(text)).toEqual(manifest);
  expect(text.endsWith('}\n')).toBe(true);
  expect(JSON.parse(text)).toMatchObject({
    formatVersion: 1,
    position: { at: '2026-01-31T23:59:59.125Z', lsn: '16/B374D848', height: '9007199254740993', streams: { logs: '12' } },
    totals: { tables: 2, rows: '6' },
  });
});

test('is written in one order, whatever the order of its fields, and not touched by that', () => {
  const text = serializeManifest(manifest);
  const turned = reversed(manifest) as Manifest;
  const before = structuredClone(turned);
  expect(serializeManifest(turned)).toBe(text);
  expect(turned).toEqual(before);
  expect(Object.keys(turned.tables[0]?.chunks[0] ?? {})).toEqual(Object.keys(before.tables[0]?.chunks[0] ?? {}));
});

/** With the fields of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const backwards = Object.entries(value).toReversed();
  return Object.fromEntries(backwards.map(([name, field]) => [name, reversed(field)]));
}

test('everything that may be left out may be there', () => {
  const more: Manifest = {
    ...manifest,
    position: {
      at: new Date(0),
      lsn: (1n << 64n) - 1n,
      hash: '0xab',
      changes: 0n,
      height: 1n,
      streams: Object.fromEntries([['__proto__', 1n]]),
    },
    leftOut: [{ kind: 'type', name: 'x', reason: 'y' }],
    tables: manifest.tables.map((table) => ({ ...table, withoutData: 'excluded' })),
    settings: { ...manifest.settings, selection: { table: ['a*', '"B"'] } },
  };
  expect(parseManifest(serializeManifest(more))).toEqual(more);
  expect(Object.keys(parseManifest(serializeManifest(more)).position.streams ?? {})).toEqual(['__proto__']);
});

describe('what is newer, foreign or broken', () => {
  test('a higher version is named, whatever else is in it', () => {
    const text = JSON.stringify({ format: 'tidemark', formatVersion: 2, tables: 'in quite another form' });
    expect(() => parseManifest(text)).toThrow(
      expect.objectContaining({
        code: 'ARCHIVE_TOO_NEW',
        message: expect.stringMatching(/version 2,.* 1$/),
        details: { found: 2, known: 1 },
      }),
    );
  });

  test.each([
    '{}',
    '[]',
    'null',
    '{"format":"other","formatVersion":1}',
    '{"format":"tidemark","formatVersion":"1"}',
    '{"format":"tidemark","formatVersion":0}',
  ])('%s is not a manifest', (text) => {
    expect(() => parseManifest(text)).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID' }));
  });

  test.each<[string, string, unknown]>([
    ['an unknown key', 'extra', 1],
    ['an unknown key of a chunk', 'tables.0.chunks.0.crc', 1],
    ['a missing key', 'source.encoding', undefined],
    ['a number for a big integer', 'totals.rows', 6],
    ['a number for that of a stream', 'position.streams', { logs: 6 }],
    ['a list of streams', 'position.streams', []],
    ['a negative big integer', 'totals.rows', '-6'],
    ['a big integer with a leading zero', 'totals.rows', '06'],
    ['a big integer without end', 'totals.rows', '9'.repeat(1_000_000)],
    ['a position in small letters', 'position.lsn', '16/b374d848'],
    ['an instant without a zone', 'position.at', '2026-01-31T23:59:59.125'],
    ['a day that is not there', 'position.at', '2026-02-31T23:59:59.125Z'],
    ['a hash in capitals', 'schema.0.sha256', 'F'.repeat(64)],
    ['a frame of 4 GiB', 'schema.0.frames.0.raw', 2 ** 32],
    ['a member without frames', 'schema.0.frames', []],
    ['half a range', 'tables.0.chunks.0.range', ['1']],
    ['another format of rows', 'tables.0.format', 'csv'],
    ['null where nothing may be', 'tables.0.withoutData', null],
  ])('%s is refused, and its place named', (_, place, value) => {
    const named = /extra|crc/.test(place) ? place.replace(/\.?[a-z]+$/, '') || 'top level' : place;
    expect(() => parseManifest(changed(place, value))).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_CORRUPT', message: expect.stringContaining(`read manifest.json: ${named}: `) }),
    );
  });

  test('what is no JSON', () => {
    expect(() => parseManifest('{"format":')).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
  });

  test('a manifest that could not be read back is not written', () => {
    expect(() => serializeManifest({ ...manifest, toolVersion: 1 } as unknown as Manifest)).toThrow('toolVersion');
    expect(() => serializeManifest({ ...manifest, totals: { ...manifest.totals, rows: -1n } })).toThrow('rows');
    expect(() => serializeManifest({ ...manifest, more: 1 } as Manifest)).toThrow('more');
  });
});
