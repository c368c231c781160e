// The recipes of the README that need no tidemark, run as they stand there: with psql, zstd and sha256sum where this machine has them, and
// always with stand-ins for the three (stand-in.mjs).
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportTables } from '#dist/app/export/export-tables.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { makeFolder } from '../app/export/export-sample.js';
import { oracle } from '../schema/judge.js';
import { connect, databaseUrl, startServer, type TestServer } from '../server/index.js';

const run = promisify(execFile);
const programs = ['psql', 'zstd', 'sha256sum'];

/** The code blocks under "Without tidemark", in order. */
const section = (await readFile(new URL('../../README.md', import.meta.url), 'utf8'))
  .split('\n## ')
  .find((text) => text.startsWith('Without tidemark'));
const [snapshotRecipe = '', exportRecipe = ''] = [...(section ?? '').matchAll(/```sh\n(.*?)```/gs)].map(([, code]) => code);

/** A PATH that has the real programs: TIDEMARK_TEST_PSQL names a folder with psql in it. */
async function realPath(): Promise<string | undefined> {
  const given = [process.env.TIDEMARK_TEST_PSQL, process.env.PATH, await oracle()].filter((part) => part !== undefined).join(delimiter);
  const found = await run('sh', ['-c', programs.map((name) => `command -v ${name}`).join(' && ')], { env: { PATH: given } }).catch(
    () => undefined,
  );
  return found === undefined ? undefined : given;
}

/** A PATH whose first folder has the stand-ins. */
async function standInPath(folder: string): Promise<string> {
  const script = fileURLToPath(new URL('stand-in.mjs', import.meta.url));
  for (const name of programs) {
    await writeFile(join(folder, name), `#!/bin/sh\nexec "${process.execPath}" "${script}" ${name} "$@"\n`);
    await chmod(join(folder, name), 0o755);
  }
  return `${folder}${delimiter}${process.env.PATH}`;
}

const standIns = await makeFolder();
const paths: [string, string][] = [['stand-ins', await standInPath(standIns.path)]];
const real = await realPath();
if (real !== undefined) paths.push(['psql, zstd and sha256sum', real]);

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await using session = await connect(server.url);
  await session.query('CREATE DATABASE indexer');
  await using source = await connect(databaseUrl(server.url, 'indexer'));
  await source.query(`
    CREATE TABLE blocks (height bigint PRIMARY KEY, hash bytea NOT NULL, size int GENERATED ALWAYS AS (length(hash)) STORED);
    INSERT INTO blocks SELECT i, sha256(i::text::bytea) FROM generate_series(1, 5000) i;
    CREATE TABLE events (id bigserial PRIMARY KEY, height bigint NOT NULL REFERENCES blocks, kind xid, "a ""note""" text, data jsonb);
    INSERT INTO events (height, kind, "a ""note""", data) SELECT i % 5000 + 1, i::text::xid,
        (ARRAY[NULL, '', 'NULL', '\\N', E'two\\nlines', 'a "quote", a comma', 'tab\\t', 'été'])[i % 8 + 1], jsonb_build_object('i', i)
      FROM generate_series(1, 20000) i;
    CREATE INDEX ON events (height)`);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await standIns[Symbol.asyncDispose]();
});

const digest = `
  SELECT (SELECT md5(string_agg(b::text, '|' ORDER BY height)) FROM blocks b) AS blocks, (SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM events e) AS events,
         (SELECT string_agg(indexdef, ' ' ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'public') AS indexes,
         (SELECT count(*) FROM pg_constraint WHERE contype = 'f') AS keys,
         (SELECT last_value || ' ' || is_called FROM events_id_seq) AS sequence`;

async function digestOf(database: string): Promise<unknown> {
  await using session = await connect(databaseUrl(server.url, database));
  return (await session.query(digest)).rows;
}

/** Runs a recipe in a folder, against an empty database `fresh`, and stops at the first line that fails. */
async function follow(recipe: string, { cwd, path }: { readonly cwd: string; readonly path: string }): Promise<void> {
  await using session = await connect(server.url);
  await session.query('DROP DATABASE IF EXISTS fresh');
  await session.query('CREATE DATABASE fresh');
  const { hostname, port, username } = new URL(server.url);
  const env = { PATH: path, PGHOST: hostname, PGPORT: port, PGUSER: username, PSQLRC: '/dev/null', HOME: cwd };
  await run('sh', ['-e', '-c', recipe], { cwd, env });
}

describe.each(paths)('with %s', (_, path) => {
  it('a snapshot is restored by the recipe', async () => {
    await using folder = await makeFolder();
    const cwd = folder.path;
    const { manifest } = await takeSnapshot({ database: databaseUrl(server.url, 'indexer'), file: join(cwd, 'indexer.tar.zst'), jobs: 2 });
    expect(manifest.tables.map(({ name, format }) => [name, format])).toEqual([
      ['blocks', 'binary'],
      ['events', 'text'],
    ]);
    await follow(snapshotRecipe, { cwd, path });
    expect(await digestOf('fresh')).toEqual(await digestOf('indexer'));
  });

  it('an export is loaded by the recipe', async () => {
    await using folder = await makeFolder();
    const cwd = folder.path;
    await exportTables({ database: databaseUrl(server.url, 'indexer'), directory: join(cwd, 'export'), jobs: 2 });
    await follow(exportRecipe, { cwd, path });
    expect(await digestOf('fresh')).toEqual(await digestOf('indexer'));
  });
});
