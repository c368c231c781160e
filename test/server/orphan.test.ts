// What SIGKILL of a test process leaves: nothing.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connect, eventually, processExists } from './index.js';
import { serverAccount, serversParent } from './places.js';

const here = dirname(fileURLToPath(import.meta.url));

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function nextLine(lines: AsyncIterator<string>): Promise<Record<string, unknown>> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the process ended without a word');
  return JSON.parse(value) as Record<string, unknown>;
}

test('SIGKILL of a process with servers stops them and removes their folders', async () => {
  const { TIDEMARK_TEST_BROKER: _ours, TIDEMARK_TEST_DATABASE_URL: _given, ...env } = process.env; // it shall have servers of its own
  const victim = start(['--import', 'tsx', join(here, 'orphan-victim.ts')], { ...env, DOCKER_HOST: 'unix:///nonexistent' });
  const told = await nextLine(createInterface({ input: victim.stdout })[Symbol.asyncIterator]());
  const { pid, directory, sharedUrl } = told as { pid: number; directory: string; sharedUrl: string };
  expect(processExists(pid)).toBe(true);
  expect(existsSync(join(directory, 'data', 'postmaster.pid'))).toBe(true);
  const shared = await connect(sharedUrl);
  const [{ folder, postmaster } = { folder: '', postmaster: 0 }] = (
    await shared.query<{ folder: string; postmaster: number }>(
      `SELECT current_setting('data_directory') AS folder, split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS postmaster`,
    )
  ).rows;
  expect(processExists(postmaster)).toBe(true);

  victim.kill('SIGKILL');
  await once(victim, 'exit');

  for (const one of [pid, postmaster]) await eventually(`postmaster ${one} is gone`, () => !processExists(one));
  for (const one of [directory, dirname(folder)]) await eventually(`${one} is removed`, () => !existsSync(one));
  await expect(shared.query('SELECT 1')).rejects.toThrow();
});

test('the watchdog ends a command that is still preparing the server, too', async () => {
  const account = await serverAccount();
  const parent = await serversParent(account);
  const watchdog = start([join(here, 'watchdog.mjs'), JSON.stringify({ parent, account, env: {} })], process.env);
  const lines = createInterface({ input: watchdog.stdout })[Symbol.asyncIterator]();
  const { directory } = (await nextLine(lines)) as { directory: string };
  // It takes initdb's place: tells its process id through a file and never ends by itself.
  const script = `require('node:fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)`;
  watchdog.stdin?.write(
    `${JSON.stringify({
      run: [
        { file: process.execPath, args: ['-e', script] },
        { file: '/nonexistent', args: [] },
      ],
    })}\n`,
  );
  const pid = await eventually('it runs', () => Number(readFileSync(join(directory, 'pid'), 'utf8')) || undefined);
  expect(processExists(pid)).toBe(true);

  watchdog.stdin?.end(); // what the watchdog sees of a SIGKILL
  await once(watchdog, 'exit');
  expect(processExists(pid)).toBe(false);
  expect(existsSync(directory)).toBe(false);
});
