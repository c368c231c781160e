// A snapshot under fire: whatever breaks, nothing is published, no file and no session is left; and what changes meanwhile is never mixed.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { EventListener } from '#dist/model/events.js';
import { startProxy } from '../../faults/proxy.js';
import { createDatabase, createRole, eventually, type TestDatabase } from '../../server/index.js';

let db: TestDatabase;
let directory: string;

// Some 35 MB in several chunks and two tables, so that there is a middle to break things in.
beforeAll(async () => {
  db = await createDatabase();
  await db.run(`
    CREATE TABLE big (id bigint PRIMARY KEY, filler text NOT NULL);
    INSERT INTO big SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 100000) i;
    CREATE TABLE small (id int, note text);
    INSERT INTO small VALUES (1, 'one'), (2, NULL);
    CREATE SEQUENCE numbers;
    ANALYZE`);
});
afterAll(() => db.drop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

function options(more: Partial<SnapshotOptions> = {}): SnapshotOptions & { readonly file: string } {
  return { database: db.url, file: join(directory, 'a.tar.zst'), jobs: 2, ...more } as SnapshotOptions & { readonly file: string };
}

async function expectNothingLeft(on: TestDatabase = db): Promise<void> {
  expect(await readdir(directory)).toEqual([]);
  await eventually('no session of ours is left', async () => {
    const rows = await on.query(
      `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'`,
    );
    return rows.length === 0;
  });
}

/** Runs `act` at the first chunk that was written. */
function atFirstChunk(act: () => Promise<unknown> | undefined): EventListener {
  let done = false;
  return (event) => {
    if (event.type !== 'progress' || done) return;
    done = true;
    act()?.catch(() => undefined);
  };
}

describe('takeSnapshot', () => {
  it('of a database that is half restored is refused', async () => {
    await using half = await createDatabase();
    await half.run('CREATE TABLE t (); CREATE SCHEMA tidemark_restoring; CREATE TABLE tidemark_restoring.restore (file text)');
    await expect(takeSnapshot(options({ database: half.url }))).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining('a restore into it has not ended'),
    });
    await expectNothingLeft(half);
  });

  it('publishes archive, checksum and manifest, readable by nobody else, and says where the database stood', async () => {
    const events: string[] = [];
    const result = await takeSnapshot(
      options({
        heightQuery: 'SELECT max(id) FROM big',
        hashQuery: `SELECT md5($1::text)`,
        streamsQuery: `SELECT * FROM (VALUES ('blocks', 7), ('logs', 9007199254740993)) v`,
        onEvent: ({ type }) => events.push(type),
      }),
    );
    expect((await readdir(directory)).sort()).toEqual(['a.tar.zst', 'a.tar.zst.manifest.json', 'a.tar.zst.sha256']);
    expect(result.manifest.position).toMatchObject({
      height: 100_000n,
      hash: createHash('md5').update('100000').digest('hex'),
      streams: { blocks: 7n, logs: 9007199254740993n },
      changes: expect.any(BigInt),
      commits: expect.any(BigInt),
    });
    expect(result.manifest.position.lsn).toBeGreaterThan(0n);
    expect(result.manifest.totals).toMatchObject({ tables: 2, rows: 100_002n });
    expect(result.attempts).toBe(1);
    expect(new Set(events)).toEqual(new Set(['phase', 'plan', 'progress', 'table']));
    const report = await verifySnapshot({ file: options().file });
    expect(report).toMatchObject({ rows: 100_002n, sha256: result.sha256 });
    expect(report.sidecars).toHaveLength(2);
  });

  it('replaces an archive of the same name, sidecars and all', async () => {
    await takeSnapshot(options({ tables: ['small'] }));
    await takeSnapshot(options({ tables: ['big'] }));
    expect((await readdir(directory)).length).toBe(3);
    const { manifest } = await verifySnapshot({ file: options().file });
    expect(manifest.tables.map(({ name }) => name)).toEqual(['big']);
  });

  it('leaves an existing archive as it is when it fails', async () => {
    const { sha256 } = await takeSnapshot(options({ tables: ['small'] }));
    const stop = new AbortController();
    await expect(takeSnapshot(options({ signal: stop.signal, onEvent: atFirstChunk(async () => stop.abort()) }))).rejects.toThrow();
    expect((await readdir(directory)).length).toBe(3);
    expect((await verifySnapshot({ file: options().file })).sha256).toBe(sha256);
  });

  it('spools a row that does not fit into memory', async () => {
    await using wide = await createDatabase();
    await wide.run(`CREATE TABLE t (id int, x text); INSERT INTO t VALUES (1, 'a'), (2, repeat('0123456789', 2500000)), (3, 'b')`);
    for (const copyFormat of ['text', 'binary'] as const) {
      const { manifest } = await takeSnapshot(options({ database: wide.url, copyFormat }));
      expect(manifest.tables[0]).toMatchObject({ rows: 3n, format: copyFormat });
      expect(manifest.tables[0]?.rawBytes).toBeGreaterThan(25_000_000n);
      await verifySnapshot({ file: options().file });
      expect((await readdir(directory)).length).toBe(3);
    }
  });

  it('streams in order to a stream that is never sought', async () => {
    const stream = new PassThrough();
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    const { bytes, file } = await takeSnapshot({ ...options(), file: stream });
    expect(file).toBeUndefined();
    expect(BigInt(Buffer.concat(pieces).length)).toBe(bytes);
    await expectNothingLeft();
  });
});

describe('takeSnapshot when something breaks', () => {
  it.each(['tidemark', 'tidemark worker'])('ends when the server ends the session of "%s"', async (application) => {
    const kill = () =>
      db.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1', [
        application,
      ]);
    const failure = takeSnapshot(options({ onEvent: atFirstChunk(kill) }));
    await expect(failure).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expectNothingLeft();
  });

  it('does not read on without its control session', async () => {
    const kill = () =>
      db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark'`,
      );
    let writes = 0;
    // Stands still once rows come, so that reading them has no end.
    const stalled = new Writable({
      write: (_piece, _encoding, done) => {
        writes += 1;
        if (writes < 4) done();
      },
    });
    const failure = takeSnapshot({ ...options(), file: stalled, onEvent: atFirstChunk(kill) });
    await expect(failure).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('terminating connection') });
    await expectNothingLeft();
  });

  it('ends when it is aborted, at whatever phase', async () => {
    for (const phase of ['connect', 'lock', 'schema', 'rows', 'publish']) {
      const stop = new AbortController();
      const onEvent: EventListener = (event) => {
        if (event.type === 'phase' && event.phase === phase) stop.abort();
      };
      await expect(takeSnapshot(options({ signal: stop.signal, onEvent }))).rejects.toMatchObject({ code: 'ABORTED' });
      await expectNothingLeft();
    }
    await expect(takeSnapshot(options({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('ends when its transaction gets too old', async () => {
    await expect(takeSnapshot(options({ maxAgeMs: 1 }))).rejects.toMatchObject({ code: 'MAX_AGE_EXCEEDED' });
    await expectNothingLeft();
  });

  it('never publishes when a connection is cut, wherever that is', async () => {
    // Connection 0 is the control connection, the others are the workers'; the last offsets are past what some of them get.
    let cuts = 0;
    for (const how of ['FIN', 'RST'] as const) {
      for (const connection of [0, 1]) {
        for (const afterBytes of [1, 200, 600, 5_000, 70_000, 1_000_000, 9_000_000]) {
          await using proxy = await startProxy({ url: db.url, connection, afterBytes, how });
          const outcome = await takeSnapshot(options({ database: proxy.url })).then(
            () => 'published',
            (error: { name: string }) => error.name,
          );
          // The proxy may have made the cut only after all was said.
          if (outcome === 'published') {
            expect(proxy.cut(), `${how} of connection ${connection} after ${afterBytes} bytes`).toBe(false);
            for (const name of await readdir(directory)) await rm(join(directory, name));
          } else {
            cuts += 1;
            expect(outcome).toBe('TidemarkError');
            await expectNothingLeft();
          }
        }
      }
    }
    // The worker behind connection 1 may be the one that only reads the small table.
    expect(cuts).toBeGreaterThan(11);
  });

  it('ends when its stream fails, and leaves nothing', async () => {
    const full = new Writable({
      write: (_piece, _encoding, done) => done(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
    });
    await expect(takeSnapshot({ ...options(), file: full })).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expectNothingLeft();
  });

  it('refuses what cannot be', async () => {
    const cases: readonly (readonly [Partial<SnapshotOptions>, string])[] = [
      [{ jobs: 0 }, 'USAGE'],
      [{ compressLevel: 23 }, 'USAGE'],
      [{ compressLevel: 0 }, 'USAGE'],
      [{ schemaOnly: true, dataOnly: true }, 'USAGE'],
      [{ height: 1n, heightQuery: 'SELECT 1' }, 'USAGE'],
      [{ maxAgeMs: 0 }, 'USAGE'],
      [{ database: 'mysql://x' }, 'USAGE'],
      [{ tables: ['nope'] }, 'PATTERN_UNMATCHED'],
      [{ schemas: ['nope'] }, 'PATTERN_UNMATCHED'],
      [{ excludeTableData: ['nope'] }, 'PATTERN_UNMATCHED'],
      [{ heightQuery: 'SELECT 1 WHERE false' }, 'POSITION_INVALID'],
      [{ heightQuery: 'SELECT NULL::bigint' }, 'POSITION_INVALID'],
      [{ heightQuery: `SELECT 'x'` }, 'POSITION_INVALID'],
      [{ heightQuery: 'SELECT 1; DROP TABLE small' }, 'POSITION_INVALID'],
      [{ heightQuery: 'DELETE FROM small RETURNING 1' }, 'POSITION_INVALID'],
      [{ hashQuery: 'SELECT $1' }, 'POSITION_INVALID'],
      [{ streamsQuery: 'SELECT 1' }, 'POSITION_INVALID'],
      [{ streamsQuery: `SELECT 'a', 1 UNION ALL SELECT 'a', 2` }, 'POSITION_INVALID'],
      [{ file: join(tmpdir(), 'tidemark-no-such-directory', 'a') }, 'FILE_ERROR'],
    ];
    for (const [wrong, code] of cases)
      await expect(takeSnapshot(options(wrong)), JSON.stringify(Object.keys(wrong))).rejects.toMatchObject({ code });
    expect(await db.query('SELECT count(*)::int AS n FROM small')).toEqual([{ n: 2 }]);
    await expectNothingLeft();
  });

  it('says which table a role may not read', async () => {
    await using role = await createRole();
    await using own = await createDatabase();
    await own.run(`CREATE TABLE secret (id int); CREATE TABLE open (id int); GRANT SELECT ON open TO "${role.name}"`);
    await expect(takeSnapshot(options({ database: role.as(own.url) }))).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('secret'),
      hint: expect.stringContaining('--exclude-table'),
    });
    await expectNothingLeft(own);
    const { manifest } = await takeSnapshot(options({ database: role.as(own.url), excludeTables: ['secret'] }));
    expect(manifest.tables.map(({ name }) => name)).toEqual(['open']);
  });

  // Case 183.
  it('is not filtered by row security: it fails', async () => {
    await using role = await createRole();
    await using own = await createDatabase();
    await own.run(`
      CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); GRANT SELECT ON t TO "${role.name}";
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id = 1)`);
    await expect(takeSnapshot(options({ database: role.as(own.url) }))).rejects.toMatchObject({
      message: expect.stringContaining('row-level security'),
    });
    await expectNothingLeft(own);
  });

  it('does not care for timeouts that the role has stored', async () => {
    await using role = await createRole();
    await using own = await createDatabase();
    await own.run(`
      CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 1000000) i; GRANT SELECT ON t TO "${role.name}";
      ALTER ROLE "${role.name}" SET statement_timeout = '100ms'; ALTER ROLE "${role.name}" SET idle_in_transaction_session_timeout = '100ms';
      ALTER ROLE "${role.name}" SET lock_timeout = '1ms'; ALTER ROLE "${role.name}" SET DateStyle = 'SQL, DMY'`);
    const { manifest } = await takeSnapshot(options({ database: role.as(own.url) }));
    expect(manifest.totals.rows).toBe(1_000_000n);
  });
});

describe('takeSnapshot beside DDL', () => {
  it('starts over when a table is renamed while its lock is waited for', async () => {
    await using own = await createDatabase();
    await own.run('CREATE TABLE before (id int)');
    await using other = await own.connect();
    await other.query('BEGIN; ALTER TABLE before RENAME TO after');
    const reasons: string[] = [];
    const snapshot = takeSnapshot(options({ database: own.url, onEvent: (event) => event.type === 'retry' && reasons.push(event.reason) }));
    await eventually('the snapshot waits for its lock', async () => {
      const rows = await own.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'tidemark' AND wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    await other.query('COMMIT');
    const { manifest, attempts } = await snapshot;
    expect({ attempts, tables: manifest.tables.map(({ name }) => name) }).toEqual({ attempts: 2, tables: ['after'] });
    expect(reasons).toHaveLength(1);
  });

  it('sees the rows of after a TRUNCATE that it had to wait for', async () => {
    await using own = await createDatabase();
    await own.run('CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)');
    await using other = await own.connect();
    await other.query('BEGIN; TRUNCATE a; TRUNCATE b; INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), (2)');
    const snapshot = takeSnapshot(options({ database: own.url }));
    await eventually('the snapshot waits for its lock', async () => {
      const rows = await own.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'tidemark' AND wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    await other.query('COMMIT');
    expect((await snapshot).manifest.tables.map(({ rows }) => rows)).toEqual([2n, 2n]);
  });

  it('gives up when a lock takes too long, and lets the readers behind it through', async () => {
    await using other = await db.connect();
    await other.query('BEGIN; LOCK TABLE small IN ACCESS EXCLUSIVE MODE');
    await expect(takeSnapshot(options({ lockTimeoutMs: 100 }))).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await other.query('ROLLBACK');
    await expectNothingLeft();
  });

  it('makes TRUNCATE wait until the rows are read', async () => {
    const order: string[] = [];
    let truncated: Promise<unknown> | undefined;
    await using own = await createDatabase({ template: db.name });
    const onEvent: EventListener = (event) => {
      if (event.type === 'phase' && event.phase === 'rows') truncated = own.query('TRUNCATE big').then(() => order.push('truncate'));
      if (event.type === 'phase' && event.phase === 'publish') order.push('rows read');
    };
    const { manifest } = await takeSnapshot(options({ database: own.url, onEvent }));
    await truncated;
    expect(order).toEqual(['rows read', 'truncate']);
    expect(manifest.totals.rows).toBe(100_002n);
  });
});
