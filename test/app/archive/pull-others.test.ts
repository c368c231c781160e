// Archives that refer to others for completed partitions, brought with them: restored when their source is gone, killed and taken up again, and
// nothing of somebody else's is overwritten.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type PullOptions, pullSnapshot } from '#dist/app/archive/pull.js';
import { targetsOf } from '#dist/app/archive/pull-place.js';
import { publishSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { runCli, startCli } from '../../cli/run-cli.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type FileServer, startFileServer } from '../../store/file-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';
import { addThousand, contents, makeIndexer, referred, take } from '../snapshot/completed-partitions-sample.js';

const pieceBytes = 8 * 1024 * 1024;

let sources: TemporaryDirectory;
let db: TestDatabase;
let web: FileServer;
let folder: TemporaryDirectory;
const from = (name: string): string => join(sources.path, name);
const at = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  web = await startFileServer();
  sources = await temporaryDirectory();
  db = await makeIndexer([0]);
  // What does not get smaller, for a base of several pieces.
  await db.run(`INSERT INTO moves SELECT 1, 'a', (SELECT decode(string_agg(md5(n::text || '-' || m), ''), 'hex') FROM generate_series(1, 25000) m)
    FROM generate_series(1, 50) n`);
  await mkdir(from('old'));
  await take(db, from('old/base.tar.zst'));
  await db.run(addThousand(1000));
  const { manifest } = await take(db, from('newest.tar.zst'), from('old/base.tar.zst'));
  expect(Object.keys(referred(manifest))).toEqual(['old/base.tar.zst']);
});
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await sources?.[Symbol.asyncDispose]();
  await web?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  // The servers of the tests write their log when they like, and nothing is referred to that a crash could take back.
  await db.run('CHECKPOINT');
  folder = await temporaryDirectory();
  web.files.clear();
  for (const name of await readdir(sources.path, { recursive: true, withFileTypes: true })) {
    if (name.isFile())
      web.files.set(join('/', name.parentPath.slice(sources.path.length), name.name), await readFile(join(name.parentPath, name.name)));
  }
  again();
});
afterEach(() => folder[Symbol.asyncDispose]());

function again(): void {
  web.seen.length = 0;
  web.sends = () => Number.POSITIVE_INFINITY;
}

const url = () => `${web.origin}/newest.tar.zst`;
const pull = (options: Partial<PullOptions> = {}) => pullSnapshot({ file: url(), output: folder.path, store: { attempts: 1 }, ...options });
const isPiece = (what: string) => {
  const [, first = 1, last = 0] = /bytes=(\d+)-(\d+)/.exec(what) ?? [];
  return Number(first) % pieceBytes === 0 && Number(last) - Number(first) > 1000;
};
const piecesOf = (name: string) => web.seen.filter(({ what }) => isPiece(what) && what.includes(name)).length;
const listed = async () => (await readdir(folder.path, { recursive: true })).sort();
const beside = (name: string) => [name, `${name}.manifest.json`, `${name}.sha256`];
const both = ['old', ...beside('newest.tar.zst'), ...beside('old/base.tar.zst')].sort();

/** Buffers of this size are not to be compared byte by byte, nor printed. */
const sha256Of = (content: Buffer) => createHash('sha256').update(content).digest('hex');

async function restored(file: string): Promise<unknown> {
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  return await contents(target);
}

test('with those that it refers to, and restored when the server is gone; a second time nothing is loaded', async () => {
  const events: TidemarkEvent[] = [];
  const pulled = await pull({ onEvent: (event) => events.push(event) });
  expect(pulled).toMatchObject({ file: at('newest.tar.zst'), others: [{ file: at('old/base.tar.zst'), resumedBytes: 0n }] });
  expect(await listed()).toEqual(both);
  expect((await readFile(at('old/base.tar.zst'))).equals(await readFile(from('old/base.tar.zst')))).toBe(true);
  expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
  again();
  const second = await pull();
  expect([second, ...second.others].map(({ bytes, resumedBytes }) => bytes === resumedBytes)).toEqual([true, true]);
  expect(web.seen.filter(({ what }) => isPiece(what))).toEqual([]);
  web.sends = () => undefined;
  expect(await restored(pulled.file)).toEqual(await contents(db));
});

test('from the command line, also one that is there and right already; --no-base brings it alone', async () => {
  const alone = await runCli(['pull', url(), '-o', folder.path, '--no-base']);
  expect(alone).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('part of its rows is in old/base.tar.zst: pull that, too') });
  expect(await listed()).toEqual(beside('newest.tar.zst'));
  await mkdir(at('old'));
  await copyFile(from('old/base.tar.zst'), at('old/base.tar.zst'));
  await writeFile(at('old/base.tar.zst.manifest.json.minisig'), 'a signature of our own');
  again();
  const { stdout, exitCode } = await runCli(['pull', url(), '-o', folder.path]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /^.*old\/base\.tar\.zst: .*, it was there, .*\nsha256 .*\n.*newest\.tar\.zst: .*, it was there, .*\nsha256 [0-9a-f]{64}\n$/,
  );
  expect(piecesOf('base')).toBe(0);
  expect(await readFile(at('old/base.tar.zst.manifest.json.minisig'), 'utf8')).toBe('a signature of our own');
  expect(await listed()).toEqual([...both, 'old/base.tar.zst.manifest.json.minisig'].sort());
});

test.each([
  ['another archive', () => copyFile(from('newest.tar.zst'), at('old/base.tar.zst'))],
  ['no archive', () => writeFile(at('old/base.tar.zst'), 'mine')],
  [
    'a damaged copy of it',
    async () => {
      const bytes = await readFile(from('old/base.tar.zst'));
      bytes.writeUInt8(bytes.readUInt8(9_000_000) ^ 1, 9_000_000);
      await writeFile(at('old/base.tar.zst'), bytes);
    },
  ],
  ['a directory', () => mkdir(at('old/base.tar.zst'))],
])('where %s has its name: refused, nothing is loaded, nothing overwritten', async (_, put) => {
  await mkdir(at('old'));
  await put();
  const hash = async () => readFile(at('old/base.tar.zst')).then(sha256Of, () => 'none');
  const before = await hash();
  await expect(pull()).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('another archive, or a damaged one, is there'),
    hint: expect.stringContaining('it was left as it is'),
  });
  expect(await hash()).toBe(before);
  expect(await listed()).toEqual(['old', 'old/base.tar.zst']);
  expect(web.seen.filter(({ what }) => isPiece(what))).toEqual([]);
});

test('what takes its name while it is loaded is left as it is', async () => {
  await mkdir(at('old'));
  web.sends = async (_, what) => {
    if (isPiece(what)) await writeFile(at('old/base.tar.zst'), 'mine');
    return Number.POSITIVE_INFINITY;
  };
  await expect(pull()).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('there is a file of that name already'),
  });
  expect(await readFile(at('old/base.tar.zst'), 'utf8')).toBe('mine');
});

test('killed while the one or the other is loaded, the next run brings only the rest', async () => {
  const all = Math.ceil((web.files.get('/old/base.tar.zst')?.length ?? 0) / pieceBytes);
  expect(all).toBeGreaterThan(2);
  for (const [name, there] of [
    ['base', 1],
    ['newest', 0],
  ] as const) {
    await rm(at('old'), { recursive: true, force: true });
    again();
    let held = 0;
    web.sends = (_, what) =>
      isPiece(what) && what.includes(name) && ++held > there ? new Promise(() => undefined) : Number.POSITIVE_INFINITY;
    const cli = startCli(['pull', url(), '-o', folder.path, '--json']);
    let pulls = 0;
    await cli.event((event) => {
      if (event.type === 'phase' && event.phase === 'pull') pulls += 1;
      return event.type === 'progress' && pulls === (name === 'base' ? 1 : 2) && Number(event.rawBytes) >= there * pieceBytes;
    });
    cli.child.kill('SIGKILL');
    await cli.ended;
    expect(await readdir(folder.path)).not.toContain('newest.tar.zst');
    again();
    await pull();
    expect(piecesOf('base')).toBe(name === 'base' ? all - there : 0);
    expect(piecesOf('newest')).toBe(1);
    expect(await listed()).toEqual(both);
    for (const one of beside('newest.tar.zst')) await rm(at(one));
  }
});

test.each([
  ['is not there', () => web.files.delete('/old/base.tar.zst')],
  ['is another one', () => web.files.set('/old/base.tar.zst', web.files.get('/newest.tar.zst') ?? Buffer.alloc(0))],
])('one that %s is told before anything is loaded; the archive can be had without it', async (_, harm) => {
  harm();
  await expect(pull()).rejects.toMatchObject({ code: 'ARCHIVE_MISSING_PART', hint: expect.stringContaining('--no-base') });
  expect(await listed()).toEqual([]);
  expect(await pull({ others: false })).toMatchObject({ file: at('newest.tar.zst'), others: [] });
});

test('one that was altered within never gets its name, and neither does what refers to it', async () => {
  const bytes = Buffer.from(web.files.get('/old/base.tar.zst') ?? []);
  bytes.writeUInt8(bytes.readUInt8(9_000_000) ^ 1, 9_000_000);
  web.files.set('/old/base.tar.zst', bytes);
  await expect(pull()).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', message: expect.stringContaining('what was loaded was removed') });
  expect(await listed()).toEqual(['old']);
});

test('of a store by date: each in its folder, within the directory; signatures are asked of the one that is named alone', async () => {
  const place = { store: at('store'), prefix: 'chain', layout: 'dated' as const };
  await generateKeys({ name: at('ours') });
  const completed = { tables: ['events', 'moves'] };
  const one = { ...place, database: db.url, heightQuery: 'SELECT max(height) FROM public.blocks', jobs: 1 };
  const first = await publishSnapshot({ ...one, completed });
  const { snapshot } = await publishSnapshot({ ...one, completed, signKey: at('ours.key') });
  expect(snapshot.refersTo).toEqual([first.snapshot.id]);
  await mkdir(at('here'));
  const options = { file: at('store'), prefix: 'chain', verifyKeys: [at('ours.pub')] };
  await expect(pullSnapshot({ ...options, output: at('here/mine.tar.zst') })).rejects.toMatchObject({
    code: 'USAGE',
    hint: expect.stringContaining('give a directory'),
  });
  await expect(pullSnapshot({ ...options, output: at('none/') })).rejects.toMatchObject({ code: 'FILE_ERROR' });
  const pulled = await pullSnapshot({ ...options, output: at('here') });
  const { id } = snapshot;
  expect(pulled.file).toBe(at(`here/${id.slice('chain/'.length)}/snapshot.tar.zst`));
  expect(pulled.others.map(({ file }) => file)).toEqual([at(`here/${first.snapshot.id.slice('chain/'.length)}/snapshot.tar.zst`)]);
  await rm(at('store'), { recursive: true });
  expect(await restored(pulled.file)).toEqual(await contents(db));
});

test('encrypted: with an identity all of them, without one what is named, and it is said that more is not seen', async () => {
  await generateKeys({ name: at('ours'), age: true });
  const encryptTo = [`@${at('ours.age-recipient')}`];
  const identities = [at('ours.age-identity')];
  const one = { database: db.url, height: 1999n, tables: ['events', 'events_*'], jobs: 1, encryptTo };
  const completed = { tables: ['events'] };
  await takeSnapshot({ ...one, file: at('a.tar.zst.age'), completed });
  await takeSnapshot({ ...one, file: at('b.tar.zst.age'), completed: { ...completed, base: at('a.tar.zst.age'), identities } });
  for (const name of ['a', 'b']) {
    for (const ending of ['', '.sha256', '.manifest.json.age'])
      web.files.set(`/${name}.tar.zst.age${ending}`, await readFile(at(`${name}.tar.zst.age${ending}`)));
  }
  for (const known of [undefined, identities]) {
    const output = at(`here${known?.length ?? 0}`);
    await mkdir(output);
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => void (event.type === 'notice' && notices.push(event.message));
    const pulled = await pull({ file: `${web.origin}/b.tar.zst.age`, output, onEvent, ...(known && { identities: known }) });
    expect(pulled.others.map(({ file }) => file)).toEqual(known === undefined ? [] : [join(output, 'a.tar.zst.age')]);
    expect(notices).toEqual(known === undefined ? [expect.stringContaining('whether it refers to other archives')] : []);
  }
});

test('where they are to lie: never outside of the directory, never two in one place', () => {
  const place = (path: string) => ({ root: 'https://host', path });
  const one = { name: 'snapshot.tar.zst', place: place('/pub/chain/2/snapshot.tar.zst') };
  expect(targetsOf({ directory: '/here' }, { ...one, others: ['../1/snapshot.tar.zst', '../../x.tar.zst', 'y.tar.zst'] })).toEqual({
    file: '/here/chain/2/snapshot.tar.zst',
    others: ['/here/chain/1/snapshot.tar.zst', '/here/x.tar.zst', '/here/chain/2/y.tar.zst'],
  });
  expect(targetsOf({ directory: '' }, { ...one, others: [] })).toEqual({ file: 'snapshot.tar.zst', others: [] });
  const refused = [
    [{ directory: '/here' }, { ...one, others: ['../../../../../etc/x.tar.zst'] }],
    [
      { directory: '/here', file: '/here/x.tar.zst' },
      { ...one, others: ['../x.tar.zst'] },
    ],
    [
      { directory: '/here', file: '/here/x.tar.zst' },
      { ...one, others: ['x.tar.zst'] },
    ],
    [{ directory: '/here' }, { ...one, others: ['a/x.tar.zst', 'a/x.tar.zst'] }],
  ] as const;
  for (const [where, what] of refused)
    expect(() => targetsOf(where, what)).toThrow(expect.objectContaining({ code: 'USAGE', hint: expect.any(String) }));
});
