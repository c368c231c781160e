// Runs in vitest's main process around the whole run: test files get their servers from here, and what is left on these at the end fails
// the run.
import { openBroker } from './broker.js';
import { ServerPool } from './choose.js';

export default async function setup(): Promise<() => Promise<void>> {
  const pool = new ServerPool();
  const broker = await openBroker(pool);
  return async () => {
    await broker[Symbol.asyncDispose]();
    await pool[Symbol.asyncDispose]();
  };
}
