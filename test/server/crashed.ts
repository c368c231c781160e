// What is left of a server that was killed: a second server that begins with a copy of its files, and recovers.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCluster, type TestServer } from './embedded.js';

const run = promisify(execFile);

/** Starts a server on a copy of a killed one's cluster. @throws Error where it does not come up */
export async function startAfterCrash(crashed: TestServer, settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  return startCluster({ version: crashed.version, settings }, async (data) => {
    // With owner and rights, whoever they belong to.
    await run('cp', ['-a', join(crashed.directory, 'data'), data]);
    await rm(join(data, 'postmaster.pid'), { force: true });
  });
}
