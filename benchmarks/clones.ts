// Databases for tests: how long the first restore of a snapshot takes, a clone, and a reset. `npm run bench:clones [-- --runs 50 --scale 0.09]`;
// scale 0.09 of the indexer is a database of about 60 MB.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takeSnapshot } from 'tidemark';
import { snapshotDatabase } from 'tidemark/testing';
import { connect } from '../test/server/index.js';
import { makeSource } from './source.js';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '50' }, scale: { type: 'string', default: '0.09' } } });
const runs = Number(values.runs);

async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, 95 of 100 within ${at(0.95)} ms`;
}

await using source = await makeSource('indexer', Number(values.scale));
const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
try {
  const file = join(directory, 'snapshot.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using client = await connect(source.url);
  const { rows } = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(`database ${megabytes(Number(rows[0]?.size))}, snapshot ${megabytes((await stat(file)).size)}, ${source.server}`);

  const [snapshot, cold] = await timed(() => snapshotDatabase({ from: file, server: source.url }));
  console.log(`first restore: ${cold.toFixed(0)} ms`);
  const [again, warm] = await timed(() => snapshotDatabase({ from: file, server: source.url }));
  console.log(`asked for again: ${warm.toFixed(0)} ms`);
  await again.close();

  const [clones, drops, resets]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < runs; run += 1) {
    const [db, cloned] = await timed(() => snapshot.clone());
    clones.push(cloned);
    if (run % 5 === 0) resets.push((await timed(() => db.reset()))[1]);
    drops.push((await timed(() => db.drop()))[1]);
  }
  console.log(`clone: ${spread(clones)}`);
  console.log(`reset: ${spread(resets)}`);
  console.log(`drop: ${spread(drops)}`);
  const shared = await Promise.all(Array.from({ length: 8 }, () => snapshotDatabase({ from: file, server: source.url })));
  const [, together] = await timed(() => Promise.all(shared.map((one) => one.clone())));
  console.log(`8 at once, from 8 sessions: ${together.toFixed(0)} ms`);
  for (const one of [...shared, snapshot]) await one.close();
} finally {
  await rm(directory, { recursive: true });
}
