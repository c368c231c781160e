// What a node does when it starts, case by case: state of its database, what it has processed, what the streams still hold, snapshots.
import { describe, expect, test } from 'vitest';
import { type DatabaseState, decideStart, type Streams } from '#dist/rules/index.js';

const snapshot = (id: string, streams?: Streams) => ({ id, position: { at: new Date(0), lsn: 0n, ...(streams && { streams }) } });
const newest = snapshot('s-200', { txs: 200n, blocks: 20n });
const older = snapshot('s-100', { txs: 100n, blocks: 10n });

interface Case {
  readonly state: DatabaseState;
  readonly own?: Streams;
  readonly available?: Streams;
  readonly snapshots?: readonly ReturnType<typeof snapshot>[];
  readonly expected: Readonly<Record<string, unknown>>;
}

const restores = (one: ReturnType<typeof snapshot>, reason: string) => ({ action: 'restore', snapshot: one, reason });
const impossible = (...parts: readonly string[]) => ({
  action: 'impossible',
  reason: expect.stringMatching(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')),
  hint: expect.any(String),
});

describe('decideStart', () => {
  test.each<Case>([
    // Without streams the state decides.
    { state: 'healthy', expected: { action: 'warm', reason: 'the database is healthy' } },
    { state: 'healthy', snapshots: [], expected: { action: 'warm' } },
    { state: 'missing', expected: restores(newest, 'the database does not exist') },
    { state: 'empty', expected: restores(newest, 'the database is empty') },
    { state: 'incomplete', expected: restores(newest, 'a restore into the database was interrupted') },
    { state: 'invalid', expected: restores(newest, 'the database is marked invalid') },
    // Nothing to restore.
    { state: 'missing', snapshots: [], expected: { action: 'begin', reason: 'the database does not exist, and there is no snapshot' } },
    { state: 'empty', snapshots: [], expected: { action: 'begin', reason: 'the database is empty, and there is no snapshot' } },
    { state: 'incomplete', snapshots: [], expected: impossible('interrupted', 'there is no snapshot') },
    { state: 'invalid', snapshots: [], expected: impossible('marked invalid', 'there is no snapshot') },
    // The stream holds 121 and later: whoever has processed 120 can go on.
    { state: 'healthy', own: { txs: 120n }, available: { txs: 121n }, expected: { action: 'warm' } },
    { state: 'healthy', own: { txs: 500n }, available: { txs: 121n }, expected: { action: 'warm' } },
    {
      state: 'healthy',
      own: { txs: 119n },
      available: { txs: 121n },
      expected: restores(newest, 'stream "txs" holds 121 and later, and 120 is needed as the database stands'),
    },
    // A stream that the database knows nothing of counts as 0; one that nobody asked for counts for nothing.
    { state: 'healthy', own: {}, available: { txs: 1n }, expected: { action: 'warm' } },
    { state: 'healthy', own: {}, available: { txs: 2n }, expected: { action: 'restore' } },
    { state: 'healthy', available: { txs: 0n }, expected: { action: 'warm' } },
    { state: 'healthy', own: { other: 1n, txs: 9n }, available: { txs: 10n }, expected: { action: 'warm' } },
    { state: 'healthy', own: { txs: 9n }, available: { constructor: 2n }, expected: impossible('"constructor" holds 2') },
    // Every stream must be reached.
    { state: 'healthy', own: { txs: 199n, blocks: 5n }, available: { txs: 150n, blocks: 15n }, expected: { action: 'restore' } },
    { state: 'healthy', own: { txs: 199n, blocks: 14n }, available: { txs: 150n, blocks: 15n }, expected: { action: 'warm' } },
    // So must they by the snapshot: the newest that does is taken.
    { state: 'empty', available: { txs: 201n }, expected: { action: 'restore', snapshot: newest } },
    { state: 'empty', available: { txs: 202n }, expected: impossible('is empty', 'no snapshot reaches', '202', '201 is needed', 's-200') },
    { state: 'invalid', available: { txs: 202n }, expected: impossible('marked invalid', 'no snapshot reaches') },
    { state: 'healthy', own: { txs: 1n }, available: { txs: 202n }, expected: impossible('holds 202', 'no snapshot reaches') },
    {
      state: 'empty',
      available: { txs: 50n, blocks: 8n },
      snapshots: [snapshot('s-300', { txs: 300n }), older],
      expected: { action: 'restore', snapshot: older },
    },
    { state: 'empty', available: { txs: 5n }, snapshots: [snapshot('s-300')], expected: impossible('1 is needed') },
    // From the beginning, as long as the beginning is there.
    { state: 'empty', available: { txs: 1n }, snapshots: [], expected: { action: 'begin' } },
    { state: 'missing', available: { txs: 2n }, snapshots: [], expected: impossible('there is no snapshot', 'holds 2 and later') },
  ])('$state, has $own, streams hold $available: $expected.action', ({ expected, snapshots = [newest, older], ...facts }) => {
    expect(decideStart({ ...facts, snapshots })).toMatchObject(expected);
  });
});
