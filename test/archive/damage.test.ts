// Damage of every kind to an archive is found: by `verify` in a file, and by the reader of a pipe before the manifest comes out.
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArchiveStream } from '#dist/archive/stream-reader.js';
import { verifyArchive } from '#dist/archive/verify.js';
import { FrameWalker } from '#dist/frame/walk.js';
import { loadCodec } from '#dist/frame/zstd.js';
import { TidemarkError } from '#dist/model/errors.js';
import type { TidemarkEvent } from '../../src/model/events.js';
import { binaryRows, type Sample, type SampleOptions, sample, textRows } from './sample.js';

let directory: string;
/** Several tables and chunks. */
let whole: Sample;
/** As few bytes as an archive can have and still have one of everything. */
let small: Sample;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-damage-'));
  whole = await sample();
  small = await sample({ tables: 1, chunks: [[{ body: binaryRows([7n]), rows: 1n }]] });
});
afterAll(() => rm(directory, { recursive: true }));

const found = new Set(['ARCHIVE_CORRUPT', 'ARCHIVE_INVALID', 'ARCHIVE_TRUNCATED', 'ARCHIVE_TOO_NEW']);

/** The code of the error; undefined where nothing was found. Any other error fails the test. */
async function codeOf(action: Promise<unknown>): Promise<string | undefined> {
  try {
    await action;
    return undefined;
  } catch (error) {
    if (error instanceof TidemarkError && found.has(error.code)) return error.code;
    throw error;
  }
}

async function readAll(bytes: Buffer): Promise<void> {
  const input = (async function* () {
    yield bytes;
  })();
  for await (const _ of readArchiveStream(input, await loadCodec()));
}

function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
  return copy;
}

/** Verifies the small archive with one bit flipped, for each of its bytes in turn: the places where nothing was found. */
async function missedFlips(bit: number): Promise<string[]> {
  const path = join(directory, `flipped-${bit}.tar.zst`);
  await writeFile(path, small.bytes);
  await verifyArchive(path);
  await using file = await open(path, 'r+');
  const missed: string[] = [];
  for (let at = 0; at < small.bytes.length; at++) {
    await file.write(flipped(small.bytes, at, 1 << bit), at, 1, at);
    if ((await codeOf(verifyArchive(path))) === undefined) missed.push(`${at}:${bit}`);
    await file.write(small.bytes, at, 1, at);
  }
  await verifyArchive(path);
  return missed;
}

test('verify finds every flipped bit', async () => {
  const missed = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(missedFlips));
  expect(missed.flat()).toEqual([]);
}, 300_000);

test('a pipe gives no manifest after any flipped bit', async () => {
  await readAll(small.bytes);
  const missed: string[] = [];
  for (let at = 0; at < small.bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      if ((await codeOf(readAll(flipped(small.bytes, at, 1 << bit)))) === undefined) missed.push(`${at}:${bit}`);
    }
  }
  expect(missed).toEqual([]);
}, 300_000);

test('verify finds every length that is too short, and that bytes were added', async () => {
  const path = join(directory, 'cut.tar.zst');
  const missed: number[] = [];
  for (let length = 0; length < whole.bytes.length; length++) {
    await writeFile(path, whole.bytes.subarray(0, length));
    const code = await codeOf(verifyArchive(path));
    if (code !== (length < 4 ? 'ARCHIVE_INVALID' : 'ARCHIVE_TRUNCATED')) missed.push(length);
    const piped = await codeOf(readAll(whole.bytes.subarray(0, length)));
    if (piped !== (length === 0 ? 'ARCHIVE_INVALID' : 'ARCHIVE_TRUNCATED')) missed.push(length);
  }
  expect(missed).toEqual([]);
  for (const more of [Buffer.from([0]), whole.bytes.subarray(-17), whole.bytes]) {
    await writeFile(path, Buffer.concat([whole.bytes, more]));
    expect(await codeOf(verifyArchive(path))).toBeDefined();
    expect(await codeOf(readAll(Buffer.concat([whole.bytes, more])))).toBeDefined();
  }
}, 300_000);

/** All frames of the archive, as they lie in it. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  const walker = new FrameWalker();
  for (let at = 0, start = 0; at < bytes.length; ) {
    at += walker.feed(bytes, at);
    if (!walker.ended) continue;
    frames.push(bytes.subarray(start, at));
    start = at;
    walker.next();
  }
  return frames;
}

test('verify finds frames that were swapped, taken out, doubled or taken from another archive', async () => {
  const path = join(directory, 'swapped.tar.zst');
  const frames = framesOf(whole.bytes);
  const other = framesOf((await sample({ level: 5, change: (manifest) => ({ ...manifest, toolVersion: '9.9.9' }) })).bytes);
  const attempts: [string, Buffer[]][] = [];
  for (let a = 0; a < frames.length; a++) {
    attempts.push([`without ${a}`, frames.toSpliced(a, 1)], [`${a} twice`, frames.toSpliced(a, 0, frames[a] as Buffer)]);
    if (!other[a]?.equals(frames[a] as Buffer)) attempts.push([`${a} of another`, frames.with(a, other[a] as Buffer)]);
    for (let b = 0; b < a; b++) attempts.push([`${a} and ${b} swapped`, frames.with(a, frames[b] as Buffer).with(b, frames[a] as Buffer)]);
  }
  for (const [what, list] of attempts) {
    await writeFile(path, Buffer.concat(list));
    expect([what, await codeOf(verifyArchive(path))]).not.toEqual([what, undefined]);
    expect([what, await codeOf(readAll(Buffer.concat(list)))]).not.toEqual([what, undefined]);
  }
  expect(attempts.length).toBeGreaterThan(50);
});

test('verify lists every damaged member', async () => {
  const path = join(directory, 'two.tar.zst');
  const [binary, text] = whole.manifest.tables.map((table) => table.chunks[0]);
  const bytes = flipped(flipped(whole.bytes, Number(binary?.offset) + 60, 1), Number(text?.offset) + 60, 1);
  await writeFile(path, bytes);
  const error: unknown = await verifyArchive(path).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    details: { damages: 3, damage: [{ member: binary?.member }, { member: text?.member }, {}] },
  });
});

/** Archives that contradict themselves although every hash in them is right: what somebody makes who knows the format. */
const contradictions: [string, SampleOptions][] = [
  ['rows that are not there, in binary', { chunks: [[{ body: binaryRows([1n]), rows: 2n }], []] }],
  ['rows that are not there, in text', { chunks: [[], [{ body: textRows(['a']), rows: 2n }]] }],
  ['a last row without an end', { chunks: [[], [{ body: Buffer.from('a\nb'), rows: 2n }]] }],
  ['binary rows without a trailer', { chunks: [[{ body: binaryRows([1n]).subarray(0, -2), rows: 1n }], []] }],
  ['bytes behind the trailer', { chunks: [[{ body: Buffer.concat([binaryRows([1n]), Buffer.from('x')]), rows: 1n }], []] }],
  ['rows of other columns', { chunks: [[{ body: binaryRows([1n]).fill(2, 20, 21), rows: 1n }], []] }],
  ['text where binary is said', { chunks: [[{ body: textRows(['a']), rows: 1n }], []] }],
];

test.each(contradictions)('verify finds %s', async (_, options) => {
  const path = join(directory, 'contradiction.tar.zst');
  await writeFile(path, (await sample(options)).bytes);
  await expect(verifyArchive(path)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', details: { damages: 1 } });
});

test('a sidecar that is of another archive is found', async () => {
  const path = join(directory, 'sidecar.tar.zst');
  await writeFile(path, whole.bytes);
  await writeFile(`${path}.manifest.json`, whole.written.manifestText.replace('indexer', 'indexes'));
  await expect(verifyArchive(path)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  await writeFile(`${path}.manifest.json`, whole.written.manifestText);
  await writeFile(`${path}.sha256`, `${small.written.sha256}  sidecar.tar.zst\n`);
  await expect(verifyArchive(path)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
});

test('verify tells how far it is, and can be aborted', async () => {
  const path = join(directory, 'watched.tar.zst');
  await writeFile(path, whole.bytes);
  const events: TidemarkEvent[] = [];
  await verifyArchive(path, { onEvent: (event) => events.push(event) });
  const progress = events.filter((event) => event.type === 'progress');
  expect(events[1]).toEqual({ type: 'plan', tables: 2, rows: 6n, bytes: whole.manifest.totals.rawBytes, exact: true });
  expect(progress).toHaveLength(6);
  expect(progress.at(-1)).toMatchObject({ rows: 6n, rawBytes: whole.manifest.totals.rawBytes });

  const controller = new AbortController();
  const aborting = verifyArchive(path, { signal: controller.signal, onEvent: ({ type }) => type === 'progress' && controller.abort() });
  await expect(aborting).rejects.toMatchObject({ code: 'ABORTED' });
});
