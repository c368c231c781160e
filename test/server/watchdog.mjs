// Runs one PostgreSQL server for a test process and outlives that process just long enough to clean up: its standard input is a pipe
// from there, and the end of that pipe, however it came about (SIGKILL too), stops the server and removes its folder. Plain JavaScript,
// so that nothing has to be compiled or loaded before it stands guard.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @type {{ directory: string, commands: { file: string, args: string[] }[], uid?: number, gid?: number, env: Record<string, string> }} */
const job = JSON.parse(process.argv[2] ?? '');
const account = job.uid === undefined ? {} : { uid: job.uid, gid: job.gid };
const log = createWriteStream(join(job.directory, 'log'), { flags: 'a' });
log.on('error', () => {});

/** The command that runs now: initdb, then the server. */
let child;
let childEnded = Promise.resolve();
let ending = false;
let lastWords = '';

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
process.stdout.on('error', () => {}); // nobody listens any more: standard input says so, too
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {}); // only the pipe counts

const requests = createInterface({ input: process.stdin });
requests.on('line', (line) => {
  if (line === 'stop') end('SIGINT'); // fast shutdown
  if (line === 'kill') child?.kill('SIGKILL');
});
requests.on('close', () => end('SIGQUIT')); // immediate shutdown
process.stdin.on('error', () => end('SIGQUIT'));

async function end(signal) {
  if (ending) return;
  ending = true;
  child?.kill(signal);
  const impatience = setTimeout(() => child?.kill('SIGKILL'), 10_000);
  await childEnded;
  clearTimeout(impatience);
  // Backends of a postmaster that was killed may still be leaving and writing: hence the retries.
  await rm(job.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }).catch(() => {});
  process.stdout.write(`${JSON.stringify({ event: 'gone' })}\n`, () => process.exit(0));
  setTimeout(() => process.exit(0), 1000).unref();
}

function run({ file, args }, { isServer }) {
  const { promise, resolve } = withResolvers();
  const env = { ...job.env };
  child = spawn(file, args, { ...account, env, cwd: job.directory, stdio: ['ignore', 'pipe', 'pipe'] });
  childEnded = promise;
  child.on('error', (error) => {
    lastWords += error.message;
    resolve({ code: 127, signal: null });
  });
  child.stdout.on('data', (data) => log.write(data));
  let ready = false;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log.write(text);
    lastWords = (lastWords + text).slice(-4000);
    // "ready to accept connections", and of a hot standby "ready to accept read-only connections".
    if (isServer && !ready && /ready to accept (read-only )?connections/.test(lastWords)) {
      ready = true;
      tell({ event: 'ready', pid: child.pid });
    }
  });
  child.on('close', (code, signal) => resolve({ code, signal }));
  return promise;
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const server = job.commands.at(-1);
for (const command of job.commands) {
  const isServer = command === server;
  const { code, signal } = await run(command, { isServer });
  if (ending) break;
  if (isServer || code !== 0) {
    tell({ event: 'exit', code, signal, lastWords });
    break;
  }
}
