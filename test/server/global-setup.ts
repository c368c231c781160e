// Runs in vitest's main process around the whole run: test files get their servers from here, and what is left on these at the end fails
// the run.
import { openBroker, runPrefix } from './broker.js';
import { ServerPool } from './choose.js';
import { patientSeconds, withSession } from './connect.js';
import { engineAnswers } from './container.js';
import { leaksOfServer } from './leaks.js';

export default async function setup(): Promise<() => Promise<void>> {
  // Before the first worker starts: they inherit it.
  process.env.PGCONNECT_TIMEOUT ??= String(patientSeconds);
  const pool = new ServerPool();
  const broker = await openBroker(pool);
  const prefix = runPrefix();
  // An image may have to be fetched first, longer than a test may take. Embedded servers start when first asked for.
  if (await engineAnswers(process.env.DOCKER_HOST)) await pool.get();
  return async () => {
    await broker[Symbol.asyncDispose]();
    const leaks = await leaksOf(pool, prefix).finally(() => pool[Symbol.asyncDispose]());
    if (leaks.length === 0) return;
    process.exitCode = 1; // vitest prints what a teardown throws and, in some of its versions, no more than that
    throw new Error(`end the run: left on the test servers were ${leaks.join('; ')}`);
  };
}

async function leaksOf(pool: ServerPool, prefix: string): Promise<string[]> {
  const servers = await pool.all();
  const found = await Promise.all(
    servers.map(({ url, stop }) => withSession(url, (client) => leaksOfServer(client, { prefix: stop ? undefined : prefix }))),
  );
  return found.flat().map(({ what }) => what);
}
