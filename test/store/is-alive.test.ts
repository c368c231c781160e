// Processes that run, that are gone, and that have ended without anybody asking after them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { isAlive } from '#dist/store/is-alive.js';
import { eventually } from '../server/eventually.js';

test('a process that runs is alive, one that was killed is not', async () => {
  expect(isAlive(process.pid)).toBe(true);
  const child = spawn('sleep', ['600']);
  expect(isAlive(child.pid ?? 0)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(child.pid ?? 0)).toBe(false);
});

test('nor is one that its parent never asks after', async () => {
  // The shell becomes a program that waits for no child.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const child = Number(line);
    await eventually('it has ended', () => !isAlive(child));
    // It is in the list of processes still.
    if (process.platform === 'linux') expect(process.kill(child, 0)).toBe(true);
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  }
});
