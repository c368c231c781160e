// Archives that are brought to this machine: whole and verified or not at all, killed and taken up again, changed meanwhile, damaged.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type PullOptions, pullSnapshot } from '#dist/app/archive/pull.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { checksumText } from '#dist/archive/sidecars.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { sample, textRows } from '../../archive/sample.js';
import { runCli, startCli } from '../../cli/run-cli.js';
import { type FileServer, startFileServer } from '../../store/file-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

const pieceBytes = 8 * 1024 * 1024;

let web: FileServer;
let archive: Buffer;
let other: Buffer;
let sha256: string;
let manifest: string;
let folder: TemporaryDirectory;
beforeAll(async () => {
  web = await startFileServer();
  const noisy = async () => {
    const body = textRows(Array.from({ length: 8 }, () => randomBytes(400_000).toString('base64')));
    return sample({ chunks: [[], Array.from({ length: 8 }, () => ({ body, rows: 8n }))] });
  };
  const [one, another] = [await noisy(), await noisy()];
  archive = one.bytes;
  other = another.bytes;
  manifest = one.written.manifestText;
  sha256 = one.written.sha256;
});
afterAll(() => web[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await temporaryDirectory();
  web.files.clear();
  serve(archive);
  web.files.set('/x.tar.zst.sha256', Buffer.from(checksumText(sha256, 'x.tar.zst')));
  web.files.set('/x.tar.zst.manifest.json', Buffer.from(manifest));
  again();
});
afterEach(() => folder[Symbol.asyncDispose]());

function serve(content: Buffer): void {
  web.files.set('/x.tar.zst', content);
}

/** Requests are counted anew, and all of them answered. */
function again(): void {
  web.seen.length = 0;
  web.bytes = 0;
  web.sends = () => Number.POSITIVE_INFINITY;
}

const url = () => `http://user:pa55word@${web.origin.slice(7)}/x.tar.zst?token=t0ken`;
const at = (name: string) => join(folder.path, name);
const pull = (options: Partial<PullOptions> = {}) => pullSnapshot({ file: url(), output: folder.path, store: { attempts: 1 }, ...options });
const pieces = () => web.seen.filter(({ what }) => isPiece(what)).length;
const isPiece = (what: string) => {
  const [, first = 1, last = 0] = /bytes=(\d+)-(\d+)/.exec(what) ?? [];
  return Number(first) % pieceBytes === 0 && Number(last) - Number(first) > 1000;
};

const names = ['x.tar.zst', 'x.tar.zst.manifest.json', 'x.tar.zst.sha256'];

async function expectWhole(): Promise<void> {
  expect((await readdir(folder.path)).sort()).toEqual(names);
  expect((await readFile(at('x.tar.zst'))).equals(archive)).toBe(true);
  expect(await readFile(at('x.tar.zst.sha256'), 'utf8')).toBe(checksumText(sha256, 'x.tar.zst'));
  expect(await readFile(at('x.tar.zst.manifest.json'), 'utf8')).toBe(manifest);
}

test('the archive and what lies beside it, verified; nothing secret is told', async () => {
  const events: TidemarkEvent[] = [];
  const pulled = await pull({ onEvent: (event) => events.push(event) });
  expect(pulled).toMatchObject({
    file: at('x.tar.zst'),
    source: `${web.origin}/x.tar.zst`,
    bytes: BigInt(archive.length),
    sha256,
    rows: 64n,
    resumedBytes: 0n,
  });
  expect(pulled.sidecars).toEqual([at('x.tar.zst.sha256'), at('x.tar.zst.manifest.json')]);
  await expectWhole();
  expect(events.filter((event) => event.type === 'phase').map(({ phase }) => phase)).toEqual(['connect', 'pull', 'verify', 'publish']);
  expect(JSON.stringify([pulled, events], (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(/pa55word|t0ken/);
  expect(archive.length).toBeGreaterThan(3 * pieceBytes);
  expect(pieces()).toBe(Math.ceil(archive.length / pieceBytes));
});

test('under another name, whose checksum is that of the new name', async () => {
  await pull({ output: at('mine.tar.zst') });
  expect(await readFile(at('mine.tar.zst.sha256'), 'utf8')).toBe(checksumText(sha256, 'mine.tar.zst'));
  expect(await verifySnapshot({ file: at('mine.tar.zst') })).toMatchObject({ sha256, sidecars: [expect.any(String), expect.any(String)] });
});

test('killed after any number of pieces, the next run brings only the rest', async () => {
  const all = Math.ceil(archive.length / pieceBytes);
  for (let there = 0; there < all; there += 1) {
    again();
    let held = 0;
    web.sends = (_, what) => (isPiece(what) && ++held > there ? new Promise(() => undefined) : Number.POSITIVE_INFINITY);
    const cli = startCli(['pull', url(), '-o', folder.path, '--json']);
    await cli.event(
      (event) => event.type === 'progress' && Number(event.rawBytes) >= there * pieceBytes - pieceBytes + 1 && hasPieces(event, there),
    );
    cli.child.kill('SIGKILL');
    await cli.ended;
    expect(await readdir(folder.path)).not.toContain('x.tar.zst');
    again();
    expect((await pull()).resumedBytes).toBeGreaterThanOrEqual(BigInt(Math.max(0, there - 1) * pieceBytes));
    expect(pieces()).toBe(all - there);
    await expectWhole();
    for (const name of names) await rm(at(name));
  }
});

/** The last piece is a shorter one. */
function hasPieces({ rawBytes }: Readonly<Record<string, unknown>>, there: number): boolean {
  return (
    Number(rawBytes) >= there * pieceBytes || (there > 0 && Number(rawBytes) === (there - 1) * pieceBytes + (archive.length % pieceBytes))
  );
}

test('wherever the server dies, what came is kept, and that is said; the next run goes on', async () => {
  await pull();
  const requests = web.seen.length;
  for (let last = 0; last < requests; last += 1) {
    for (const name of await readdir(folder.path)) await rm(at(name));
    again();
    web.sends = (n) => (n < last ? Number.POSITIVE_INFINITY : undefined);
    const failed = await pull().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'STORE_ERROR', hint: expect.any(String) });
    expect(String(failed)).not.toMatch(/pa55word|t0ken/);
    expect(await readdir(folder.path)).not.toContain('x.tar.zst');
    if (await exists('x.tar.zst.partial'))
      expect(failed).toMatchObject({ message: expect.stringContaining(`are kept in ${at('x.tar.zst.partial')}`) });
    again();
    await pull();
    await expectWhole();
  }
});

async function exists(name: string): Promise<boolean> {
  return (await readdir(folder.path)).includes(name);
}

/** What a run leaves that came to a certain number of pieces. */
async function leavePartial(count = 2): Promise<void> {
  let sent = 0;
  web.sends = (_, what) => (isPiece(what) && ++sent > count ? undefined : Number.POSITIVE_INFINITY);
  await expect(pull()).rejects.toMatchObject({ code: 'STORE_ERROR' });
  again();
}

test('an archive that is replaced between two runs is begun anew, and that is said', async () => {
  serve(other);
  await leavePartial();
  serve(archive);
  const events: TidemarkEvent[] = [];
  expect(await pull({ onEvent: (event) => events.push(event) })).toMatchObject({ resumedBytes: 0n });
  expect(events).toContainEqual({ type: 'notice', message: expect.stringContaining('begun anew') });
  await expectWhole();
});

test('an archive that is replaced during a run is an error', async () => {
  web.sends = (_, what) => {
    if (isPiece(what)) serve(other);
    return Number.POSITIVE_INFINITY;
  };
  await expect(pull()).rejects.toMatchObject({ code: 'STORE_CONFLICT', hint: expect.stringContaining('begins anew') });
  expect(await exists('x.tar.zst')).toBe(false);
});

test.each([
  ['a piece was lost by a power cut', async () => truncate(at('x.tar.zst.partial'), 1000), 2],
  ['a byte of a piece is another', async () => flip(at('x.tar.zst.partial'), 5), 1],
  ['the list ends within a line', async () => truncateBy(at('x.tar.zst.partial.pieces'), 3), 1],
  ['the list is none', async () => writeFile(at('x.tar.zst.partial.pieces'), 'something else'), 2],
  [
    'the list lies',
    async () =>
      writeFile(
        at('x.tar.zst.partial.pieces'),
        (await readFile(at('x.tar.zst.partial.pieces'), 'utf8')).replace(/"sha256":"../g, '"sha256":"zz'),
      ),
    2,
  ],
  ['the file is gone', async () => rm(at('x.tar.zst.partial')), 2],
])('where %s, that is brought again', async (_, harm, lost) => {
  await leavePartial();
  await harm();
  await pull();
  expect(pieces()).toBe(Math.ceil(archive.length / pieceBytes) - 2 + lost);
  await expectWhole();
});

async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  await writeFile(path, bytes);
}

async function truncateBy(path: string, bytes: number): Promise<void> {
  await truncate(path, (await readFile(path)).length - bytes);
}

test('what is damaged where it lies never gets its name', async () => {
  const damaged = Buffer.from(archive);
  damaged.writeUInt8(damaged.readUInt8(20_000_000) ^ 1, 20_000_000);
  serve(damaged);
  await expect(pull()).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', message: expect.stringContaining('what was loaded was removed') });
  expect(await readdir(folder.path)).toEqual([]);
});

test.each([
  ['is no archive', Buffer.from('<html>not here</html>'), 'ARCHIVE_INVALID'],
  ['is cut short', () => archive.subarray(0, 20_000_000), 'ARCHIVE_TRUNCATED'],
])('what %s is not even loaded', async (_, content, code) => {
  serve(typeof content === 'function' ? content() : content);
  await expect(pull()).rejects.toMatchObject({ code });
  expect(pieces()).toBe(0);
  expect(await readdir(folder.path)).toEqual([]);
});

test('what is there already is not brought again, and gets what it misses beside it', async () => {
  await pull();
  await rm(at('x.tar.zst.sha256'));
  await rm(at('x.tar.zst.manifest.json'));
  again();
  expect(await pull()).toMatchObject({ resumedBytes: BigInt(archive.length), sha256 });
  expect(pieces()).toBe(0);
  await expectWhole();
});

test('another archive of that name is replaced, with all that was beside it', async () => {
  await writeFile(at('x.tar.zst'), other);
  await writeFile(at('x.tar.zst.manifest.json.minisig'), 'of the other one');
  await pull();
  await expectWhole();
});

test('of two at once one is refused', async () => {
  const both = await Promise.allSettled([pull(), pull()]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LOCKED' } });
  await expectWhole();
});

test('it is given up at once, and goes on later', async () => {
  const controller = new AbortController();
  web.sends = (_, what) => {
    if (!isPiece(what)) return Number.POSITIVE_INFINITY;
    controller.abort();
    return new Promise(() => undefined);
  };
  await expect(pull({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  again();
  await pull();
  await expectWhole();
});

test.each([
  ['a store', { output: 's3://bucket/x' }, 'USAGE'],
  ['a directory that is not there', { output: '/nonexistent/x.tar.zst' }, 'FILE_ERROR'],
  ['a device', { output: '/dev/null' }, 'FILE_ERROR'],
])('%s is no place for it', async (_, options, code) => {
  await expect(pull(options)).rejects.toMatchObject({ code, hint: expect.any(String) });
  expect(pieces()).toBe(0);
});

test('of a store, the newest: by its URL or its directory, one of several series by its prefix', async () => {
  const store = at('store');
  await writeFile(at('one.tar.zst'), archive);
  await expect(showSnapshot({ file: folder.path })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING', hint: expect.any(String) });
  const { snapshot } = await pushSnapshot({ file: at('one.tar.zst'), store, prefix: 'main', layout: 'dated' });
  expect(await showSnapshot({ file: store })).toMatchObject({ file: join(store, snapshot.key), bytes: BigInt(archive.length) });
  expect((await verifySnapshot({ file: store })).sidecars).toHaveLength(2);
  expect((await verifySnapshot({ file: join(store, snapshot.key) })).sidecars).toHaveLength(2);
  for (const name of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (name.isFile())
      web.files.set(join('/pub', name.parentPath.slice(store.length), name.name), await readFile(join(name.parentPath, name.name)));
  }
  const pulled = await pull({ file: `${web.origin}/pub`, output: at('two.tar.zst') });
  expect(pulled).toMatchObject({ source: `${web.origin}/pub/${snapshot.key}`, sha256 });
  expect(await verifySnapshot({ file: `${web.origin}/pub` })).toMatchObject({ sidecars: [expect.any(String), expect.any(String)] });
  await pushSnapshot({ file: at('one.tar.zst'), store, prefix: 'test' });
  await expect(pull({ file: store })).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('main, test') });
  await expect(pull({ file: store, prefix: 'none' })).rejects.toMatchObject({
    code: 'SNAPSHOT_MISSING',
    hint: expect.stringContaining('main, test'),
  });
  expect(await pull({ file: store, prefix: 'test', output: at('three.tar.zst') })).toMatchObject({ sha256 });
});

test('of an encrypted one, without what opens it, the SHA-256 is compared with the one beside it', async () => {
  const sealed = randomBytes(100_000);
  const hash = createHash('sha256').update(sealed).digest('hex');
  web.files.set('/y.tar.zst.age', sealed);
  const file = `${web.origin}/y.tar.zst.age`;
  await expect(pull({ file })).rejects.toMatchObject({
    code: 'ARCHIVE_INVALID',
    message: expect.stringContaining('no checksum beside it'),
  });
  web.files.set('/y.tar.zst.age.sha256', Buffer.from(checksumText('0'.repeat(64), 'y.tar.zst.age')));
  await expect(pull({ file })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  expect(await readdir(folder.path)).toEqual([]);
  web.files.set('/y.tar.zst.age.sha256', Buffer.from(checksumText(hash, 'y.tar.zst.age')));
  web.files.set('/y.tar.zst.age.manifest.json.age', Buffer.from('sealed, too'));
  const pulled = await pull({ file });
  expect(pulled.sha256).toBe(hash);
  expect(pulled).not.toHaveProperty('rows');
  expect((await readdir(folder.path)).sort()).toEqual(['y.tar.zst.age', 'y.tar.zst.age.manifest.json.age', 'y.tar.zst.age.sha256']);
});

test('the command says where it is, and what went wrong', async () => {
  const { stdout, exitCode } = await runCli(['pull', url(), '-o', folder.path]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`${at('x.tar.zst')}: `);
  expect(stdout).toContain(`sha256 ${sha256}`);
  expect(stdout).not.toMatch(/pa55word|t0ken/);
  const failed = await runCli(['pull', `${web.origin}/none.tar.zst`, '-o', folder.path]);
  expect(failed).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('there is no such object') });
});
