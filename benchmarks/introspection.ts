// How long introspection alone takes on a database of many objects, where it is most of a snapshot's time: seconds and queries.
// Usage: npm run bench:introspection -- [--scale 1] [--runs 3] [--url postgres://...]
import { parseArgs } from 'node:util';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { introspect, readServer } from '#dist/schema/introspect.js';
import { median } from './measure.js';
import { makeSource, openSource } from './source.js';

const { values: given } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, runs: { type: 'string', default: '3' }, url: { type: 'string' } },
});
await using source = given.url === undefined ? await makeSource('many-objects', Number(given.scale)) : await openSource(given.url);
await using session = await openSession(resolveConnection(source.url, {}), { use: 'read' });
const server = await readServer(session);
const seconds: number[] = [];
let found = '';
for (let round = 0; round < Number(given.runs); round += 1) {
  let queries = 0;
  const counting: Parameters<typeof introspect>[0] = {
    query: (text) => {
      queries += 1;
      return session.query(text);
    },
  };
  const started = performance.now();
  const { objects, steps } = await introspect(counting, { server, skipUnsupported: false });
  seconds.push((performance.now() - started) / 1000);
  found = `${queries} queries, ${objects.length} objects, ${steps.length} steps`;
}
console.log(`introspection: ${median(seconds).toFixed(2)} s (${seconds.map((one) => one.toFixed(2)).join(' ')}), ${found}`);
