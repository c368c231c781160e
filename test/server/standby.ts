// A hot standby of an embedded server. npm's binaries hold no pg_basebackup, so the base backup is taken as the manual's "Making a Base
// Backup Using the Low Level API" describes: start, copy the files, stop, write the label that came back.
import { randomBytes } from 'node:crypto';
import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TestClient, withSession } from './connect.js';
import { startCluster, type TestServer } from './embedded.js';
import { eventually } from './eventually.js';
import type { Account } from './guard.js';

export interface StandbyServer extends TestServer {
  /** Resolves when everything that the primary has written by now can be read here. */
  catchUp(): Promise<void>;
}

/** Starts a standby that streams from a primary of startServer's. Stop it before the primary: that keeps WAL for it in a slot.
 *  @param settings of the standby, as for startServer
 *  @throws Error where the primary cannot be copied or the standby does not come up */
export async function startStandby(primary: TestServer, settings: Readonly<Record<string, string>> = {}): Promise<StandbyServer> {
  const slot = `standby_${randomBytes(4).toString('hex')}`;
  await withSession(primary.url, (client) => client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]));
  const { port } = new URL(primary.url);
  const all = {
    ...(await settingsToMatch(primary)),
    primary_conninfo: `host=127.0.0.1 port=${port} user=postgres application_name=${slot}`,
    primary_slot_name: slot,
    // Replay waits for readers, not readers for replay: a test's snapshot must not be cancelled by a busy machine.
    max_standby_streaming_delay: '-1',
    ...settings,
  };
  const dropSlot = async (): Promise<void> => {
    await withSession(primary.url, (client) =>
      eventually('the standby has left its slot', () => client.query('SELECT pg_drop_replication_slot($1)', [slot])),
    ).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') throw error; // the primary has gone first
    });
  };
  try {
    const standby = await startCluster({ version: primary.version, settings: all }, (data, account) => copyCluster(primary, data, account));
    const stop = async (): Promise<void> => {
      await standby.stop();
      await dropSlot();
    };
    return { ...standby, catchUp: () => catchUp(primary, standby), stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await dropSlot();
    throw error;
  }
}

// A hot standby refuses to start where one of these is lower than on its primary.
const matched = ['max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction'];

async function settingsToMatch(primary: TestServer): Promise<Record<string, string>> {
  const { rows } = await withSession(primary.url, (client) =>
    client.query<{ name: string; setting: string }>('SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', [matched]),
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

async function catchUp(primary: TestServer, standby: TestServer): Promise<void> {
  const lsn = await withSession(primary.url, async (client) => {
    // A record after everything so far, and flushed: commits before it may have been asynchronous. The server's current insert position
    // would not do, as it may lie behind a page header, where no record ends.
    await client.query('SET synchronous_commit = on');
    const { rows } = await client.query<{ lsn: string }>(`SELECT pg_logical_emit_message(true, 'catch up', '') AS lsn`);
    return rows[0]?.lsn;
  });
  await using client = await connect(standby.url);
  await eventually(`the standby has replayed up to ${lsn}`, async () => {
    const { rows } = await client.query<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done', [lsn]);
    return rows[0]?.done;
  });
}

/** The functions' names changed with PostgreSQL 15, which dropped exclusive backups. */
const backupCalls = {
  before15: {
    start: `SELECT pg_start_backup('standby', true, false)`,
    stop: 'SELECT labelfile, spcmapfile FROM pg_stop_backup(false, false)',
  },
  since15: { start: `SELECT pg_backup_start('standby', true)`, stop: 'SELECT labelfile, spcmapfile FROM pg_backup_stop(false)' },
};

async function copyCluster(primary: TestServer, data: string, account: Account | undefined): Promise<void> {
  const calls = primary.version < 15 ? backupCalls.before15 : backupCalls.since15;
  // The backup lasts as long as its session.
  await using client: TestClient = await connect(primary.url);
  await client.query(calls.start);
  const owned: string[] = [];
  await copyFolder(join(primary.directory, 'data'), data, owned);
  const { rows } = await client.query<{ labelfile: string; spcmapfile: string }>(calls.stop);
  const files = { backup_label: rows[0]?.labelfile ?? '', 'standby.signal': '' };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    owned.push(join(data, name));
  }
  if (rows[0]?.spcmapfile) throw new Error('copy a primary: tablespaces elsewhere are not copied');
  if (account) for (const path of owned) await chown(path, account.uid, account.gid);
}

// What is the primary's own state, or is made anew at start. WAL is streamed from the primary instead of copied.
const leftOut = /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*)$/;
const copiedEmpty = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

async function copyFolder(from: string, to: string, made: string[]): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  made.push(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (leftOut.test(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory() && copiedEmpty.has(entry.name)) {
      await mkdir(target, { mode: 0o700 });
      made.push(target);
    } else if (entry.isDirectory()) {
      await copyFolder(source, target, made);
    } else {
      // Files of dropped tables vanish underneath us; WAL knows about that.
      await copyFile(source, target).then(
        () => made.push(target),
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
        },
      );
    }
  }
}
