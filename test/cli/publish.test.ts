// Publishing from the command line, as an operator does it: straight into S3 and into a directory, by hand, and what readers see.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { startFakeS3 } from '../store/s3-server.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { runCli } from './run-cli.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.run('CREATE TABLE blocks (height bigint PRIMARY KEY); INSERT INTO blocks SELECT generate_series(1, 1000)');
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

const height = ['--height-query', 'SELECT max(height) FROM blocks'];
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

test('into S3, by date: taken, looked at, pinned, pruned', async () => {
  await using server = await startFakeS3();
  const place = ['--store', `s3://bucket/chain?endpoint=${server.endpoint}&region=us-east-1`, '--prefix', 'mainnet', '--layout', 'dated'];
  for (const id of ['', '.2']) {
    const taken = await runCli(['snapshot', '-d', db.url, ...place, ...height, '--json'], { env });
    expect(taken.exitCode, taken.stderr).toBe(0);
    expect(JSON.parse(taken.stdout)).toMatchObject({
      file: expect.stringMatching(new RegExp(`^mainnet/\\d{4}-\\d\\d-\\d\\d${id}/snapshot\\.tar\\.zst$`)),
    });
  }
  const latest = await runCli(['latest', ...place, '--json'], { env });
  const { archive, id, sha256 } = JSON.parse(latest.stdout).snapshot;
  expect(id).toMatch(/\.2$/);
  expect(server.objects.get(`chain/${id}/snapshot.sha256`)?.content.toString()).toBe(`${sha256}  snapshot.tar.zst\n`);
  expect(server.objects.has(`chain/${archive}`)).toBe(true);
  expect((await runCli(['list', ...place], { env })).stdout).toContain(id);
  const first = id.slice(0, -2);
  expect((await runCli(['pin', first, ...place, '--note', 'first'], { env })).exitCode).toBe(0);
  const pruned = await runCli(['prune', ...place, '--keep-last', '1'], { env });
  expect(pruned.stdout).toContain('first');
  expect((await runCli(['unpin', first, ...place], { env })).exitCode).toBe(0);
  expect((await runCli(['prune', ...place, '--keep-last', '1'], { env })).exitCode).toBe(0);
  const left = [...server.objects.keys()].sort();
  expect(left).toEqual([
    'chain/latest.json',
    ...['manifest.json', 'snapshot.sha256', 'snapshot.tar.zst', 'verified.json'].map((name) => `chain/${id}/${name}`),
  ]);
});

test('an archive is pushed into a directory once; a second time nothing is sent', async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, 'one.tar.zst');
  await runCli(['snapshot', '-d', db.url, '-f', file, ...height]);
  const place = ['--store', join(folder.path, 'store'), '--prefix', 'mainnet'];
  const pushed = await runCli(['push', file, ...place]);
  expect(pushed.stdout).toMatch(/^mainnet-1000\.tar\.zst: .* sent and read back, height 1000.*latest\.json points to it/);
  expect((await runCli(['push', file, ...place])).stdout).toContain('it was there already');
  const store = join(folder.path, 'store');
  expect(await readFile(join(store, 'mainnet-1000.tar.zst'))).toEqual(await readFile(file));
  expect(await readFile(join(store, 'mainnet-1000.tar.zst.manifest.json'))).toEqual(await readFile(`${file}.manifest.json`));
});

test.each([
  [['snapshot'], 'not said where to'],
  [['snapshot', '-f', 'a', '--store', 'b'], 'into a file, or into a store'],
  [['snapshot', '-f', 's3://bucket/x.tar.zst?token=secret'], 'the name of the file is a URL'],
  [['snapshot', '-f', 'a', '--prefix', 'b'], '--prefix, --layout and --verify'],
  [['snapshot', '--store', 's3://user:secret@bucket/x'], 'credentials do not belong'],
  [['snapshot', '--store', 'https://example.invalid/x'], 'HTTPS is for reading'],
  [['push', 'nowhere.tar.zst'], 'not said into which store'],
  [['push', '/nowhere.tar.zst', '--store', '/tmp/none'], 'there is no such file'],
])('%j is refused: %s', async (args, message) => {
  const refused = await runCli([...args, ...(args[0] === 'snapshot' ? ['-d', db.url] : [])]);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain(message);
  expect(refused.stderr).not.toContain('secret');
});

test('a bucket that is not there is told as such by every command, and before the work', async () => {
  await using server = await startFakeS3();
  await using folder = await temporaryDirectory();
  const store = `s3://nowhere/chain?endpoint=${server.endpoint}&region=us-east-1`;
  const object = `s3://nowhere/chain/x.tar.zst?endpoint=${server.endpoint}&region=us-east-1`;
  const file = join(folder.path, 'one.tar.zst');
  await runCli(['snapshot', '-d', db.url, '-f', file, ...height]);
  const commands = [
    ['list', '--store', store],
    ['list', '--store', store, '--verify'],
    ['latest', '--store', store],
    ['prune', '--store', store, '-l', '1'],
    ['pin', 'x', '--store', store],
    ['status', '--store', store],
    ['push', file, '--store', store],
    ...['restore', 'verify', 'show', 'pull'].flatMap((command) =>
      [store, object].map((name) => [command, name, ...(command === 'restore' ? ['-d', db.url] : [])]),
    ),
    ['bootstrap', '-d', `${db.url}_none`, '--store', store],
    ['snapshot', '-d', db.url, '--store', store, ...height],
  ];
  await Promise.all(
    commands.map(async (args) => {
      const { exitCode, stderr } = await runCli(args, { env });
      expect([args, exitCode, stderr]).toEqual([
        args,
        7,
        expect.stringMatching(/s3:\/\/nowhere.*: there is no such bucket\n.*create the bucket, or check its name/),
      ]);
    }),
  );
  const { stderr } = await runCli(['snapshot', '-d', db.url, '--store', store, ...height, '--json'], { env });
  expect(stderr).not.toContain('"phase":"rows"');
  expect(stderr).not.toContain('"phase":"lock"');
});

test('where nothing was published, `latest` says so with the exit code for a missing snapshot', async () => {
  await using folder = await temporaryDirectory();
  const { exitCode, stderr } = await runCli(['latest', '--store', folder.path]);
  expect([exitCode, stderr]).toEqual([expect.any(Number), expect.stringContaining('points to none')]);
  expect(exitCode).not.toBe(0);
});
