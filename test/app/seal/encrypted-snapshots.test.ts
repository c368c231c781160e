// Snapshots that are encrypted to age recipients: written, read back at any place and from a pipe, and refused before a database is connected
// to where the identity is wrong or a byte is. The package age-encryption stands in for age.
import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { armor, Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { openSealed } from '#dist/app/seal/open-sealed.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { FileBytes } from '#dist/frame/file-bytes.js';
import { jsonLines, runCli } from '../../cli/run-cli.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

let folder: TemporaryDirectory;
let source: TestDatabase;
/** Counts who connects, and answers nothing. */
let ears: Server;
let connections = 0;
const file = (name: string): string => join(folder.path, name);
const sealed = (): string => file('sealed.tar.zst.age');
const identities = (): readonly string[] => [file('ours.age-identity')];
const verifyKeys = (): readonly string[] => [file('ours.pub')];
const deaf = (): string => {
  const address = ears.address();
  return `postgres://nobody@127.0.0.1:${typeof address === 'object' ? address?.port : ''}/none`;
};

beforeAll(async () => {
  folder = await temporaryDirectory();
  source = await createDatabase();
  await source.run(`
    CREATE TABLE secret_names (height bigint PRIMARY KEY, hash text NOT NULL);
    INSERT INTO secret_names SELECT n, md5(n::text) FROM generate_series(1, 100000) n;
    CREATE TABLE small (id bigint PRIMARY KEY);
    INSERT INTO small SELECT n FROM generate_series(1, 10) n`);
  for (const name of ['ours', 'second', 'theirs']) await generateKeys({ name: file(name), age: true });
  await generateKeys({ name: file('ours') });
  const second = (await readFile(file('second.age-recipient'), 'utf8')).trim();
  const taken = await takeSnapshot({
    database: source.url,
    file: sealed(),
    signKey: file('ours.key'),
    encryptTo: [`@${file('ours.age-recipient')}`, second],
  });
  expect(taken).toMatchObject({ recipients: 2, bytes: BigInt((await stat(sealed())).size) });
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

/** As somebody who has age and no tidemark. */
async function byAge(encrypted: Uint8Array, name = 'ours'): Promise<Buffer> {
  const decrypter = new Decrypter();
  const lines = (await readFile(file(`${name}.age-identity`), 'utf8')).split('\n');
  decrypter.addIdentity(lines.find((line) => line.startsWith('AGE-SECRET-KEY-1')) ?? '');
  return Buffer.from(await decrypter.decrypt(encrypted));
}

describe('an encrypted snapshot', () => {
  test('is an archive for each recipient of age; nothing of it lies beside it in plain', async () => {
    const beside = (await readdir(folder.path)).filter((name) => name.startsWith('sealed'));
    expect(beside.map((name) => name.slice('sealed.tar.zst.age'.length))).toEqual([
      '',
      '.manifest.json.age',
      '.manifest.json.minisig',
      '.sha256',
    ]);
    for (const name of beside) expect((await readFile(file(name))).includes('secret_names')).toBe(false);
    for (const name of ['ours', 'second']) {
      await writeFile(file(`${name}.tar.zst`), await byAge(await readFile(sealed()), name));
      expect(await verifySnapshot({ file: file(`${name}.tar.zst`) })).toMatchObject({ rows: 100_010n });
    }
    await expect(byAge(await readFile(sealed()), 'theirs')).rejects.toThrow();
  });

  test('has its manifest beside it, encrypted and armored, and a signature of the plain one', async () => {
    const manifest = await byAge(armor.decode(await readFile(`${sealed()}.manifest.json.age`, 'utf8')));
    expect(JSON.parse(manifest.toString())).toMatchObject({ format: 'tidemark' });
    // Decrypted by other tools, with the signature beside it, it is a signed archive.
    await writeFile(file('plain.tar.zst'), await byAge(await readFile(sealed())));
    await copyFile(`${sealed()}.manifest.json.minisig`, file('plain.tar.zst.manifest.json.minisig'));
    await writeFile(file('plain.tar.zst.manifest.json'), manifest);
    const { signature, sha256 } = await verifySnapshot({ file: file('plain.tar.zst'), verifyKeys: verifyKeys() });
    expect(signature).toMatchObject({ sha256 });
  });

  test('is verified with what lies beside it', async () => {
    const report = await verifySnapshot({ file: sealed(), identities: identities(), verifyKeys: verifyKeys() });
    expect(report.sidecars).toHaveLength(2);
    expect(await readFile(`${sealed()}.sha256`, 'utf8')).toBe(`${report.sha256}  sealed.tar.zst.age\n`);
    expect(report).toMatchObject({ bytes: BigInt((await stat(sealed())).size), plainSha256: report.signature?.sha256 });
    expect(await showSnapshot({ file: sealed(), identities: identities() })).toMatchObject({ encrypted: true, bytes: report.bytes });
  });

  test('is restored: from the file by several, one table of it, and from a pipe', async () => {
    const rows = [{ n: '100000', sum: (await source.query<{ sum: string }>('SELECT sum(hashtext(hash)) FROM secret_names'))[0]?.sum }];
    const check = `SELECT count(*) AS n, sum(hashtext(hash)) AS sum FROM secret_names`;
    await using whole = await createDatabase();
    await restoreSnapshot({ file: sealed(), database: whole.url, identities: identities(), verifyKeys: verifyKeys(), jobs: 2 });
    expect(await whole.query(check)).toEqual(rows);
    await using piped = await createDatabase();
    const input = await readFile(sealed());
    const run = await runCli(['restore', '-', '-d', piped.url, '--identity', identities()[0] ?? ''], { input });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(await piped.query(check)).toEqual(rows);
    await using some = await createDatabase();
    expect(await restoreSnapshot({ file: sealed(), database: some.url, identities: identities(), tables: ['small'] })).toMatchObject({
      rows: 10n,
    });
  });

  test('is read only where it is needed', async () => {
    const file = await FileBytes.open(sealed());
    let taken = 0;
    const bytes = {
      name: file.name,
      size: file.size,
      read: (offset: bigint, length: number) => {
        taken += length;
        return file.read(offset, length);
      },
      stream: (offset: bigint, length: bigint) => {
        taken += Number(length);
        return file.stream(offset, length);
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
    const neighbour = (): Promise<never> => Promise.reject(new Error('it refers to none'));
    const place = { root: 'nowhere', path: '/x' };
    const opened = { bytes, version: '1', sidecars: { basename: 'x' }, beside: async () => undefined, place, neighbour };
    await using some = await createDatabase();
    await restoreSnapshot({ file: opened, database: some.url, identities: identities(), tables: ['small'] });
    expect(await some.query('SELECT count(*) AS n FROM small')).toEqual([{ n: '10' }]);
    // Header, the end, catalog and one chunk of the table: each with the 64 KiB around it.
    expect(taken).toBeLessThan(8 * 65_552);
    expect(taken).toBeLessThan(Number(file.size) / 3);
  });

  test('goes to a stream, too', async () => {
    const stream = new PassThrough();
    const all = buffer(stream);
    await takeSnapshot({ database: source.url, file: stream, encryptTo: [`@${file('ours.age-recipient')}`], tables: ['small'] });
    stream.end();
    await writeFile(file('streamed.tar.zst'), await byAge(await all));
    expect(await verifySnapshot({ file: file('streamed.tar.zst') })).toMatchObject({ rows: 10n });
  });
});

describe('no database is connected to', () => {
  const refused = async (
    options: { file: string; identities?: readonly string[] },
    code: string | RegExp,
    message: string | RegExp = '',
  ) => {
    const before = connections;
    const refusal = expect.objectContaining({ code: expect.stringMatching(code), message: expect.stringMatching(message) });
    await expect(restoreSnapshot({ ...options, database: deaf() })).rejects.toThrow(refusal);
    await expect(verifySnapshot(options)).rejects.toThrow(refusal);
    expect(connections).toBe(before);
  };

  test('without an identity, with a wrong one, with none of a key', async () => {
    await refused({ file: sealed() }, 'IDENTITY_MISSING', 'no identity was given');
    await refused({ file: sealed(), identities: [file('theirs.age-identity')] }, 'IDENTITY_MISSING', 'no identity that was given opens it');
    await refused({ file: sealed(), identities: [file('ours.key')] }, 'KEY_INVALID');
    await refused({ file: sealed(), identities: [file('nothing')] }, 'FILE_ERROR', 'there is no such file');
  });

  test('where a byte of header, catalog or end is altered', async () => {
    const good = await readFile(sealed());
    const header = good.indexOf('\n---') + 50;
    const copy = file('altered.tar.zst.age');
    for (const at of [30, 150, header - 3, header + 5, header + 100, good.length - 1, good.length - 17, good.length - 5000]) {
      const altered = Buffer.from(good);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      await writeFile(copy, altered);
      await refused({ file: copy, identities: identities() }, /^(ARCHIVE_CORRUPT|ARCHIVE_TRUNCATED|IDENTITY_MISSING|ARCHIVE_INVALID)$/);
    }
  });

  test('where it is cut, also between two chunks', async () => {
    const good = await readFile(sealed());
    const start = good.indexOf('\n', good.indexOf('\n---') + 1) + 1 + 16;
    const copy = file('cut.tar.zst.age');
    for (const length of [start + 65_552, start + 2 * 65_552, start + 65_552 + 16, good.length - 1, start, start - 20, 60]) {
      await writeFile(copy, good.subarray(0, length));
      await refused({ file: copy, identities: identities() }, /^ARCHIVE_(TRUNCATED|CORRUPT)$/);
    }
  });
});

test('any flip in the rows is found, and they are not sent', async () => {
  const good = await readFile(sealed());
  const altered = Buffer.from(good);
  const at = good.length >> 1;
  altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
  await writeFile(file('rows.tar.zst.age'), altered);
  await expect(verifySnapshot({ file: file('rows.tar.zst.age'), identities: identities() })).rejects.toThrow(
    /chunk \d+ of \d+, at offset \d+, was altered/,
  );
  await using target = await createDatabase();
  await expect(
    restoreSnapshot({ file: file('rows.tar.zst.age'), database: target.url, identities: identities(), jobs: 2 }),
  ).rejects.toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
});

test('what lies beside it is compared', async () => {
  const copy = file('beside.tar.zst.age');
  await copyFile(sealed(), copy);
  await copyFile(`${sealed()}.manifest.json.age`, `${copy}.manifest.json.age`);
  await writeFile(`${copy}.sha256`, `${'0'.repeat(64)}  beside.tar.zst.age\n`);
  await expect(verifySnapshot({ file: copy, identities: identities() })).rejects.toThrow('does not hold its SHA-256');
  await copyFile(`${sealed()}.sha256`, `${copy}.sha256`);
  await verifySnapshot({ file: copy, identities: identities() });
  await writeFile(`${copy}.manifest.json.age`, 'x');
  await expect(verifySnapshot({ file: copy, identities: identities() })).rejects.toThrow(/manifest.json.age: it is no armored file of age/);
});

test('names say what is encrypted; a name that lies is refused before the database is asked', async () => {
  const before = connections;
  const encryptTo = [`@${file('ours.age-recipient')}`];
  await expect(takeSnapshot({ database: deaf(), file: file('never.tar.zst'), encryptTo })).rejects.toThrow(
    'its name does not end with .age',
  );
  await expect(takeSnapshot({ database: deaf(), file: file('never.tar.zst.age') })).rejects.toThrow('no recipient is given');
  for (const wrong of [[], ['age1x'], [`@${file('nothing')}`], [`@${file('ours.key')}`]]) {
    await expect(takeSnapshot({ database: deaf(), file: file('never.tar.zst.age'), encryptTo: wrong })).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(KEY_INVALID|USAGE|FILE_ERROR)$/) }),
    );
  }
  expect(connections).toBe(before);
  expect((await readdir(folder.path)).filter((name) => name.includes('never'))).toEqual([]);
});

test('the command: keygen --age, snapshot --encrypt, --identity, and the environment', async () => {
  const made = await runCli(['keygen', '--age', '-o', 'cli', '--json'], { cwd: folder.path });
  const { publicKey } = JSON.parse(made.stdout);
  expect((await stat(file('cli.age-identity'))).mode & 0o777).toBe(0o600);
  expect(made.stdout).not.toContain('AGE-SECRET-KEY');
  const env = { TIDEMARK_ENCRYPT_TO: publicKey, TIDEMARK_IDENTITIES: file('cli.age-identity') };
  const archive = file('cli.tar.zst.age');
  const taken = await runCli(['snapshot', '-d', source.url, '-f', archive, '-t', 'small'], { env });
  expect(taken).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('encrypted to 1 recipient') });
  expect(await runCli(['verify', archive], { env })).toMatchObject({ exitCode: 0 });
  const refused = await runCli(['verify', archive, '--json', '--identity', file('theirs.age-identity')], { env });
  expect(refused.exitCode).toBe(11);
  expect(jsonLines(refused.stderr).at(-1)).toMatchObject({ code: 'IDENTITY_MISSING', exitCode: 11 });
  const secret = (await readFile(file('cli.age-identity'), 'utf8')).split('\n')[2] ?? '';
  const slip = await runCli(['snapshot', '-d', source.url, '-f', archive, '--encrypt', secret]);
  expect(slip).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('it is an identity, which is secret') });
  expect(slip.stderr).not.toContain(secret.slice(20));
});

test('an encrypted archive that is open closes what it was opened from', async () => {
  const { bytes } = await openSealed(sealed(), { identities: identities() });
  await bytes[Symbol.asyncDispose]();
  await expect(bytes.read(0n, 10)).rejects.toThrow();
});
