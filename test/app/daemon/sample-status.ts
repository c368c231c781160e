// Statuses to look at: of a chain whose snapshots come every 151,200 of height, a day apart.
import type { Status } from '#dist/app/schedule/status.js';
import type { StoredSnapshot } from '#dist/model/stored-snapshot.js';

export const now = new Date('2026-11-21T12:00:00Z');
const day = 86_400_000;
const every = 151_200n;

export type SnapshotChanges = Partial<StoredSnapshot>;

/** The nth snapshot before the newest one. */
export function sampleSnapshot(ago: number, changes: SnapshotChanges = {}): StoredSnapshot {
  const at = new Date(now.getTime() - ago * day - 3 * 3_600_000);
  const height = 45_360_000n - BigInt(ago) * every;
  const position = { at, lsn: 0x1_2345_6789n - BigInt(ago) * 1_000_000n, height };
  const id = `indexer-${height}`;
  return {
    id,
    key: `${id}.tar.zst`,
    good: true,
    position,
    system: '7300000000000000001',
    bytes: 1_234_567_890n - BigInt(ago) * 1_000_000n,
    verification: {
      verifiedAt: new Date(at.getTime() + 200_000),
      sha256: 'ab'.repeat(32),
      bytes: 1_234_567_890n - BigInt(ago) * 1_000_000n,
      position,
      system: '7300000000000000001',
      database: 'chain',
      serverVersion: 180_004,
      toolVersion: '0.1.0',
      tables: 42,
      rows: 9_007_199_254_740_993n,
      rawBytes: 5_000_000_000n,
      durationMs: 95_400,
    },
    ...changes,
  };
}

export function sampleStatus(changes: Partial<Status> = {}): Status {
  const newest = sampleSnapshot(0, {
    drill: { at: new Date(now.getTime() - 2 * 3_600_000), durationMs: 61_000, ok: true, rows: 9_007_199_254_740_993n },
  });
  const position = { at: now, lsn: 0x1_2355_6789n, height: 45_401_000n };
  return {
    at: now,
    prefix: 'indexer',
    store: '/var/lib/tidemark',
    healthy: true,
    reason: 'the newest good snapshot is 3 h 0 min old, and the next is not due before height 45511200',
    newest,
    ageMs: now.getTime() - newest.position.at.getTime(),
    snapshots: [
      { snapshot: newest, reasons: ['last snapshot', 'daily snapshot'] },
      { snapshot: sampleSnapshot(1), reasons: ['last snapshot', 'daily snapshot'] },
      { snapshot: sampleSnapshot(2), reasons: ['daily snapshot'] },
      {
        snapshot: sampleSnapshot(3, { pinned: 'before the <script>alert(1)</script> migration' }),
        reasons: ['pinned: before the <script>alert(1)</script> migration', 'daily snapshot'],
      },
      { snapshot: sampleSnapshot(4), reasons: [] },
      { snapshot: sampleSnapshot(5, { good: false }), reasons: ['not verified: neither counted nor removed'] },
      { snapshot: sampleSnapshot(9), reasons: ['weekly snapshot', 'oldest weekly snapshot'] },
    ],
    unknown: [],
    position,
    decision: {
      due: false,
      reason: 'every 151200 of height: height 45401000, 110200 more to 45511200',
      verdicts: [],
      next: [
        { by: 'height', value: 45_511_200n },
        { by: 'time', at: new Date(now.getTime() + 9 * 3_600_000) },
      ],
    },
    ...changes,
  };
}

/** Everything at once, as bad as it gets. */
export function troubledStatus(): Status {
  const status = sampleStatus();
  return {
    ...status,
    healthy: false,
    reason: 'the newest good snapshot is 3 d old, and one was due 2 d ago',
    unknown: [{ id: 'indexer-1', key: 'indexer-1.tar.zst', bytes: 12n, problem: 'verify archive: it ends early <b>' }],
    running: { since: new Date(now.getTime() - 65_000), reason: 'every 151200 of height', rows: 123_456n, rawBytes: 98_765_432n },
    failures: {
      total: 7,
      inARow: 2,
      last: {
        at: new Date(now.getTime() - 600_000),
        code: 'DISK_FULL',
        message: 'write archive "/var/lib/tidemark/x": no space left on device',
      },
    },
  };
}

/** As many snapshots as were asked for, an hour apart. */
export function manySnapshots(count: number): Status {
  const snapshots = Array.from({ length: count }, (_, index) => {
    const at = new Date(now.getTime() - index * 3_600_000);
    const height = 100_000_000n - BigInt(index) * 6300n;
    const id = `indexer-${height}`;
    const base = sampleSnapshot(0, { id, key: `${id}.tar.zst`, position: { at, lsn: 1n, height } });
    const reasons = index < 48 || index % 24 === 0 ? ['hourly snapshot'] : [];
    return {
      snapshot: index % 1000 === 17 ? { ...base, pinned: 'release' } : base,
      reasons: index % 1000 === 17 ? ['pinned: release'] : reasons,
    };
  });
  const newest = snapshots[0]?.snapshot;
  return { ...sampleStatus({ snapshots, position: { at: now, lsn: 2n, height: 100_001_000n }, ageMs: 0 }), ...(newest ? { newest } : {}) };
}

export function emptyStatus(): Status {
  const { newest, ageMs, position, decision, ...rest } = sampleStatus();
  return { ...rest, healthy: false, reason: 'there is no good snapshot yet', snapshots: [] };
}
