// Runs one PostgreSQL server for a test process and outlives that process just long enough to clean up: its standard input is a pipe
// from there, and the end of that pipe, however it came about (SIGKILL too), stops the server and removes its folder. Plain JavaScript,
// so that nothing has to be compiled before it stands guard; guard.ts is its other end.
//
// In, one JSON text a line: {"run": [{file, args}, ...]} (the last one is the server), "stop" or "kill".
// Out: {event: "made", directory}, {event: "ready", pid}, {event: "exit", lastWords}, {event: "gone"}.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @type {{ parent: string, account?: { uid: number, gid: number }, env: Record<string, string> }} */
const { parent, account, env } = JSON.parse(process.argv[2] ?? '');

/** What runs now: initdb, then the server. */
let child;
let childEnded = Promise.resolve();
let ending = false;
let lastWords = '';

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
process.stdout.on('error', () => {}); // nobody listens any more: the end of standard input says so, too
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {}); // only the pipe counts

const directory = await mkdtemp(join(parent, 'tidemark-pg-'));
await chmod(directory, 0o700);
if (account) await chown(directory, account.uid, account.gid);
const log = createWriteStream(join(directory, 'log'), { flags: 'a' });
log.on('error', () => {});

const requests = createInterface({ input: process.stdin });
requests.on('line', (line) => {
  const request = JSON.parse(line);
  if (request === 'stop')
    end('SIGINT'); // PostgreSQL's fast shutdown
  else if (request === 'kill') child?.kill('SIGKILL');
  else run(request.run);
});
requests.on('close', () => end('SIGQUIT')); // immediate shutdown
process.stdin.on('error', () => end('SIGQUIT'));
tell({ event: 'made', directory });

async function end(signal) {
  if (ending) return;
  ending = true;
  child?.kill(signal);
  const impatience = setTimeout(() => child?.kill('SIGKILL'), 10_000);
  await childEnded;
  clearTimeout(impatience);
  await releaseSharedMemory();
  // Backends of a postmaster that was killed may still be on their way out, and writing: hence the retries.
  await rm(directory, { recursive: true, force: true, maxRetries: 30, retryDelay: 20 }).catch(() => {});
  setTimeout(() => process.exit(0), 1000).unref(); // where nobody takes the last event
  process.stdout.write(`${JSON.stringify({ event: 'gone' })}\n`, () => process.exit(0));
}

// A server that is killed leaves its System V segment of 56 bytes, of which a machine has a limited number. postmaster.pid, left behind
// too, has "key id" in its seventh line.
async function releaseSharedMemory() {
  const text = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
  const id = text.split('\n')[6]?.trim().split(/\s+/)[1];
  if (!id) return;
  await new Promise((resolve) => {
    const remover = spawn('ipcrm', ['-m', id], { ...account, env, stdio: 'ignore' });
    remover.on('exit', resolve);
    remover.on('error', resolve); // not every system has it
  });
}

async function run(commands) {
  for (const [index, command] of commands.entries()) {
    if (ending) return;
    const isServer = index === commands.length - 1;
    childEnded = runOne(command, isServer);
    const ok = await childEnded;
    if (isServer || !ok) {
      tell({ event: 'exit', lastWords });
      return;
    }
  }
}

/** Resolves when the command has ended: whether it did so well. */
function runOne({ file, args }, isServer) {
  return new Promise((resolve) => {
    let ready = false;
    child = spawn(file, args, { ...account, env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (data) => log.write(data));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log.write(text);
      lastWords = (lastWords + text).slice(-4000);
      // "ready to accept connections", and of a hot standby "ready to accept read-only connections".
      if (isServer && !ready && /ready to accept (read-only )?connections/.test(lastWords)) {
        ready = true;
        tell({ event: 'ready', pid: child.pid });
      }
    });
    child.on('error', (error) => {
      lastWords += error.message;
      resolve(false);
    });
    // Not 'close': backends hold the pipes a little longer than the postmaster that was killed.
    child.on('exit', (code) => resolve(code === 0));
  });
}
