// docs/format.md holds a complete archive in hex: taken out of the page, it must verify, and must be what the page says of it.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArchiveReader, openArchive } from '#dist/archive/reader.js';
import { decodeSeekTable } from '#dist/archive/seek-table.js';
import { verifyArchive } from '#dist/archive/verify.js';
import { tarHeader } from '#dist/frame/tar.js';
import { walkFrame } from '#dist/frame/walk.js';

let directory: string;
let page: string;
let frames: Buffer[];
let archive: ArchiveReader;
beforeAll(async () => {
  page = await readFile(new URL('../../docs/format.md', import.meta.url), 'utf8');
  frames = [...page.matchAll(/```hex\n([^`]*)```/g)].map(([, dump = '']) => Buffer.from(dump.replace(/^[0-9a-f]{4} {2}|\s/gm, ''), 'hex'));
  directory = await mkdtemp(join(tmpdir(), 'tidemark-format-'));
  await writeFile(join(directory, 'example.tar.zst'), Buffer.concat(frames));
  archive = await openArchive(join(directory, 'example.tar.zst'));
});
afterAll(async () => {
  await archive.close();
  await rm(directory, { recursive: true });
});

/** What stands between a fence of this language and its end, and next to a place in the page. */
const block = (language: string, at: number): string =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([^\`]*)\n\`\`\``, 'g'))][at]?.[1] ?? '';

test('the archive in hex verifies, and has the size and hash that the page says', async () => {
  const { bytes, sha256, rows } = await verifyArchive(archive.path);
  expect(rows).toBe(2n);
  expect(page).toContain(`${bytes} bytes in seven frames`);
  expect(page).toContain(`The SHA-256 of all of it is\n\`${sha256}\``);
});

test('every block of hex is one frame, with the sizes that the page lists', () => {
  const entries = decodeSeekTable(frames.at(-1) ?? Buffer.alloc(0));
  const listed = [...page.matchAll(/^\| (\d+) \| (\d+) \| (\d+|-) \| .* \|$/gm)]
    .map(([, offset, compressed, raw]) => [offset, compressed, raw])
    .slice(-7);
  let offset = 0;
  const found = frames.map((frame, at) => {
    walkFrame(frame);
    const line = [String(offset), String(frame.length), String(entries[at]?.raw ?? '-')];
    offset += frame.length;
    return line;
  });
  // The last seven rows of four columns that begin with three numbers.
  expect(listed).toEqual(found);
});

test('the members are those that the page shows', async () => {
  expect(JSON.parse(archive.tail.manifestText)).toEqual(JSON.parse(block('json', 1)));
  expect(await archive.readCatalog()).toEqual(JSON.parse(block('json', 0)));
  const [, preData] = archive.manifest.schema;
  const [chunk] = archive.manifest.tables[0]?.chunks ?? [];
  if (preData === undefined || chunk === undefined) throw new Error('the archive of the page has other members');
  expect((await archive.readMember(preData)).toString()).toBe(`${block('sql', 0)}\n`);
  expect((await archive.readMember(chunk)).toString('hex')).toBe('370a5c4e0a');
  expect(page).toContain(`SHA-256 of the ${chunk.length} bytes: \`${chunk.sha256}\``);
});

test('the tar header of the chunk is the one that the page takes apart', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| (\d+) \| ([a-z]+|\(unused\)) \| (.*) \|$/gm)].slice(-17);
  const header = Buffer.alloc(512);
  for (const [, offset, bytes, , value = ''] of rows) {
    if (value === 'zeros') continue;
    const text = (/^`([^`]*)`/.exec(value)?.[1] ?? '').replaceAll('\\0', '\0').replaceAll('␠', ' ');
    expect(text.length).toBeLessThanOrEqual(Number(bytes));
    header.write(text, Number(offset), 'latin1');
  }
  expect(rows).toHaveLength(17);
  expect(header).toEqual(tarHeader('data/16384-public.t/00000-00000.copy', 5));
});

test('what the page says of single bytes is so', () => {
  const [chunk, checksum, seekTable] = [frames[2], frames[5], frames[6]];
  expect(chunk?.toString('hex').slice(0, 20)).toBe(['28b52ffd', '64', '0003', '250300'].join(''));
  for (const bytes of ['28b52ffd', '64', '0003', '250300']) expect(page).toContain(`\`${bytes}\``);
  expect(walkFrame(chunk ?? Buffer.alloc(0)).header).toMatchObject({ contentSize: 1024, checksum: true, dictionaryId: 0 });
  const before = createHash('sha256')
    .update(Buffer.concat(frames.slice(0, 5)))
    .digest('hex');
  expect(checksum?.subarray(17).toString('hex')).toBe(before);
  expect(page).toContain(`the bytes before it, \`${before}\``);
  expect(seekTable?.subarray(16, 24).toString('hex')).toBe('8c00000000040000');
});
