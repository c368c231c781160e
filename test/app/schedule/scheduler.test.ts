// The scheduler inside of a process, on a real database: systems 1, 4 and 5 of those it was made for, played through.
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { connect, createDatabase, eventually } from '../../server/index.js';
import { startEngine } from './play.js';

describe('by height', () => {
  test('one at once where there is none, then whenever the mark is passed, and only the two newest stay', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler();
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
    for (const height of [50n, 106n]) {
      await engine.processTo(height);
      scheduler.advance({ height });
      await scheduler.look();
    }
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
    const created = events.next('created');
    await engine.processTo(113n);
    scheduler.advance({ height: 113n });
    expect((await created).snapshot).toMatchObject({ id: 'chain-113', position: { height: 113n } });
    await engine.processTo(260n);
    scheduler.advance({ height: 260n });
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-113.tar.zst', 'chain-260.tar.zst']);
    expect(events.all.flatMap((event) => (event.type === 'snapshot' ? [] : [event.type]))).toEqual([
      'found',
      ...['creating', 'created'],
      ...['creating', 'created'],
      ...['creating', 'created', 'removed'],
    ]);
  });

  test('the name is the height inside, which is restored, whatever the host said', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler } = engine.scheduler();
    await scheduler.look();
    scheduler.advance({ height: 120n });
    await engine.processTo(123n);
    await scheduler.look();
    const file = join(engine.folder.path, 'chain-123.tar.zst');
    await verifySnapshot({ file });
    await using target = await createDatabase();
    const { position } = await restoreSnapshot({ file, database: target.url });
    expect(position.height).toBe(123n);
    expect(await target.query('SELECT max(height) FROM blocks')).toEqual([{ max: '123' }]);
  });

  test('a new process goes on from what lies in the folder', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const first = engine.scheduler();
    await first.scheduler.look();
    await first.scheduler.close();
    await engine.processTo(100n);
    const { scheduler, events } = engine.scheduler();
    await scheduler.look();
    expect(events.of('found')[0]?.newest?.id).toBe('chain-7');
    expect(events.of('created')).toEqual([]);
    await engine.processTo(107n);
    scheduler.advance({ height: 107n });
    await scheduler.look();
    expect(events.of('created').map(({ snapshot }) => snapshot.id)).toEqual(['chain-107']);
  });

  test('a folder that was emptied gets a snapshot at the next look', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler } = engine.scheduler();
    await scheduler.look();
    await rm(engine.folder.path, { recursive: true });
    await engine.processTo(8n);
    scheduler.advance({ height: 8n });
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-8.tar.zst']);
  });

  test('an archive that somebody has put there counts once it has been verified, and foreign files are left alone', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler } = engine.scheduler();
    await scheduler.backup(join(engine.folder.path, 'chain-1.tar.zst'));
    await scheduler.close();
    await writeFile(join(engine.folder.path, 'chain-999999.tar.zst'), 'not ours');
    await writeFile(join(engine.folder.path, 'notes-5.tar.zst'), 'not ours');
    const { scheduler: next, events } = engine.scheduler({ retention: { last: 1 } });
    await next.look();
    expect(events.of('found')[0]?.newest).toMatchObject({ position: { height: 7n } });
    expect(events.of('unknown').map(({ archive }) => archive.id)).toEqual(['chain-999999']);
    await engine.processTo(107n);
    next.advance({ height: 107n });
    await next.look();
    expect(await engine.archives()).toEqual(['chain-107.tar.zst', 'chain-999999.tar.zst', 'notes-5.tar.zst']);
  });
});

describe('failures', () => {
  test('a failure is told and tried again after the shorter distance; the snapshots there stay', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler({ retention: { last: 1 }, snapshot: { jobs: 1, lockTimeoutMs: 50 } });
    await scheduler.look();
    await engine.processTo(107n);
    const blocker = await connect(engine.db.url);
    await blocker.query('BEGIN; LOCK TABLE blocks IN ACCESS EXCLUSIVE MODE');
    scheduler.advance({ height: 107n });
    await scheduler.look();
    expect(events.of('failed')).toMatchObject([{ error: { code: 'LOCK_TIMEOUT' }, next: [{ by: 'height', value: 117n }, ...[]] }]);
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
    scheduler.advance({ height: 116n });
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
    scheduler.advance({ height: 117n });
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-107.tar.zst']);
    expect(await scheduler.status()).toMatchObject({
      healthy: true,
      position: { height: 107n },
      newest: { id: 'chain-107' },
      failures: { total: 1, inARow: 0, last: { code: 'LOCK_TIMEOUT' } },
    });
  });

  test('a server that is not there is trouble, and nothing else', async () => {
    await using engine = await startEngine();
    const { scheduler, events } = engine.scheduler({ db: 'postgres://nobody@127.0.0.1:1/nothing' });
    await scheduler.look();
    expect(events.of('trouble').map(({ error }) => error.code)).toContain('CONNECTION_FAILED');
    scheduler.advance({ height: 5n });
    await scheduler.look();
    expect(events.of('failed').map(({ error }) => error.code)).toEqual(['CONNECTION_FAILED']);
    await scheduler.close();
  });

  test('no snapshot is begun that the folder would not hold', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler({ reserve: 1n << 62n });
    await scheduler.look();
    expect(events.of('failed').map(({ error }) => error)).toMatchObject([
      { code: 'DISK_FULL', message: expect.stringContaining('are free') },
    ]);
    expect(events.of('creating')).toEqual([]);
    expect(await engine.archives()).toEqual([]);
  });

  test('an archive that is not on the disk what was written is never published', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    let harmful = false;
    const { scheduler, events } = engine.scheduler({
      retention: { last: 1 },
      onEvent: (event) => {
        events.listener(event);
        if (!harmful || event.type !== 'snapshot' || event.event.type !== 'phase' || event.event.phase !== 'verify') return;
        const path = event.event.detail ?? '';
        const bytes = readFileSync(path);
        bytes[40] = (bytes[40] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
    });
    await scheduler.look();
    harmful = true;
    await expect(scheduler.snapshotNow()).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
    expect((await readdir(engine.folder.path)).filter((name) => name.startsWith('.') && !name.includes('.token-'))).toEqual([]);
  });

  test('a listener that throws ends nothing', async () => {
    await using engine = await startEngine();
    const warned = new Promise<void>((resolve) => {
      process.on('warning', function heard({ message }) {
        if (message !== 'of the host') return;
        process.off('warning', heard);
        resolve();
      });
    });
    const { scheduler } = engine.scheduler({
      onEvent: () => {
        throw new Error('of the host');
      },
    });
    await scheduler.look();
    expect(await engine.archives()).toEqual(['chain-0.tar.zst']);
    await warned;
  });
});

describe('when asked', () => {
  test('now, in the background, and into a file; one at a time', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler();
    await scheduler.look();
    await engine.processTo(8n);
    expect(await scheduler.snapshotNow()).toMatchObject({ id: 'chain-8' });
    const blocker = await connect(engine.db.url);
    await blocker.query('BEGIN; LOCK TABLE blocks IN ACCESS EXCLUSIVE MODE');
    const created = events.next('created');
    expect(scheduler.requestSnapshot()).toEqual({ started: true });
    expect(scheduler.requestSnapshot()).toMatchObject({ started: false, reason: expect.stringContaining('asked for') });
    const waiting = scheduler.snapshotNow();
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect((await created).snapshot.id).toBe('chain-8.2');
    expect((await waiting).id).toBe('chain-8.3');
    expect(await engine.archives()).toEqual(['chain-8.2.tar.zst', 'chain-8.3.tar.zst']);
    const file = join(engine.folder.path, 'a copy.tar.zst');
    expect(await scheduler.backup(file)).toMatchObject({ file });
    await verifySnapshot({ file });
  });

  test('a failure of snapshotNow is its caller’s', async () => {
    await using engine = await startEngine();
    const { scheduler } = engine.scheduler({ position: { heightQuery: 'SELECT max(height) FROM blocks' } });
    await scheduler.look();
    await expect(scheduler.snapshotNow()).rejects.toMatchObject({ code: 'POSITION_INVALID' });
    await scheduler.close();
    await expect(scheduler.snapshotNow()).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a look that is under way when it is closed begins nothing', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler } = engine.scheduler();
    await scheduler.look();
    await engine.processTo(500n);
    await using other = await engine.db.connect();
    await other.query('BEGIN; LOCK TABLE blocks');
    const looking = scheduler.look();
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await eventually('it waits for the height', async () => (await engine.db.query(waiting)).length === 1);
    const closed = scheduler.close();
    await other.query('COMMIT');
    await Promise.all([looking, closed]);
    expect(await engine.archives()).toEqual(['chain-7.tar.zst']);
  });

  test('at the end one is taken if the database has moved since the last', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const first = engine.scheduler();
    await first.scheduler.look();
    await engine.processTo(9n);
    await first.scheduler.close({ final: true });
    expect(await engine.archives()).toEqual(['chain-7.tar.zst', 'chain-9.tar.zst']);
  });

  test('a snapshot that is given up leaves neither file nor session', async () => {
    await using engine = await startEngine();
    const { scheduler, events } = engine.scheduler();
    await scheduler.look();
    await rm(engine.folder.path, { recursive: true });
    const blocker = await connect(engine.db.url);
    await blocker.query('BEGIN; LOCK TABLE blocks IN ACCESS EXCLUSIVE MODE');
    const creating = events.next('creating');
    scheduler.requestSnapshot();
    await creating;
    await scheduler.close({ abort: true });
    await blocker.query('ROLLBACK');
    const sessions = await blocker.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'tidemark%' AND datname = current_database()`,
    );
    await blocker.end();
    expect(sessions.rows).toEqual([{ n: 0 }]);
    expect((await readdir(engine.folder.path)).filter((name) => !name.includes('.token-'))).toEqual([]);
    expect(events.of('failed').map(({ error }) => error.code)).toEqual(['ABORTED']);
  });
});

describe('several processes', () => {
  test('of two schedulers one takes the snapshot, and the other sees that it was taken', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const [one, other] = [engine.scheduler(), engine.scheduler()];
    await Promise.all([one.scheduler.look(), other.scheduler.look()]);
    for (const height of [110n, 220n, 330n]) {
      await engine.processTo(height);
      one.scheduler.advance({ height });
      other.scheduler.advance({ height });
      await Promise.all([one.scheduler.look(), other.scheduler.look()]);
      await Promise.all([one.scheduler.look(), other.scheduler.look()]);
    }
    const created = [...one.events.of('created'), ...other.events.of('created')].map(({ snapshot }) => snapshot.id);
    expect(created.sort()).toEqual(['chain-110', 'chain-220', 'chain-330', 'chain-7']);
    expect([...one.events.of('failed'), ...other.events.of('failed')]).toEqual([]);
  });
});

describe('wrong options', () => {
  test.each([
    ['no rule', { rules: [] }, 'there is no rule'],
    ['no policy', { retention: {} }, 'it is empty'],
    ['height without a query', { position: {} }, 'rules by height need position.heightQuery'],
    ['stream without a query', { rules: [{ by: 'stream', stream: 's', every: 1n }] as const }, 'rules by stream need'],
    ['a prefix with a slash', { prefix: '../x' }, 'a prefix has letters'],
    ['jobs', { snapshot: { jobs: 0 } }, 'jobs must be'],
    ['a timer that would never rest', { lookEveryMs: 2 ** 31 }, 'lookEveryMs must be from 1'],
    ['a time beyond all dates', { rules: [{ by: 'time', every: 1e16 }] as const }, 'dates end before that'],
  ])('%s', async (_, options, message) => {
    await using engine = await startEngine();
    expect(() => engine.scheduler(options)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }));
  });
});

describe('drills', () => {
  test('the newest is tried when the rule says so, once; what it found is recorded', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler({ drill: { rule: { by: 'time', every: 3_600_000 } } });
    const drilled = events.next('drilled');
    await scheduler.look();
    await scheduler.look();
    expect(await drilled).toMatchObject({ snapshot: { id: 'chain-7' }, drill: { ok: true, rows: 7n } });
    await engine.processTo(107n);
    scheduler.advance({ height: 107n });
    await scheduler.look();
    await scheduler.look();
    await scheduler.close();
    expect(events.of('drilled')).toHaveLength(1);
    // Also when the one that was tried is gone.
    await rm(join(engine.folder.path, 'chain-7.tar.zst'));
    const next = engine.scheduler({ drill: { rule: { by: 'time', every: 3_600_000 } } });
    await next.scheduler.look();
    await next.scheduler.close();
    expect(next.events.of('drilled')).toEqual([]);
  });

  test('one that finds damage makes the snapshot count no more, and tries the one before it', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const first = engine.scheduler();
    await first.scheduler.look();
    await engine.processTo(8n);
    await first.scheduler.snapshotNow();
    await first.scheduler.close();
    const file = join(engine.folder.path, 'chain-8.tar.zst');
    const bytes = await readFile(file);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const { scheduler, events } = engine.scheduler({ drill: { rule: { by: 'time', every: 3_600_000 } } });
    const bad = events.next('drilled');
    await scheduler.look();
    expect(await bad).toMatchObject({ snapshot: { id: 'chain-8' }, drill: { ok: false } });
    expect((await scheduler.status()).newest?.id).toBe('chain-7');
  });

  // A scratch database that is left fails the whole run.
  test('one under way is given up at the end', async () => {
    await using engine = await startEngine();
    await engine.processTo(7n);
    const { scheduler, events } = engine.scheduler({ drill: { rule: { by: 'time', every: 3_600_000 } } });
    await scheduler.look();
    await scheduler.close();
    expect(events.of('trouble')).toEqual([]);
  });
});
