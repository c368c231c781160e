// Small archives that would be large: what they make a reader hold is bounded, whichever command reads them. All are read by one other process,
// whose most memory is what is measured; each is to end with what it says here.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeChecksumFrame } from '#dist/archive/checksum-frame.js';
import { checkJsonBounds, jsonLimits, untrustedJsonLimits } from '#dist/archive/json-bounds.js';
import { serializeManifest } from '#dist/archive/manifest-schema.js';
import { encodeSeekTable } from '#dist/archive/seek-table.js';
import { craft } from './craft.js';
import { forge, type Sample, sample, textRows } from './sample.js';

const mebi = 1024 * 1024;
const reader = fileURLToPath(new URL('hostile-reader.mjs', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-hostile-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ways = ['show', 'list', 'verify', 'untrusted'] as const;
type Way = (typeof ways)[number];

/** @param files with the ways in which each is to be read */
async function readEach(
  files: Readonly<Record<string, readonly Way[]>>,
): Promise<{ readonly ended: Readonly<Record<string, Partial<Record<Way, string>>>>; readonly peak: number }> {
  const child = spawn(process.execPath, ['--expose-gc', reader, JSON.stringify(files)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout) text += piece;
  return JSON.parse(text);
}

/** What a list of JSON has between its brackets, up to a size. */
function repeated(unit: string, bytes: number): string {
  return unit.repeat(Math.floor(bytes / unit.length) - 1) + unit.replace(/,$/, '');
}

function withCatalog(objects: string): Buffer {
  return craft([{ name: 'schema/catalog.json', body: Buffer.from(`{"objects":[${objects}],"steps":[],"tables":[]}`) }]);
}

/** What ends as an archive does, with a seek table that says so. */
function ending(frames: number): Buffer {
  const start = Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(100)]);
  const footer = encodeSeekTable([]).subarray(-9);
  footer.writeUInt32LE(frames, 0);
  return Buffer.concat([start, encodeChecksumFrame(createHash('sha256').update(start).digest('hex')), footer]);
}

interface Hostile {
  readonly name: string;
  readonly make: (whole: Sample, manifest: string) => Promise<Buffer> | Buffer;
  /** How each way ends. One that is not there would do what another one does. */
  readonly ends: Readonly<Partial<Record<Way, RegExp>>>;
}

const inManifest = (manifest: string, text: string): string => `${manifest.trim().slice(0, -1)},${text}}`;
const firstTable = /^ARCHIVE_CORRUPT: read manifest.json: tables.0: [^;]*;/;
const corrupt = /^ARCHIVE_CORRUPT: /;
const tooMuch = /^ARCHIVE_INVALID: .* of an untrusted archive: /;

const hostile: readonly Hostile[] = [
  {
    name: 'lists without end in a manifest',
    make: (whole, manifest) => forge(whole, inManifest(manifest, `"x":[${repeated('[],', 36 * mebi)}]`)),
    ends: { show: /brackets, commas/, untrusted: tooMuch },
  },
  {
    name: 'numbers without end for tables',
    make: (whole, manifest) => forge(whole, manifest.replace(/"tables":.*$/s, `"tables":[${repeated('0,', 10 * mebi)}]}`)),
    ends: { show: firstTable, untrusted: firstTable },
  },
  {
    name: 'a manifest that is nested 100,000 deep',
    make: (whole, manifest) => forge(whole, inManifest(manifest, `"x":${'['.repeat(1e5)}${']'.repeat(1e5)}`)),
    ends: { show: /^(ARCHIVE_CORRUPT|ARCHIVE_INVALID): .* nested deeper than 32 levels/ },
  },
  {
    name: 'a manifest of 20,000 keys',
    make: (whole, manifest) => forge(whole, inManifest(manifest, Array.from({ length: 20_000 }, (_, at) => `"k${at}":0`).join(','))),
    ends: { show: /^(ARCHIVE_CORRUPT|ARCHIVE_INVALID): .* different keys/ },
  },
  {
    name: 'a manifest with a key of a megabyte',
    make: (whole, manifest) => forge(whole, inManifest(manifest, `"${'k'.repeat(mebi)}":0`)),
    ends: { show: /^ARCHIVE_CORRUPT: .{0,300}$/ },
  },
  {
    name: 'a hundred thousand parts that are left out',
    make: (whole, manifest) =>
      forge(whole, manifest.replace('"leftOut":[]', `"leftOut":[${repeated('{"kind":"","name":"","reason":""},', 4 * mebi)}]`)),
    ends: { show: /^done$/, untrusted: /^CONNECTION_FAILED/ },
  },
  {
    name: 'spaces',
    make: (whole, manifest) => forge(whole, `${manifest}${' '.repeat(40 * mebi)}`),
    ends: { untrusted: tooMuch },
  },
  {
    name: 'a catalog of objects without end',
    make: () => withCatalog(repeated('{},', 36 * mebi)),
    ends: { list: /brackets, commas/, untrusted: tooMuch },
  },
  {
    name: 'a catalog of more objects than people have',
    make: () => withCatalog(Array.from({ length: 200_001 }, (_, id) => `{"id":${id},"kind":"a","name":""}`).join(',')),
    ends: { untrusted: /more than 200000 objects/ },
  },
  {
    name: 'a row of 48 megabytes in a few kilobytes',
    make: async () => (await sample({ chunks: [[], [{ body: textRows(['x'.repeat(48 * mebi)]), rows: 1n }]] })).bytes,
    ends: { verify: /^done$/, untrusted: /^CONNECTION_FAILED/ },
  },
  {
    name: 'ten thousand members of one name',
    make: (whole, manifest) => {
      const [first] = JSON.parse(manifest).schema;
      const schema = JSON.stringify(Array.from({ length: 10_000 }, () => first));
      return forge(whole, manifest.replace(/"schema":\[\{.*?\}\],"tables"/s, `"schema":${schema},"tables"`));
    },
    ends: { show: corrupt },
  },
  {
    name: 'a member whose name has a megabyte',
    make: (whole, manifest) => forge(whole, manifest.replace('schema/pre-data.sql', 'x'.repeat(mebi))),
    ends: { show: /^ARCHIVE_CORRUPT: read manifest.json: schema.1.member: [^;]*$/ },
  },
  {
    name: 'a member of a thousand terabytes',
    make: (whole, manifest) => forge(whole, manifest.replace(/"rawBytes":"\d+"/, `"rawBytes":"${10n ** 15n}"`)),
    ends: { show: corrupt },
  },
  {
    name: 'a seek table of a hundred million frames',
    make: () => ending(100_000_000),
    ends: { show: /^ARCHIVE_CORRUPT: .* claims 100000000 frames/ },
  },
  {
    name: 'a seek table of more frames than there are bytes',
    make: () => ending(4_000_000),
    ends: { show: /^ARCHIVE_CORRUPT: .* more than fit/ },
  },
];

test('each ends with an answer, and all of them within 300 MB', async () => {
  const whole = await sample();
  const manifest = serializeManifest(whole.manifest);
  const files: Record<string, readonly Way[]> = {};
  const fileOf = (at: number): string => join(folder, `${at}.tar.zst`);
  for (const [at, { make, ends }] of hostile.entries()) {
    await writeFile(fileOf(at), await make(whole, manifest));
    files[fileOf(at)] = ways.filter((way) => ends[way] !== undefined);
  }
  const { ended, peak } = await readEach(files);
  for (const [at, { name, ends }] of hostile.entries()) {
    for (const [way, answer] of Object.entries(ended[fileOf(at)] ?? {})) {
      expect(answer, `${name}: ${way}`).toMatch(ends[way as Way] ?? /^$/);
    }
  }
  const counts = (all: typeof files | typeof ended): readonly number[] => Object.values(all).map((one) => Object.keys(one).length);
  expect(counts(ended)).toEqual(counts(files));
  expect(peak).toBeLessThan(300);
});

test('bounds look at what is outside of texts alone', () => {
  const check = (text: string, marks: number) => () => checkJsonBounds('manifest.json', Buffer.from(text), { bytes: 1000, marks });
  expect(check('{"a[\\"{,:":["\\\\",1]}', 6)).not.toThrow();
  expect(check('{"a[\\"{,:":["\\\\",1]}', 5)).toThrow('more than 5 brackets');
  expect(check('['.repeat(32), 100)).not.toThrow();
  expect(check('['.repeat(33), 100)).toThrow('deeper');
  // What is not complete is for the parser.
  expect(check('"never ends', 0)).not.toThrow();
  expect(untrustedJsonLimits.bytes).toBeLessThan(jsonLimits.bytes);
});
