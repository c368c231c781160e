// What a snapshot straight into S3 costs beside the same snapshot into a file: both in turns, as whole processes, an S3 server in memory
// as a third one on the same machine.
//   npm run bench:store -- [--scale 1] [--runs 5] [--jobs 2] [--level 3]
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { tidemarkCli, tidemarkSnapshot } from './contenders.js';
import { interrupted } from './interrupt.js';
import { type Measurement, measure, median } from './measure.js';
import { treeSeconds } from './process-tree.js';
import { makeSource } from './source.js';

const { values: given } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '2' },
    level: { type: 'string', default: '3' },
  },
});

const server = spawn(process.execPath, ['--import', 'tsx', new URL('s3-process.ts', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
  signal: interrupted,
});
const { value: endpoint } = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
await using source = await makeSource('indexer', Number(given.scale));
const { place, postmaster } = source;
const toFile = tidemarkSnapshot(place, { jobs: Number(given.jobs), level: Number(given.level) }, 'binary');
const env = { ...place.env, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'us-east-1' };
const common = ['-j', given.jobs, '-Z', given.level, '--copy-format', 'binary'];

const ratios: number[] = [];
for (let round = 1; round <= Number(given.runs); round += 1) {
  const output = toFile.output ?? '';
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const file = await measure(toFile.command, postmaster);
  const store = `s3://bucket/round-${round}?endpoint=${endpoint}`;
  const args = [tidemarkCli, 'snapshot', '-d', place.url, '--store', store, '--height', String(round), ...common];
  const before = serverSeconds();
  const s3 = await measure({ file: process.execPath, args, env }, postmaster);
  ratios.push(s3.seconds / file.seconds);
  console.log(`round ${round}: file ${shown(file)}; S3 ${shown(s3)}, the S3 server ${(serverSeconds() - before).toFixed(1)} s`);
}
console.log(`S3 to file, wall time: ${median(ratios).toFixed(2)} (${ratios.map((ratio) => ratio.toFixed(2)).join(' ')})`);
server.stdin.end();

function serverSeconds(): number {
  return (server.pid === undefined ? undefined : treeSeconds(server.pid)) ?? 0;
}

function shown({ seconds, clientSeconds, peakMb }: Measurement): string {
  return `${seconds.toFixed(2)} s (processor ${clientSeconds?.toFixed(1)} s, ${peakMb?.toFixed(0)} MB)`;
}
