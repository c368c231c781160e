// Restore drills: what they prove, what they record, and that no database is left behind. On a server of its own, where leftovers are
// nobody else's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DrillOptions, drillSnapshot } from '#dist/app/drill/drill.js';
import { Repository } from '#dist/app/repository/repository.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase, createRole, eventually, openDatabase, startServer, type TestServer, type Version } from '../../server/index.js';
import { type Chain, flipByte, makeChain } from '../bootstrap/bootstrap-store.js';

let chain: Chain;
let server: TestServer;
beforeAll(async () => {
  [chain, server] = await Promise.all([makeChain({ heights: [100, 200] }), startServer()]);
});
afterAll(async () => {
  await chain[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const sql = (text: string) => openDatabase(server.url, 'postgres').run(text);

async function databases(): Promise<unknown[]> {
  const rows = await openDatabase(server.url, 'postgres').query("SELECT datname FROM pg_database WHERE datname LIKE '%drill%' ORDER BY 1");
  return rows.map(({ datname }) => datname);
}

/** A store whose archives are verified. */
async function storeOf(...heights: readonly number[]) {
  const store = await chain.storeOf(...heights);
  const repository = new Repository({ store: store.path, prefix: 'chain' });
  await repository.verifyUnknown();
  return { ...store, repository, path: store.path, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

const drill = (store: { readonly path: string }, more: Partial<DrillOptions> = {}) =>
  drillSnapshot({ store: store.path, prefix: 'chain', server: server.url, jobs: 1, ...more });

/** A store with one snapshot of a database of its own. */
async function snapshotOf(text: string, version?: Version) {
  await using source = await createDatabase(version === undefined ? {} : { version });
  await source.run(text);
  const store = await storeOf();
  await takeSnapshot({ database: source.url, file: join(store.path, 'chain-1.tar.zst'), height: 1n });
  await store.repository.verifyUnknown();
  return store;
}

describe('a drill', () => {
  test('restores the newest good snapshot, counts and compares, and records that', async () => {
    await using store = await storeOf(100, 200);
    const result = await drill(store);
    expect(result).toMatchObject({ ok: true, rows: 202n, tables: 3, definitions: true, snapshot: { id: 'chain-200' } });
    expect(result).not.toHaveProperty('error');
    const { snapshots } = await store.repository.list();
    expect(snapshots.map(({ drill }) => drill)).toEqual([
      { at: result.at, durationMs: result.durationMs, ok: true, rows: 202n },
      undefined,
    ]);
    expect(await databases()).toEqual([]);
  });

  test('of a snapshot that is named', async () => {
    await using store = await storeOf(100, 200);
    expect(await drill(store, { id: 'chain-100' })).toMatchObject({ ok: true, rows: 102n, snapshot: { id: 'chain-100' } });
    await expect(drill(store, { id: 'chain-300' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('without a snapshot says so', async () => {
    await using store = await storeOf();
    await expect(drill(store)).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' });
  });

  test('owners, privileges and subscriptions, which the server need not know, are left out; foreign tables stay without rows', async () => {
    await using role = await createRole();
    await using store = await snapshotOf(`
      CREATE TABLE owned (id int); INSERT INTO owned VALUES (1);
      ALTER TABLE owned OWNER TO "${role.name}"; GRANT SELECT ON owned TO "${role.name}"; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "${role.name}";
      SELECT lo_from_bytea(20001, 'one'), lo_from_bytea(20002, 'two'); ALTER LARGE OBJECT 20002 OWNER TO "${role.name}";
      ALTER LARGE OBJECT 20002 OWNER TO CURRENT_USER; GRANT SELECT ON LARGE OBJECT 20001 TO PUBLIC;
      CREATE SUBSCRIPTION nobody CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE);
      CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere; CREATE FOREIGN TABLE away (id int) SERVER nowhere;
      ALTER TABLE owned OWNER TO CURRENT_USER; DROP OWNED BY "${role.name}"; DROP SUBSCRIPTION nobody`);
    expect(await drill(store)).toMatchObject({ ok: true, rows: 1n, tables: 1, definitions: true });
  });
});

describe('a drill on another server', () => {
  test('of another major version compares rows only', async () => {
    await using store = await snapshotOf('CREATE TABLE t (id int NOT NULL); INSERT INTO t VALUES (1)', 14);
    expect(await drill(store)).toMatchObject({ ok: true, rows: 1n, tables: 1, definitions: false });
  });
});

describe('a drill that fails', () => {
  test('on a flipped byte: the snapshot counts no more', async () => {
    await using store = await storeOf(100, 200);
    await flipByte(join(store.path, 'chain-200.tar.zst'));
    const result = await drill(store);
    expect(result).toMatchObject({ ok: false, problem: expect.stringContaining('blocks'), error: { code: 'ARCHIVE_CORRUPT' } });
    const { snapshots, unknown } = await store.repository.list();
    expect([snapshots.map(({ id }) => id), unknown.map(({ id }) => id)]).toEqual([['chain-100'], ['chain-200']]);
    expect(await databases()).toEqual([]);
  });

  test('for reasons of the server: that is recorded, and the snapshot goes on to count', async () => {
    await using store = await storeOf(100);
    await using role = await createRole({ server: server.url });
    const url = new URL(server.url);
    url.port = '1';
    for (const [at, problem] of [
      [role.as(server.url), 'permission denied to create database'],
      [url.href, 'connect to'],
    ] as const) {
      expect(await drill(store, { server: at })).toMatchObject({
        ok: false,
        problem: expect.stringContaining(problem),
        definitions: false,
      });
      expect((await store.repository.newestGood())?.drill).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    }
    expect(await databases()).toEqual([]);
  });

  test('when other rows come back than the manifest has: here a view that writes when it is filled', async () => {
    await using store = await snapshotOf(`
      CREATE TABLE log (at int); CREATE SEQUENCE turns;
      CREATE FUNCTION note() RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('public.turns'); INSERT INTO public.log VALUES (1); EXECUTE 'CREATE INDEX ON public.log (at)'; RETURN 1; END $$;
      CREATE MATERIALIZED VIEW noted AS SELECT public.note()`);
    expect(await drill(store)).toMatchObject({
      ok: false,
      rows: 2n,
      error: {
        code: 'RESTORE_FAILED',
        details: {
          differences: expect.arrayContaining([
            'table public.log has 2 rows, and 1 in the manifest',
            'the value of sequence public.turns is not that of the archive',
            expect.stringMatching(/^the definition of index public\.log_at_idx1 is not/),
          ]),
        },
      },
    });
    expect(await store.repository.newestGood()).toMatchObject({ drill: { ok: false } });
    expect(await databases()).toEqual([]);
  });
});

describe('what is left on the server', () => {
  const comment = 'tidemark: the scratch database of a restore drill; can be dropped';

  test('nothing when it is stopped, and nothing is recorded', async () => {
    await using store = await storeOf(100);
    for (const phase of ['pre-data', 'rows', 'compare']) {
      const stop = new AbortController();
      const onEvent = (event: TidemarkEvent): void => {
        if (event.type === 'phase' && event.phase === phase) stop.abort();
      };
      await expect(drill(store, { onEvent, signal: stop.signal }), phase).rejects.toMatchObject({ code: 'ABORTED' });
      expect(await databases()).toEqual([]);
    }
    expect(await store.repository.newestGood()).not.toHaveProperty('drill');
  });

  test('what one that was killed left goes at the next drill', async () => {
    await using store = await storeOf(100);
    const here = dirname(fileURLToPath(import.meta.url));
    const options = { store: store.path, prefix: 'chain', server: server.url, jobs: 1 };
    const victim = spawn(process.execPath, [join(here, 'drill-victim.mjs'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const said of createInterface({ input: victim.stdout })) if (said === 'rows') victim.kill('SIGKILL');
    if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit');
    const left = await databases();
    expect(left).toEqual([expect.stringMatching(/^tidemark_drill_[0-9a-f]{16}$/)]);
    await eventually('the server has ended the sessions of the killed', async () => {
      const rows = await openDatabase(server.url, 'postgres').query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidemark%' OR datname LIKE 'tidemark_drill%'",
      );
      return rows.length === 0;
    });
    const messages: string[] = [];
    expect(await drill(store, { onEvent: (event) => event.type === 'notice' && messages.push(event.message) })).toMatchObject({ ok: true });
    expect(messages).toEqual([`dropped ${left[0]}, which a drill that crashed had left`]);
    expect(await databases()).toEqual([]);
  });

  test("only what is proven to be a drill's goes", async () => {
    await using store = await storeOf(100);
    await using role = await createRole({ server: server.url });
    const ours = { leftover: 'tidemark_drill_0000000000000001', uncommented: 'tidemark_drill_0000000000000002' };
    const others = {
      used: 'tidemark_drill_0000000000000003',
      drilled: 'tidemark_drill_0000000000000004',
      commented: 'tidemark_drill_0000000000000005',
      named: 'tidemark_drill_of_my_own',
    };
    for (const name of [...Object.values(ours), ...Object.values(others)]) await sql(`CREATE DATABASE ${name}`);
    for (const name of [ours.leftover, others.used, others.drilled, others.named]) await sql(`COMMENT ON DATABASE ${name} IS '${comment}'`);
    await sql(`COMMENT ON DATABASE ${others.commented} IS 'mine'`);
    await using drilling = await openDatabase(server.url, 'postgres').connect();
    await drilling.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [others.drilled]);
    await using _using = await openDatabase(server.url, others.used).connect();
    await sql(`ALTER ROLE "${role.name}" CREATEDB`);
    await drill(store);
    expect(await databases()).toEqual(Object.values(others).sort());
    // Another role's are not its own to drop, even with the comment.
    await sql(`COMMENT ON DATABASE ${others.commented} IS '${comment}'`);
    expect(await drill(store, { server: role.as(server.url) })).toMatchObject({ ok: true });
    expect(await databases()).toEqual(Object.values(others).sort());
  });
});
