// A push of what refers to others that the store has not: the commands that are told bring them, as they stand, and then it can be pushed.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { publishSnapshot, pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkError } from '#dist/model/errors.js';
import { mainPath, runCli } from '../../cli/run-cli.js';
import type { TestDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';
import { addThousand, makeIndexer, take } from '../snapshot/completed-partitions-sample.js';

let folder: TemporaryDirectory;
let db: TestDatabase;
const at = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  db = await makeIndexer([0]);
});
afterAll(() => db?.[Symbol.asyncDispose]());
beforeEach(async () => {
  // The servers of the tests write their log when they like, and nothing is referred to that a crash could take back.
  await db.run('CHECKPOINT');
  // A name that a shell would take apart.
  folder = await temporaryDirectory();
  await mkdir(at("it's here"));
});
afterEach(() => folder[Symbol.asyncDispose]());

const here = (name: string): string => at(`it's here/${name}`);
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

async function commandsOf(pushing: Promise<unknown>): Promise<readonly string[]> {
  const error = await pushing.catch((error_: unknown) => error_);
  expect(error).toMatchObject({ code: 'ARCHIVE_MISSING_PART' });
  const { commands } = (error as TidemarkError).details as { readonly commands: readonly string[] };
  expect((error as TidemarkError).hint).toBe(`run first, and then this again: ${commands.join(' && ')}`);
  return commands;
}

/** By a shell, as somebody would who copies them from a terminal. */
async function runAsTold(commands: readonly string[]): Promise<void> {
  const script = `set -e; tidemark() { "$NODE" "$MAIN" "$@"; }; ${commands.join(' && ')}`;
  await promisify(execFile)('/bin/sh', ['-c', script], {
    env: { ...env, PATH: process.env.PATH ?? '', HOME: '/nonexistent', NODE: process.execPath, MAIN: mainPath },
  });
}

test('one after the other, the oldest first, also what the base needs for itself', async () => {
  const more = [1000, 2000];
  await take(db, here('chain-999.tar.zst'));
  let base = here('chain-999.tar.zst');
  for (const from of more) {
    await db.run(addThousand(from));
    await take(db, here(`chain-${from + 999}.tar.zst`), base);
    base = here(`chain-${from + 999}.tar.zst`);
  }
  // Of the oldest nothing is referred to any more but by the one between.
  await db.run('DELETE FROM events WHERE height = 1; DELETE FROM moves WHERE height IN (1, 2)');
  await db.run("INSERT INTO blocks VALUES (3000, 'x')");
  await take(db, here('chain-3000.tar.zst'), base);
  const store = at('store');
  const push = () => pushSnapshot({ file: here('chain-3000.tar.zst'), store, prefix: 'chain' });
  const commands = await commandsOf(push());
  expect(commands.map((command) => /chain-\d+\.tar\.zst/.exec(command)?.[0])).toEqual([
    'chain-999.tar.zst',
    'chain-1999.tar.zst',
    'chain-2999.tar.zst',
  ]);
  expect((await readdir(store)).filter((name) => name.startsWith('chain-'))).toEqual([]);
  await runAsTold(commands.slice(0, 1));
  expect(await commandsOf(push())).toEqual(commands.slice(1));
  await runAsTold(commands.slice(1));
  expect(await push()).toMatchObject({ sent: true, latest: true });
});

test('by date in S3, two of one day, encrypted and signed: with all options that are needed', async () => {
  await using server = await startFakeS3();
  for (const age of [false, true]) await generateKeys({ name: here('ours'), age });
  const identities = [here('ours.age-identity')];
  const verifyKeys = [here('ours.pub')];
  const series = { store: here('series'), prefix: 'chain', layout: 'dated' as const };
  const one = { ...series, database: db.url, height: 999n, tables: ['events', 'events_*'], jobs: 1, completed: { tables: ['events'] } };
  const sealed = { encryptTo: [`@${here('ours.age-recipient')}`], signKey: here('ours.key'), verifyKeys, identities };
  const first = await publishSnapshot({ ...one, ...sealed });
  const { snapshot } = await publishSnapshot({ ...one, ...sealed });
  expect(snapshot.refersTo).toEqual([first.snapshot.id]);
  const place = { store: `s3://bucket/a?endpoint=${server.endpoint}&region=us-east-1`, prefix: 'chain', layout: 'dated' as const };
  const storeOptions = { s3: { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } } };
  const push = () => pushSnapshot({ ...place, storeOptions, file: join(here('series'), snapshot.key), verifyKeys, identities });
  const commands = await commandsOf(push());
  expect(commands).toHaveLength(1);
  await runAsTold(commands);
  expect(await push()).toMatchObject({ sent: true, snapshot: { key: snapshot.key } });
});

test('one that a push would call otherwise is to be copied; one without a base can be pushed', async () => {
  await mkdir(here('old'));
  const options = { database: db.url, height: 999n, tables: ['events', 'events_*'], jobs: 1 };
  await takeSnapshot({ ...options, file: here('old/base.tar.zst'), completed: { tables: ['events'] } });
  await takeSnapshot({ ...options, file: here('new.tar.zst'), completed: { tables: ['events'], base: here('old/base.tar.zst') } });
  const store = at('store');
  const push = () => runCli(['push', here('new.tar.zst'), '--store', store]);
  const failed = await push();
  expect(failed).toMatchObject({ exitCode: 5 });
  expect(failed.stderr).toContain(
    `copy ${here('old/base.tar.zst')} there by other means, as old/base.tar.zst in ${store} (push would call it snapshot-999.tar.zst)`,
  );
  expect(failed.stderr).toContain('or push a snapshot that was taken without a base');
  expect((await runCli(['push', here('old/base.tar.zst'), '--store', store])).exitCode).toBe(0);
  expect((await push()).stderr).toContain('(there it is snapshot-999.tar.zst)');
  await mkdir(join(store, 'old'));
  await copyFile(here('old/base.tar.zst'), join(store, 'old/base.tar.zst'));
  expect((await push()).exitCode).toBe(0);
  await rm(store, { recursive: true });
});
