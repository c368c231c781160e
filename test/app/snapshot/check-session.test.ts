// What may come between the session that has the view and the one beside it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { type TidemarkEvent, takeSnapshot } from '#dist/index.js';
import { createDatabase, eventually } from '../../server/index.js';

test('whoever waits for a lock on a table between the two is let through, and the snapshot is started over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  try {
    await using source = await createDatabase();
    await source.run('CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 2 AS id');
    await using holder = await source.connect();
    await using migration = await source.connect();
    await holder.query('BEGIN; LOCK TABLE b');
    const events: TidemarkEvent[] = [];
    const onEvent = (event: TidemarkEvent): void => void events.push(event);
    const taking = takeSnapshot({ database: source.url, file: join(folder, 'a.tar.zst'), jobs: 1, onEvent });
    const waiting = (name: string): string =>
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND ${name}`;
    const waits = async (name: string): Promise<boolean> => (await source.query(waiting(name))).length === 1;
    await eventually('the snapshot has a, and waits for b', () => waits(`application_name = 'tidemark'`));
    const altering = migration.query('ALTER TABLE a ADD COLUMN more int');
    await eventually('the migration waits for a', () => waits(`query LIKE 'ALTER TABLE a %'`));
    await holder.query('COMMIT');
    const { manifest, attempts } = await taking;
    await altering;
    expect(attempts).toBe(2);
    const reasons = events.flatMap((event) => (event.type === 'retry' ? [event.reason] : []));
    expect(reasons).toEqual([expect.stringContaining('another session waits to change or truncate a table')]);
    expect(manifest.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('it is gone as soon as the schema is read, however long the rows take', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE a AS SELECT 1 AS id');
  const held: (() => void)[] = [];
  let flows = false;
  const file = new Writable({
    write: (_chunk, _encoding, done) => {
      if (flows) done();
      else held.push(done);
    },
  });
  const taking = takeSnapshot({ database: source.url, file, jobs: 1 });
  await eventually('the archive is being written', async () => held.length > 0);
  const sessions = `SELECT application_name AS name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'tidemark%' ORDER BY 1`;
  await eventually('only the check is gone', async () => {
    const names = (await source.query(sessions)).map(({ name }) => name);
    return names.includes('tidemark') && !names.includes('tidemark check');
  });
  flows = true;
  for (const done of held) done();
  expect((await taking).manifest.totals.rows).toBe(1n);
});
