// The demo: a real PostgreSQL, a database as an indexer has it, a snapshot, its verification, a restore, and the proof that both databases
// are the same. Run it with `npm run demo`.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreSnapshot, takeSnapshot, verifySnapshot } from 'tidemark';
import { connect, databaseUrl, startServer } from '../test/server/index.js';
import { digestDatabase } from './digest.js';

const say = (text: string): void => console.log(text);
const mb = (bytes: bigint): string => `${(Number(bytes) / 1e6).toFixed(1)} MB`;
const rate = (bytes: bigint, ms: number): string => `${(Number(bytes) / 1e3 / ms).toFixed(0)} MB/s`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

const directory = await mkdtemp(join(tmpdir(), 'tidemark-demo-'));
try {
  say('Starting PostgreSQL ...');
  await using server = await startServer();
  {
    await using admin = await connect(server.url);
    await admin.query('CREATE DATABASE indexer');
    await admin.query('CREATE DATABASE restored');
  }
  const source = databaseUrl(server.url, 'indexer');
  const target = databaseUrl(server.url, 'restored');
  const [, built] = await timed(async () => {
    await using database = await connect(source);
    await database.query(await readFile(new URL('../fixtures/demo/indexer.sql', import.meta.url), 'utf8'));
  });
  say(`  PostgreSQL ${server.version}, indexer database built in ${seconds(built)}`);

  const file = join(directory, 'indexer-14999.tar.zst');
  const snapshot = await takeSnapshot({
    database: source,
    file,
    heightQuery: `SELECT last_contiguous_block FROM chain.index_progress WHERE network = 'mainnet'`,
    hashQuery: 'SELECT hash FROM chain.blocks WHERE height = $1 AND canonical',
    streamsQuery: 'SELECT name, last_sequence FROM chain.streams',
  });
  const { totals, position } = snapshot.manifest;
  say(
    `Snapshot  ${totals.tables} tables, ${totals.rows} rows, ${mb(totals.rawBytes)} -> ${mb(snapshot.bytes)} ` +
      `in ${seconds(snapshot.durationMs)} (${rate(totals.rawBytes, snapshot.durationMs)})`,
  );
  say(
    `          height ${position.height}, hash ${position.hash?.slice(0, 18)}..., streams ${Object.keys(position.streams ?? {}).join(', ')}`,
  );

  const [report, verified] = await timed(() => verifySnapshot({ file }));
  say(`Verify    ${report.members} members, every byte checked in ${seconds(verified)} (${rate(report.rawBytes, verified)})`);

  const [restored, took] = await timed(() => restoreSnapshot({ file, database: target }));
  say(`Restore   ${restored.rows} rows in ${seconds(took)} (${rate(restored.rawBytes, took)})`);

  const [before, after] = await Promise.all([digestDatabase(source), digestDatabase(target)]);
  for (const [name, digest] of before) {
    const same = after.get(name) === digest;
    say(`  ${same ? 'same' : 'DIFFERENT'}  ${digest.slice(0, 16)}  ${name}`);
  }
  const different = [...before].filter(([name, digest]) => after.get(name) !== digest);
  if (different.length > 0 || after.size !== before.size) throw new Error('the restored database differs from its source');
  say(`Proof     ${before.size} digests are equal: ${before.size - 1} tables and the schema`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
