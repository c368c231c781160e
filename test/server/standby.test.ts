// A hot standby follows its primary, refuses writes and can be promoted.
import { describe, expect, test } from 'vitest';
import { connect, createDatabase, databaseUrl, eventually, requestedVersions, startServer, startStandby } from './index.js';

describe.each(requestedVersions())('PostgreSQL %i', (version) => {
  test('a standby has what was there before and what came after', async () => {
    await using primary = await startServer({ version, settings: { max_connections: '321' } });
    const db = await createDatabase({ server: primary.url });
    await db.run('CREATE TABLE t AS SELECT i FROM generate_series(1, 10000) AS i');
    await using standby = await startStandby(primary);
    await db.run('INSERT INTO t SELECT i FROM generate_series(10001, 20000) AS i');
    await standby.catchUp();

    await using reader = await connect(databaseUrl(standby.url, db.name));
    expect((await reader.query('SELECT pg_is_in_recovery() AS standby, count(*)::int AS rows, sum(i)::text AS sum FROM t')).rows).toEqual([
      { standby: true, rows: 20000, sum: '200010000' },
    ]);
    await expect(reader.query('DELETE FROM t')).rejects.toThrow('read-only transaction');

    await primary.kill();
    await reader.query('SELECT pg_promote()');
    await eventually('the standby has become a primary', async () => (await reader.query('DELETE FROM t')).rowCount === 20000);
  });

  test('a standby that is stopped leaves no slot on its primary', async () => {
    await using primary = await startServer({ version });
    const standby = await startStandby(primary);
    await standby.stop();
    await using client = await connect(primary.url);
    expect((await client.query('SELECT slot_name FROM pg_replication_slots')).rows).toEqual([]);
  });
});
