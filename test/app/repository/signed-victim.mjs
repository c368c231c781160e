// Publishes a signed snapshot into a directory, as a scheduler does, and is killed before the n-th change of a name there.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { database, series, height, killAt, snapshot } = JSON.parse(process.argv[2]);
let seen = 0;
for (const name of ['link', 'rename', 'rm']) {
  const real = fs[name];
  fs[name] = async (...args) => {
    seen += 1;
    if (seen === killAt) process.kill(process.pid, 'SIGKILL');
    return await real(...args);
  };
}
syncBuiltinESMExports();

const { Repository } = await import('#dist/app/repository/repository.js');
const { takeOverRepository } = await import('#dist/app/repository/take-over.js');
const { snapshotInto } = await import('#dist/app/snapshot/take-snapshot.js');
const repository = new Repository(series);
const writer = await takeOverRepository(repository);
seen = 0;
const open = async ({ recipients }) => await writer.open({ started: performance.now(), encrypted: recipients !== undefined });
await snapshotInto(open, { database, height: BigInt(height), jobs: 1, ...snapshot });
