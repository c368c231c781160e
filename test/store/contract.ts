// What every store does that can be written to, whatever it is made of. A new kind of store is one line in contract.test.ts.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GetOptions, Store, StoredObject } from '#dist/store/store.js';

export interface Contracted {
  readonly name: string;
  /** Two views of one empty store, as two processes have them. */
  readonly open: () => Promise<readonly [Store, Store]>;
  /** More than a part of an upload. */
  readonly largeBytes: number;
  /** False for a server that looks and then writes, in two steps, where an upload in parts is completed (moto does). Default true. */
  readonly racesUploads?: boolean;
}

export async function* chunks(content: Uint8Array, size = 64 << 10): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

export async function read(store: Store, key: string, options?: GetOptions): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of store.get(key, options)) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

export async function keysOf(store: Store, prefix?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found.sort();
}

const text = (words: string) => chunks(Buffer.from(words));
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

export function storeContract({ name, open, largeBytes, racesUploads = true }: Contracted): void {
  describe(name, () => {
    let store: Store;
    let other: Store;
    const large = randomBytes(largeBytes);

    beforeAll(async () => {
      [store, other] = await open();
    });
    afterAll(async () => {
      await store[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    });

    test('what is not there', async () => {
      expect(await store.stat('none')).toBeUndefined();
      expect(await keysOf(store, 'none')).toEqual([]);
      await expect(read(store, 'none')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await expect(read(store, 'none', { range: { from: 0n, bytes: 0n } })).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await store.remove('none');
      await store.remove('no/such/place');
    });

    test.each([
      ['nothing', 0],
      ['a byte', 1],
      ['some', 100_000],
    ])('write, look, read, list, remove: %s', async (_, bytes) => {
      const content = randomBytes(bytes);
      const written = await store.put('one/two.bin', chunks(content));
      expect(written).toMatchObject({ key: 'one/two.bin', bytes: BigInt(bytes), modifiedAt: expect.any(Date) });
      expect(written).toMatchObject((await other.stat('one/two.bin')) ?? {});
      expect(await read(other, 'one/two.bin', { version: written.version })).toEqual(content);
      const listed: StoredObject[] = [];
      for await (const one of other.list('one/')) listed.push(one);
      expect(listed).toEqual([await other.stat('one/two.bin')]);
      await store.remove('one/two.bin');
      expect(await other.stat('one/two.bin')).toBeUndefined();
      expect(await keysOf(other)).toEqual([]);
    });

    test('a large one, of unknown size, in uneven chunks; its ranges', async () => {
      const { bytes, version } = await store.put('large', chunks(large, 77_777));
      expect(bytes).toBe(BigInt(large.length));
      expect((await read(other, 'large')).equals(large)).toBe(true);
      for (const [from, length] of [
        [0, 1],
        [1, 1000],
        [large.length - 1, 1],
        [large.length >> 1, (large.length >> 1) - 5],
        [5, 0],
      ] as const) {
        const range = { from: BigInt(from), bytes: BigInt(length) };
        expect((await read(store, 'large', { range, version })).equals(large.subarray(from, from + length))).toBe(true);
      }
      for (const range of [
        { from: bytes, bytes: 1n },
        { from: bytes - 5n, bytes: 6n },
        { from: bytes + 100n, bytes: 0n },
      ]) {
        await expect(read(store, 'large', { range })).rejects.toMatchObject({ code: 'STORE_ERROR' });
      }
      const known = { size: bytes, sha256: sha256(large) };
      expect((await store.put('large', chunks(large), known)).bytes).toBe(bytes);
      expect((await read(other, 'large')).equals(large)).toBe(true);
      await store.remove('large');
    });

    test('a reader that goes away, one that takes its time', async () => {
      await store.put('away', chunks(large));
      for await (const chunk of store.get('away')) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      const both = [store.get('away'), store.get('away')].map((one) => one[Symbol.asyncIterator]());
      for (const one of both) expect((await one.next()).done).toBe(false);
      for (const one of both) await one.return?.();
      await store.remove('away');
    });

    test('names and prefixes', async () => {
      const keys = ['a', 'a b/c+d', 'ab/c', 'ab/cd', 'abc/d', 'ä/%2F ü', 'q&<\'>"?#=;', '.hidden', 'z~!*()'];
      for (const key of keys) await store.put(key, text(key));
      expect(await keysOf(other)).toEqual([...keys].sort());
      expect(await keysOf(other, 'ab/')).toEqual(['ab/c', 'ab/cd']);
      expect(await keysOf(other, 'ab')).toEqual(['ab/c', 'ab/cd', 'abc/d']);
      expect(await keysOf(other, 'ab/cd')).toEqual(['ab/cd']);
      expect(await keysOf(other, 'ä/%')).toEqual(['ä/%2F ü']);
      for (const key of keys) {
        expect((await read(other, key)).toString()).toBe(key);
        await store.remove(key);
      }
      expect(await keysOf(other)).toEqual([]);
    });

    test.each([
      '',
      '/',
      '/etc/passwd',
      '../x',
      'a/../../x',
      'a/./b',
      'a//b',
      'a/',
      'a\\b',
      'a\0b',
      'a\nb',
      '\ud800',
      '.x.tidemark',
      'x'.repeat(256),
      'x/'.repeat(450),
    ])('no key: %j', async (key) => {
      await expect(store.put(key, text('x'))).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.stat(key)).rejects.toMatchObject({ code: 'USAGE' });
      await expect((async () => read(store, key))()).rejects.toMatchObject({ code: 'USAGE' });
      await expect(store.remove(key)).rejects.toMatchObject({ code: 'USAGE' });
      expect(await keysOf(store)).toEqual([]);
    });

    test('only where there is none', async () => {
      const first = await store.put('new', text('first'), { ifAbsent: true });
      await expect(other.put('new', text('second'), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await expect(other.put('new', chunks(large), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      expect(first).toMatchObject((await store.stat('new')) ?? {});
      await store.remove('new');
    });

    test.each([['small', 10] as const, ...(racesUploads ? [['large', largeBytes] as const] : [])])(
      'of several that write where there is none, one succeeds: %s',
      async (_, bytes) => {
        const contents = Array.from({ length: 4 }, () => randomBytes(bytes));
        const tries = await Promise.allSettled(
          contents.map((content, index) => (index % 2 ? store : other).put('race', chunks(content), { ifAbsent: true })),
        );
        const won = tries.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
        expect(won).toHaveLength(1);
        for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'STORE_CONFLICT' });
        expect((await read(store, 'race')).equals(contents[won[0] ?? 0] as Buffer)).toBe(true);
        await store.remove('race');
      },
    );

    test('only in place of one version', async () => {
      await expect(store.put('pointer', text('x'), { ifVersion: 'none' })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      const first = await store.put('pointer', text('first'));
      const second = await store.put('pointer', text('second!'), { ifVersion: first.version });
      expect(second.version).not.toBe(first.version);
      await expect(other.put('pointer', text('third'), { ifVersion: first.version })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await expect(read(other, 'pointer', { version: first.version })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      expect((await read(other, 'pointer', { version: second.version })).toString()).toBe('second!');
      await expect(store.put('pointer', text('x'), { ifVersion: second.version, ifAbsent: true })).rejects.toMatchObject({ code: 'USAGE' });
      await store.remove('pointer');
      await expect(store.put('pointer', text('x'), { ifVersion: second.version })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      expect(await keysOf(store)).toEqual([]);
    });

    test('many count up one number: none is lost', async () => {
      await store.put('count', text('0'));
      async function countUp(own: Store): Promise<void> {
        for (;;) {
          const { version } = (await own.stat('count')) as StoredObject;
          try {
            const at = Number((await read(own, 'count', { version })).toString());
            await own.put('count', text(String(at + 1).padStart(at + 2, '0')), { ifVersion: version });
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: 'STORE_CONFLICT' });
          }
        }
      }
      await Promise.all([store, other, store, other, store].map(countUp));
      expect(Number((await read(store, 'count')).toString())).toBe(5);
      await store.remove('count');
    });

    test('a reader of a version that is replaced has that one, or an error', async () => {
      const { version } = await store.put('replaced', chunks(large));
      const reader = store.get('replaced', { version })[Symbol.asyncIterator]();
      const begun = [(await reader.next()).value as Uint8Array];
      await other.put('replaced', chunks(randomBytes(largeBytes)));
      try {
        for (let next = await reader.next(); !next.done; next = await reader.next()) begun.push(next.value);
        expect(Buffer.concat(begun).equals(large)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_CONFLICT' });
      }
      await store.remove('replaced');
    });

    test.each([
      ['at once', 0],
      ['in the first part', 1000],
      ['in a later part', largeBytes - 10],
    ])('a source that fails %s: nothing is written', async (_, after) => {
      async function* failing(): AsyncGenerator<Uint8Array, void> {
        yield* chunks(large.subarray(0, after));
        throw new Error('the source is broken');
      }
      await store.put('kept', text('kept'));
      const before = await store.stat('kept');
      await expect(store.put('kept', failing())).rejects.toThrow('the source is broken');
      await expect(store.put('other', failing())).rejects.toThrow('the source is broken');
      expect(await store.stat('kept')).toEqual(before);
      expect(await keysOf(store)).toEqual(['kept']);
      expect(await store.cleanUp({ olderThanMs: 0 })).toBe(0);
      await store.remove('kept');
    });

    test('a source that is not what it should be: nothing is written', async () => {
      for (const content of [Buffer.from('short'), large]) {
        const size = BigInt(content.length);
        for (const wrong of [{ size: size + 1n }, { size: size - 1n }, { size, sha256: sha256(Buffer.from('else')) }]) {
          await expect(store.put('wrong', chunks(content), wrong)).rejects.toMatchObject({ code: 'STORE_ERROR' });
        }
        await store.put('right', chunks(content), { size, sha256: sha256(content).toUpperCase(), expectedBytes: 1n });
        expect((await read(store, 'right')).equals(content)).toBe(true);
        await store.remove('right');
      }
      expect(await keysOf(store)).toEqual([]);
      expect(await store.cleanUp({ olderThanMs: 0 })).toBe(0);
    });

    test('a source may use its memory again', async () => {
      async function* reusing(): AsyncGenerator<Uint8Array, void> {
        const one = Buffer.alloc(1000);
        for (let byte = 0; byte < 100; byte += 1) yield one.fill(byte);
      }
      await store.put('reused', reusing());
      expect([...(await read(store, 'reused'))].filter((byte, at) => byte !== Math.floor(at / 1000))).toEqual([]);
      await store.remove('reused');
    });
  });
}
