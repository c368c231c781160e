// Snapshots that are signed, and those that are refused: whatever is wrong with a signature, it is found before a database is connected to.
import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { parsePublicKey } from '#dist/seal/key-files.js';
import { verifyManifest } from '#dist/seal/signature.js';
import { forge } from '../../archive/sample.js';
import { jsonLines, runCli } from '../../cli/run-cli.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

let folder: TemporaryDirectory;
let source: TestDatabase;
/** Counts who connects, and answers nothing. */
let ears: Server;
let connections = 0;
let keys: readonly string[];
let other: readonly string[];
const file = (name: string): string => join(folder.path, name);
const signed = (): string => file('signed.tar.zst');
const sidecar = (archive: string): string => `${archive}.manifest.json.minisig`;
const deaf = (): string => {
  const address = ears.address();
  return `postgres://nobody@127.0.0.1:${typeof address === 'object' ? address?.port : ''}/none`;
};

beforeAll(async () => {
  folder = await temporaryDirectory();
  source = await createDatabase();
  await source.run(`
    CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
    INSERT INTO blocks SELECT n, md5(n::text) FROM generate_series(1, 2000) n;
    CREATE TABLE events (id bigint PRIMARY KEY, data jsonb);
    INSERT INTO events SELECT n, jsonb_build_object('n', n) FROM generate_series(1, 500) n`);
  await generateKeys({ name: file('ours') });
  await generateKeys({ name: file('theirs') });
  keys = [file('ours.pub')];
  other = [file('theirs.pub')];
  await takeSnapshot({ database: source.url, file: signed(), signKey: file('ours.key') });
  ears = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
});
afterAll(async () => {
  ears.close();
  await source.drop();
  await folder[Symbol.asyncDispose]();
});

/** The signed snapshot under another name, with what lies beside it. */
async function copied(name: string): Promise<string> {
  const copy = file(name);
  for (const ending of ['', '.sha256', '.manifest.json', '.manifest.json.minisig'])
    await copyFile(`${signed()}${ending}`, `${copy}${ending}`);
  return copy;
}

describe('a signed snapshot', () => {
  test('has a signature of the manifest that it holds and that lies beside it', async () => {
    const text = await readFile(`${signed()}.manifest.json`, 'utf8');
    const signature = await readFile(sidecar(signed()), 'utf8');
    const publicKey = parsePublicKey(await readFile(file('ours.pub'), 'utf8'), 'ours.pub');
    const { trustedComment } = verifyManifest(text, signature, { keys: [publicKey], name: 'it' });
    const sha256 = (await readFile(`${signed()}.sha256`, 'utf8')).slice(0, 64);
    expect(trustedComment).toMatch(new RegExp(`^timestamp:\\d+\tarchive:signed\\.tar\\.zst\tsha256:${sha256}$`));
    expect(signature).toHaveLength(Buffer.byteLength(signature));
    expect((await stat(sidecar(signed()))).mode & 0o777).toBe((await stat(`${signed()}.manifest.json`)).mode & 0o777);
  });

  test('is verified, shown, listed and restored with the key: from its file, as text, one of several', async () => {
    const line = (await readFile(file('ours.pub'), 'utf8')).split('\n')[1] ?? '';
    const { keyId } = JSON.parse((await runCli(['show', '--json', '--verify-key', line, signed()])).stdout).signature;
    for (const verifyKeys of [keys, [line], [...other, ...keys]]) {
      const report = await verifySnapshot({ file: signed(), verifyKeys });
      expect(report.signature).toMatchObject({ keyId, sha256: report.sha256, signedAt: expect.any(Date) });
      expect((await showSnapshot({ file: signed(), verifyKeys })).signature).toMatchObject({ keyId });
      expect((await listArchive({ file: signed(), verifyKeys })).entries.length).toBeGreaterThan(0);
    }
    await using target = await createDatabase();
    expect(await restoreSnapshot({ file: signed(), database: target.url, verifyKeys: keys })).toMatchObject({ rows: 2500n });
  });

  test('is accepted under another name, which is told', async () => {
    const renamed = await copied('renamed.tar.zst');
    const notices: string[] = [];
    const listen = (event: { type: string; message?: string }) => event.type === 'notice' && notices.push(event.message ?? '');
    await verifySnapshot({ file: renamed, verifyKeys: keys, onEvent: listen });
    expect(notices).toEqual(expect.arrayContaining([`${renamed} was signed under the name signed.tar.zst`]));
  });

  test('is accepted without any key, as every other one', async () => {
    expect(await verifySnapshot({ file: signed() })).not.toHaveProperty('signature');
  });

  test('that replaces another takes its signature away, and an unsigned one leaves none', async () => {
    const again = file('again.tar.zst');
    await takeSnapshot({ database: source.url, file: again, signKey: file('ours.key') });
    const first = await readFile(sidecar(again), 'utf8');
    await takeSnapshot({ database: source.url, file: again, signKey: file('ours.key') });
    expect(await readFile(sidecar(again), 'utf8')).not.toBe(first);
    await verifySnapshot({ file: again, verifyKeys: keys });
    await takeSnapshot({ database: source.url, file: again });
    expect((await readdir(folder.path)).filter((name) => name.startsWith('again'))).toEqual([
      'again.tar.zst',
      'again.tar.zst.manifest.json',
      'again.tar.zst.sha256',
    ]);
  });
});

/** Each makes a copy that must be refused. */
const attacks: readonly (readonly [string, string, string, (copy: string) => Promise<unknown>])[] = [
  ['the signature is gone', 'SIGNATURE_MISSING', 'there is none beside it', (copy) => rm(sidecar(copy))],
  ['the signature is empty', 'SIGNATURE_INVALID', 'cut short', (copy) => writeFile(sidecar(copy), '')],
  [
    'the signature is cut',
    'SIGNATURE_INVALID',
    'base64 is cut short',
    async (copy) => writeFile(sidecar(copy), (await readFile(sidecar(copy))).subarray(0, -20)),
  ],
  [
    'something follows',
    'SIGNATURE_INVALID',
    'something follows',
    async (copy) => writeFile(sidecar(copy), `${await readFile(sidecar(copy), 'utf8')}x\n`),
  ],
  ['a huge signature', 'SIGNATURE_INVALID', '20000 bytes', (copy) => writeFile(sidecar(copy), 'x'.repeat(20_000))],
  [
    'another time in the trusted comment',
    'SIGNATURE_INVALID',
    'trusted comment was altered',
    async (copy) => writeFile(sidecar(copy), (await readFile(sidecar(copy), 'utf8')).replace('timestamp:1', 'timestamp:2')),
  ],
  [
    'signed by somebody else',
    'SIGNATURE_INVALID',
    'it is by the key',
    (copy) => takeSnapshot({ database: source.url, file: copy, signKey: file('theirs.key') }),
  ],
  [
    'the signature of another snapshot',
    'SIGNATURE_INVALID',
    'not one of this manifest',
    async (copy) => {
      await takeSnapshot({ database: source.url, file: file('second.tar.zst'), signKey: file('ours.key') });
      await copyFile(sidecar(file('second.tar.zst')), sidecar(copy));
    },
  ],
  [
    'another archive beside manifest and signature of this one',
    'SIGNATURE_INVALID',
    'not one of this manifest',
    async (copy) => {
      await takeSnapshot({ database: source.url, file: file('third.tar.zst'), tables: ['blocks'] });
      await copyFile(file('third.tar.zst'), copy);
    },
  ],
  [
    'another manifest in the archive, all of whose hashes are right',
    'SIGNATURE_INVALID',
    'not one of this manifest',
    async (copy) => {
      const { manifest } = await showSnapshot({ file: copy });
      const changed = { ...manifest, source: { ...manifest.source, database: 'other' } };
      await writeFile(copy, await forge({ bytes: await readFile(copy), manifest } as Parameters<typeof forge>[0], changed));
      expect((await showSnapshot({ file: copy })).manifest.source.database).toBe('other');
    },
  ],
];

describe.each(attacks)('where %s', (what, code, message, attack) => {
  const refusal = () => expect.objectContaining({ code, message: expect.stringContaining(message) });

  test(`it is refused (${code}), and no database is connected to`, async () => {
    const copy = await copied(`${what.replace(/\W+/g, '-')}.tar.zst`);
    await attack(copy);
    const before = connections;
    await expect(restoreSnapshot({ file: copy, database: deaf(), verifyKeys: keys })).rejects.toThrow(refusal());
    await expect(restoreSnapshot({ file: copy, database: deaf(), verifyKeys: keys, swap: true })).rejects.toThrow(refusal());
    await expect(restoreSnapshot({ file: copy, database: deaf(), verifyKeys: keys, clean: true, create: true })).rejects.toThrow(refusal());
    await expect(verifySnapshot({ file: copy, verifyKeys: keys })).rejects.toThrow(refusal());
    await expect(showSnapshot({ file: copy, verifyKeys: keys })).rejects.toThrow(refusal());
    await expect(listArchive({ file: copy, verifyKeys: keys })).rejects.toThrow(refusal());
    expect(connections).toBe(before);
    // The count counts.
    await expect(restoreSnapshot({ file: copy, database: deaf() })).rejects.toThrow(expect.objectContaining({ code: 'CONNECTION_FAILED' }));
    expect(connections).toBeGreaterThan(before);
  });
});

test('bytes that were altered are never sent, signed or not: what is signed holds the hash of each member', async () => {
  const copy = await copied('flipped.tar.zst');
  const { manifest } = await showSnapshot({ file: copy });
  const good = await readFile(copy);
  const members = [...manifest.schema, ...manifest.tables.flatMap(({ chunks }) => chunks)];
  for (const { offset, length } of members) {
    const flipped = Buffer.from(good);
    const at = Number(offset + length) - 6;
    flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
    await writeFile(copy, flipped);
    await expect(verifySnapshot({ file: copy, verifyKeys: keys })).rejects.toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
  }
  await writeFile(copy, Buffer.concat([Buffer.from([good[0] ?? 0]), Buffer.from([1]), good.subarray(2)]));
  const before = connections;
  await expect(restoreSnapshot({ file: copy, database: deaf(), verifyKeys: keys })).rejects.toThrow(/it is no tidemark archive/);
  const catalog = Buffer.from(good);
  catalog.writeUInt8(catalog.readUInt8(100) ^ 1, 100);
  await writeFile(copy, catalog);
  await expect(restoreSnapshot({ file: copy, database: deaf(), verifyKeys: keys })).rejects.toThrow(/catalog.json.*SHA-256/);
  expect(connections).toBe(before);
  const rows = Buffer.from(good);
  const last = Number(manifest.tables.at(-1)?.chunks.at(-1)?.offset) + 30;
  rows.writeUInt8(rows.readUInt8(last) ^ 1, last);
  await writeFile(copy, rows);
  await using target = await createDatabase();
  await expect(restoreSnapshot({ file: copy, database: target.url, verifyKeys: keys })).rejects.toThrow(
    expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }),
  );
  const { schema, name } = manifest.tables.at(-1) ?? {};
  expect(await target.query(`SELECT count(*) AS n FROM "${schema}"."${name}"`)).toEqual([{ n: '0' }]);
});

test('an archive whose end was written anew has the signed manifest, and verify tells the difference', async () => {
  const copy = await copied('end.tar.zst');
  const { manifest } = await showSnapshot({ file: copy });
  const text = await readFile(`${copy}.manifest.json`, 'utf8');
  await writeFile(copy, await forge({ bytes: await readFile(copy), manifest } as Parameters<typeof forge>[0], text));
  await rm(`${copy}.sha256`);
  expect((await readFile(copy)).equals(await readFile(signed()))).toBe(false);
  await expect(verifySnapshot({ file: copy, verifyKeys: keys })).rejects.toThrow(/the SHA-256 of .* and [0-9a-f]{64} was signed/);
  expect(await verifySnapshot({ file: copy })).toMatchObject({ members: expect.any(Number) });
});

describe('the command', () => {
  test('keygen writes a secret that only its owner reads, and never overwrites', async () => {
    const made = await runCli(['keygen', '-o', 'new', '--json'], { cwd: folder.path });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    const { keyId, publicKey } = JSON.parse(made.stdout);
    expect((await stat(file('new.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(file('new.pub'), 'utf8')).toBe(`untrusted comment: minisign public key ${keyId}\n${publicKey}\n`);
    expect(made.stdout).not.toContain((await readFile(file('new.key'), 'utf8')).slice(80, 120));
    const before = await readFile(file('new.key'), 'utf8');
    const again = await runCli(['keygen', '-o', 'new'], { cwd: folder.path });
    expect(again).toMatchObject({ exitCode: 7, stdout: '', stderr: expect.stringContaining('there is a file of that name') });
    await rm(file('new.key'));
    expect(await runCli(['keygen', '-o', 'new'], { cwd: folder.path })).toMatchObject({ exitCode: 7 });
    // The half that could be written is gone again.
    expect((await readdir(folder.path)).filter((name) => name.startsWith('new'))).toEqual(['new.pub']);
    await writeFile(file('new.key'), before);
  });

  test('snapshot --sign, verify --verify-key; the exit code of a refusal is 11', async () => {
    const archive = file('cli.tar.zst');
    const taken = await runCli(['snapshot', '-d', source.url, '-f', archive, '--sign', file('ours.key')]);
    expect(taken).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/signed by the key [0-9A-F]{16}/) });
    const verified = await runCli(['verify', archive, '--verify-key', keys[0] ?? '']);
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/signed by the key [0-9A-F]{16} at 20/) });
    expect(await runCli(['verify', archive, '--verify-key', other[0] ?? ''])).toMatchObject({ exitCode: 11, stdout: '' });
    await rm(sidecar(archive));
    const missing = await runCli(['restore', archive, '-d', deaf(), '--verify-key', keys[0] ?? '', '--json']);
    expect(missing.exitCode).toBe(11);
    expect(jsonLines(missing.stderr).at(-1)).toMatchObject({ type: 'error', code: 'SIGNATURE_MISSING', exitCode: 11 });
  });

  test('keys of the environment count; what nearly is their name is an error', async () => {
    const env = { TIDEMARK_SIGN_KEY: file('ours.key'), TIDEMARK_VERIFY_KEYS: [...other, ...keys].join(', ') };
    const archive = file('env.tar.zst');
    expect(await runCli(['snapshot', '-d', source.url, '-f', archive], { env })).toMatchObject({ exitCode: 0 });
    expect(await runCli(['verify', archive], { env })).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('signed by') });
    expect(await runCli(['verify', archive], { env: { TIDEMARK_VERIFY_KEYS: JSON.stringify(other) } })).toMatchObject({ exitCode: 11 });
    // An option replaces what the environment says.
    expect(await runCli(['verify', archive, '--verify-key', other[0] ?? ''], { env })).toMatchObject({ exitCode: 11 });
    const slip = await runCli(['verify', archive], { env: { TIDEMARK_VERIFY_KEY: keys[0] ?? '' } });
    expect(slip).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('it is called TIDEMARK_VERIFY_KEYS') });
    expect(await runCli(['verify', archive], { env: { TIDEMARK_VERIFY_KEYS: '["x"' } })).toMatchObject({ exitCode: 2 });
    expect(await runCli(['verify', archive], { env: { TIDEMARK_VERIFY_KEYS: ' ' } })).toMatchObject({ exitCode: 0 });
    const piped = await runCli(['restore', '-', '-d', deaf()], { env, input: await readFile(archive) });
    expect(piped).toMatchObject({ exitCode: 11, stderr: expect.stringContaining('a pipe has no signature beside it') });
  });
});

test('what cannot be signed is refused before the database is asked', async () => {
  const before = connections;
  const take = (options: { file: string | PassThrough; signKey: string }) => takeSnapshot({ database: deaf(), ...options });
  const archive = file('never.tar.zst');
  await expect(take({ file: new PassThrough(), signKey: file('ours.key') })).rejects.toThrow('a signature has no place in a stream');
  await expect(take({ file: archive, signKey: file('nothing.key') })).rejects.toThrow(expect.objectContaining({ code: 'FILE_ERROR' }));
  await expect(take({ file: archive, signKey: file('ours.pub') })).rejects.toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
  expect(connections).toBe(before);
  expect((await readdir(folder.path)).filter((name) => name.includes(basename(archive)))).toEqual([]);
});

test.each([[[]], [['nothing.pub']], [['']]])('keys %j are an error, not no keys', async (verifyKeys) => {
  await expect(verifySnapshot({ file: signed(), verifyKeys })).rejects.toThrow(
    expect.objectContaining({ code: expect.stringMatching(/USAGE|FILE_ERROR/) }),
  );
});
