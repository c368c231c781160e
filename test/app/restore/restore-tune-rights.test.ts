// Restores with `tune` where not everything may be set: roles with some privileges, servers that refuse, files with mistakes. And what has
// ended is on disk.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { untuneServer } from '#dist/app/restore/untune-server.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { connect, createDatabase, createRole, openDatabase, startAfterCrash, startServer, type TestServer } from '../../server/index.js';
import { automaticEntries, makeTuneSample, seenIn, type TuneSample } from './tune-sample.js';

let sample: TuneSample;
beforeAll(async () => {
  sample = await makeTuneSample();
});
afterAll(() => sample[Symbol.asyncDispose]());

const tuned = { autovacuum: 'off', checkpoint_timeout: '3600', max_wal_size: '2048' };

/** What docs/tune.md tells a superuser to run for a role that is none. */
async function grant(server: TestServer, statements: readonly string[]): Promise<void> {
  await using client = await connect(server.url);
  for (const statement of statements) await client.query(statement);
}

describe('on a server that lets it do some', () => {
  test('a role with the privileges for some settings tunes these, and names the others', async () => {
    await using server = await startServer({ version: 18 });
    await grant(server, [`ALTER SYSTEM SET checkpoint_timeout = '10min'`, 'SELECT pg_reload_conf()']);
    const before = await automaticEntries(server);
    await using role = await createRole({ server: server.url });
    await using target = await createDatabase({ server: server.url });
    await grant(server, [
      `ALTER DATABASE "${target.name}" OWNER TO "${role.name}"`,
      `GRANT ALTER SYSTEM ON PARAMETER max_wal_size, checkpoint_timeout, tidemark.tuned TO "${role.name}"`,
      `GRANT EXECUTE ON FUNCTION pg_reload_conf() TO "${role.name}"`,
    ]);
    const restore = async (): Promise<readonly string[]> => {
      const notices: string[] = [];
      await restoreSnapshot({
        database: role.as(target.url),
        file: sample.file,
        jobs: 2,
        tune: true,
        noOwner: true,
        onEvent: (event) => {
          if (event.type === 'notice' && event.message.startsWith('server setting')) notices.push(event.message);
        },
      });
      return notices;
    };
    // Where a value comes from is not shown to everybody: without knowing, it could not be put back.
    expect(await restore()).toEqual(
      ['max_wal_size stays 1024MB', 'checkpoint_timeout stays 600s']
        .map((text) => expect.stringMatching(`${text}: .* it needs pg_read_all_settings`))
        .concat(expect.stringContaining('autovacuum stays on: the role has no ALTER SYSTEM on autovacuum')),
    );
    await target.run('DROP MATERIALIZED VIEW seen; DROP TABLE blocks; DROP FUNCTION gate');
    await grant(server, [`GRANT pg_read_all_settings TO "${role.name}"`]);
    expect(await restore()).toEqual([
      'server setting autovacuum stays on: the role has no ALTER SYSTEM on autovacuum',
      'server settings for the time of the restore: max_wal_size 1024MB -> 2048MB, checkpoint_timeout 600s -> 3600s',
    ]);
    expect(await seenIn(target)).toMatchObject({ ...tuned, autovacuum: 'on' });
    // The text of the entry is not to be seen, its value is.
    expect(await automaticEntries(server)).toEqual(before.map((line) => line.replace("'10min'", "'600s'")));
    await grant(server, [
      `REVOKE ALTER SYSTEM ON PARAMETER max_wal_size, checkpoint_timeout, tidemark.tuned FROM "${role.name}"`,
      `REVOKE EXECUTE ON FUNCTION pg_reload_conf() FROM "${role.name}"`,
      `ALTER DATABASE "${target.name}" OWNER TO postgres`,
    ]);
  });

  test('what the command line of the server sets stays, and larger values are nobody made smaller', async () => {
    await using server = await startServer({ version: 14, settings: { checkpoint_timeout: '10min' } });
    await using target = await createDatabase({ server: server.url });
    await grant(server, [`ALTER SYSTEM SET max_wal_size = '64GB'`, 'ALTER SYSTEM SET autovacuum = off', 'SELECT pg_reload_conf()']);
    const before = await automaticEntries(server);
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => event.type === 'notice' && notices.push(event.message);
    await restoreSnapshot({ database: target.url, file: sample.file, tune: true, onEvent });
    expect(notices).toContain('server setting checkpoint_timeout stays 600s: it comes from the command line of the server');
    expect(await seenIn(target)).toMatchObject({ max_wal_size: '65536', checkpoint_timeout: '600', autovacuum: 'off' });
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('a server that forbids ALTER SYSTEM, as managed ones do: sessions only, said once', async () => {
    await using server = await startServer({
      version: 18,
      settings: { allow_alter_system: 'off', shared_buffers: '256MB', effective_cache_size: '6GB' },
    });
    await using target = await createDatabase({ server: server.url });
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => event.type === 'notice' && notices.push(event.message);
    await restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, tune: true, onEvent });
    expect(notices.filter((notice) => /setting/.test(notice))).toEqual([
      'server settings are not tuned: the server forbids ALTER SYSTEM (allow_alter_system); the sessions are',
    ]);
    expect(await seenIn(target)).toMatchObject({ maintenance_work_mem: String(1024 * 1024), max_wal_size: '1024' });
  });

  test.each([
    ['no setting', 'this is = no = setting', /line \d+: syntax error/],
    ['an unknown one', 'no_such_setting = on', /line \d+: unrecognized configuration parameter/],
  ])('files with a mistake, %s: nothing is set, and nothing is taken for put back', async (_, line, said) => {
    await using server = await startServer({ version: 18 });
    await using target = await createDatabase({ server: server.url });
    const conf = join(server.directory, 'data', 'postgresql.conf');
    await appendFile(conf, `\n${line}\n`);
    const before = await automaticEntries(server);
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => event.type === 'notice' && notices.push(event.message);
    await restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, tune: true, onEvent });
    expect(notices).toEqual([expect.stringMatching(/^server settings are not tuned: read the configuration of the server/)]);
    expect(notices[0]).toMatch(said);
    expect(await automaticEntries(server)).toEqual(before);
    await expect(untuneServer({ database: target.url })).rejects.toMatchObject({
      code: 'SERVER_ERROR',
      hint: expect.stringContaining('mend the file'),
    });
  });
});

test('a restore that has ended is on disk, although neither sessions nor server wait for it', async () => {
  const settings = { synchronous_commit: 'off', wal_writer_delay: '10s' };
  await using server = await startServer({ version: 18, settings });
  const target = await createDatabase({ server: server.url });
  // A transaction that drops files, as the end of a whole restore does, waits for the disk anyway; one of rows alone does not.
  await restoreSnapshot({ database: target.url, file: sample.file, schemaOnly: true });
  await restoreSnapshot({ database: target.url, file: sample.file, dataOnly: true });
  await server.kill();
  await using after = await startAfterCrash(server, settings);
  await using crashed = openDatabase(after.url, target.name);
  expect(await crashed.query('SELECT count(*) FROM blocks')).toEqual([{ count: '2000' }]);
});
