// A verification in threads finds what one without finds, in the same order, and leaves no thread.
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CheckPool, checkThreadsFor } from '#dist/archive/check-pool.js';
import { type VerifyOptions, type VerifyReport, verifyArchive } from '#dist/archive/verify.js';
import { FileBytes } from '#dist/frame/file-bytes.js';
import type { Seekable } from '../../src/frame/seekable.js';
import type { TidemarkError } from '../../src/model/errors.js';
import type { TidemarkEvent } from '../../src/model/events.js';
import { binaryRows, type Sample, type SampleChunk, sample, textRows } from './sample.js';

const mebi = 1 << 20;

/** Some megabytes of rows each, of several sizes, and some of a few bytes between them: enough for two threads. */
function manyChunks(): readonly SampleChunk[] {
  return [29, 14, 0, 14, 3, 0, 21, 16, 0, 13, 20].map((size) => {
    const rows = 1 + size * 1024;
    return { body: manyRows.subarray(0, rows * 1024), rows: BigInt(rows) };
  });
}
const manyRows = Buffer.alloc(30 * mebi, `${'x'.repeat(1023)}\n`);

let directory: string;
let whole: Sample;
let path: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-threads-'));
  whole = await sample({ chunks: [[{ body: binaryRows([1n, 2n]), rows: 2n }], manyChunks()] });
  path = await inFile('whole', whole.bytes);
});
afterAll(() => rm(directory, { recursive: true }));

async function inFile(name: string, bytes: Buffer): Promise<string> {
  const file = join(directory, `${name}.tar.zst`);
  await writeFile(file, bytes);
  return file;
}

/** Of each thread of this one there is one. */
function ports(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort').length;
}

/** A verification with what it told, and how many threads there were at most. */
async function verified(archive: string | Seekable, options: VerifyOptions) {
  const before = ports();
  const events: TidemarkEvent[] = [];
  let threads = 0;
  const onEvent = (event: TidemarkEvent): void => {
    events.push(event);
    threads = Math.max(threads, ports() - before);
  };
  const result: VerifyReport | TidemarkError = await verifyArchive(archive, { ...options, onEvent }).catch((error) => error);
  expect(ports()).toBe(before);
  return { result, events, threads };
}

test.each([
  [0n, 4, 0],
  [128n * 1024n * 1024n - 1n, 4, 0],
  [128n * 1024n * 1024n, 4, 2],
  [200n * 1024n * 1024n, 4, 3],
  [1n << 60n, 4, 4],
  [1n << 60n, 2, 2],
  [1n << 60n, 1, 0],
])('%s bytes of rows and %i jobs are for %i threads', (bytes, jobs, threads) => {
  expect(checkThreadsFor(bytes, jobs)).toBe(threads);
});

test('the report and the events are the same with any number of threads', async () => {
  const { result, events, threads } = await verified(path, { jobs: 1 });
  expect(threads).toBe(0);
  expect(result).toMatchObject({ members: 16, sha256: whole.written.sha256, rows: whole.manifest.totals.rows });
  for (const jobs of [2, 3]) expect(await verified(path, { jobs })).toMatchObject({ result, events, threads: 2 });
});

test('a small archive gets no thread', async () => {
  const small = await inFile('small', (await sample()).bytes);
  expect(await verified(small, { jobs: 4 })).toMatchObject({ result: { rows: 6n }, threads: 0 });
});

test('damage is listed in the order of the members, whichever thread finds it', async () => {
  const wrong = manyChunks().map((chunk, at) => ([1, 8].includes(at) ? { ...chunk, rows: chunk.rows + 1n } : chunk));
  const { bytes, manifest } = await sample({ chunks: [[{ body: binaryRows([1n]), rows: 2n }], wrong] });
  const [binary, text] = manifest.tables.map(({ chunks }) => chunks);
  for (const at of [0, 2, 9, 10]) {
    const { offset, length } = (text ?? [])[at] ?? { offset: 0n, length: 0n };
    bytes[Number(offset + length / 2n)] = 0x5a;
  }
  const damaged = await inFile('damaged', bytes);
  const expected = [binary?.[0], ...[0, 1, 2, 8, 9, 10].map((at) => text?.[at])].map((chunk) => chunk?.member);
  const { result, events } = await verified(damaged, { jobs: 1 });
  const { details } = result as TidemarkError;
  expect(details).toMatchObject({ damages: 8, damage: [...expected.map((member) => ({ member })), {}] });
  const again = await verified(damaged, { jobs: 2 });
  const { message, details: same } = again.result as TidemarkError;
  expect([message, same]).toEqual([(result as TidemarkError).message, details]);
  expect(again).toMatchObject({ events, threads: 2 });
});

/** As an archive in a store is read: nothing but pieces that share their memory, and each byte of the members once. */
function elsewhere(bytes: Buffer) {
  let read = 0;
  const far: Seekable = {
    name: 'elsewhere',
    size: BigInt(bytes.length),
    read: async (offset, length) => {
      read += length;
      return bytes.subarray(Number(offset), Number(offset) + length);
    },
    async *stream(offset, length) {
      yield await far.read(offset, Number(length));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { far, read: () => read };
}

test('what is no file is read once, and checked in threads', async () => {
  const { far, read } = elsewhere(Buffer.from(whole.bytes));
  const { result, threads } = await verified(far, { jobs: 2 });
  expect(result).toMatchObject({ rows: whole.manifest.totals.rows, sha256: whole.written.sha256 });
  expect(threads).toBe(2);
  // Its first four bytes and its end were read before, to open it.
  expect(read()).toBeLessThanOrEqual(whole.bytes.length + 4 + 64 * 1024);
});

describe('a member of more than 32 MiB', () => {
  const large = { body: textRows(['a', 'b'.repeat(40 * mebi)]), rows: 2n };

  test('is checked in a thread as it is checked without', async () => {
    const file = await inFile('large', (await sample({ chunks: [[], [large, large, large, large]] })).bytes);
    expect(await verified(file, { jobs: 2 })).toMatchObject({ result: { rows: 8n }, threads: 2 });
  });

  test('is damaged for the same reasons', async () => {
    const { bytes, manifest } = await sample({ chunks: [[], [{ ...large, rows: 3n }, large, large, large]] });
    const [, second, third] = manifest.tables[1]?.chunks ?? [];
    // The checksum at the end of its frame; a byte within.
    for (const at of [Number(third?.offset) - 1, Number(third?.offset) + 600]) bytes[at] = (bytes[at] ?? 0) ^ 1;
    const file = await inFile('large-damaged', bytes);
    const { result } = await verified(file, { jobs: 1 });
    const { details } = result as TidemarkError;
    expect(details).toMatchObject({ damages: 4, damage: [{ problem: /rows/ }, { member: second?.member }, { member: third?.member }, {}] });
    expect(await verified(file, { jobs: 2 })).toMatchObject({ result: { details }, threads: 2 });
  });

  test('is streamed, where its frames have more than that, too', async () => {
    const noise = randomFillSync(Buffer.alloc(33 * mebi)).map((byte) => (byte === 0x0a ? 0 : byte));
    noise[noise.length - 1] = 0x0a;
    const { bytes } = await sample({ chunks: [[], [{ body: Buffer.from(noise.buffer), rows: 1n }, ...manyChunks()]] });
    const { result, threads } = await verified(await inFile('noise', bytes), { jobs: 2 });
    expect(result).toMatchObject({ members: 16 });
    expect(threads).toBe(2);
  });
});

describe('an abort', () => {
  test('leaves no thread', async () => {
    const before = ports();
    const stop = new AbortController();
    const verifying = verifyArchive(path, {
      jobs: 2,
      signal: stop.signal,
      onEvent: (event) => event.type === 'progress' && event.rows > 0n && stop.abort(),
    });
    await expect(verifying).rejects.toMatchObject({ code: 'ABORTED' });
    expect(ports()).toBe(before);
  });

  test('is one also while the last member is read, after which nothing but threads is waited for', async () => {
    const before = ports();
    const stop = new AbortController();
    const last = whole.manifest.schema.at(-1)?.offset;
    await using file = await FileBytes.open(path);
    const bytes: Seekable = {
      name: file.name,
      size: file.size,
      nearby: true,
      read: async (offset, length, memory) => {
        if (offset === last) {
          stop.abort();
          // Until its threads are no more.
          while (ports() > before) await new Promise((resolve) => setImmediate(resolve));
        }
        return await file.read(offset, length, memory);
      },
      stream: (offset, length) => file.stream(offset, length),
      [Symbol.asyncDispose]: async () => undefined,
    };
    await expect(verifyArchive(bytes, { jobs: 2, signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(stop.signal.aborted).toBe(true);
    expect(ports()).toBe(before);
  });
});

describe('the pool', () => {
  const nothing = { offset: 0n, frames: [], rawBytes: 0n, sha256: '' };
  const task = (member: string, length: number) => ({ member: { ...nothing, member, length: BigInt(length) } });

  test('has no room for a second large member until it has done with the first', async () => {
    await using pool = new CheckPool(1);
    const length = 20 * mebi;
    await pool.room(length);
    const first = await pool.check(task('a', length), Buffer.from(pool.memory(length), 0, length));
    await pool.room(mebi);
    expect(first.settled).toBe(false);
    await pool.room(length);
    expect(first).toMatchObject({ settled: true, problem: /member a/ });
  });

  test('takes nothing any more when its threads have ended', async () => {
    const pool = new CheckPool(2);
    await pool[Symbol.asyncDispose]();
    await expect(pool.room(1)).rejects.toThrow('ended');
    await expect(pool.check(task('a', 1), Buffer.from(pool.memory(1), 0, 1))).rejects.toThrow('ended');
  });
});
