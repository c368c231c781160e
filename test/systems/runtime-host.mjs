// System 1 as a process: it applies blocks one after the other, each in one transaction but for a mark that says that it is being applied,
// and tells its scheduler of each. Its argument is { db, store, to }; it prints its events, one a line.
import pg from 'pg';
import { bootstrap, createScheduler } from '#dist/index.js';

const { db, store, to } = JSON.parse(process.argv[2] ?? '{}');
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const series = { store, prefix: 'paima-snapshot' };
const position = { heightQuery: 'SELECT coalesce(max(height), 0) FROM blocks' };

const start = await bootstrap({ ...series, database: db, invalid: 'SELECT applying FROM state', position, jobs: 1 });
say('start', start.action, start.position?.height ?? '');
const scheduler = createScheduler({
  ...series,
  db,
  rules: { rules: [{ by: 'height', every: 100n }], retry: { height: 10n } },
  retention: { last: 2 },
  position,
  snapshot: { jobs: 1, compressLevel: 1 },
  onEvent: (event) => {
    if (event.type !== 'snapshot') say(event.type, event.snapshot?.id ?? event.newest?.id ?? event.error?.message ?? '');
    else if (event.event.type === 'phase') say('phase', event.event.phase);
  },
});
await scheduler.look();
const client = new pg.Client({ connectionString: db });
await client.connect();
for (let height = start.position.height + 1n; height <= BigInt(to); height += 1n) {
  await client.query('UPDATE state SET applying = true');
  await client.query(`INSERT INTO blocks VALUES (${height}, md5('${height}'))`);
  // The last block is never done: the process is killed in the middle of it.
  if (height === BigInt(to)) break;
  await client.query('UPDATE state SET applying = false');
  scheduler.advance({ height });
}
await client.end();
await scheduler.look();
say('applied');
setInterval(() => undefined, 2 ** 30);
