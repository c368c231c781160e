// Runs the built command as users do: a process with its own environment, its output and exit code.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { patience } from '../server/connect.js';

export const mainPath = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

export interface CliOptions {
  /** Added to an environment that has PATH and a HOME without a .pgpass, and of PG* variables that for patience alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is written to standard input, which is empty otherwise. */
  readonly input?: Uint8Array;
  readonly cwd?: string;
}

export interface CliResult {
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** Resolves with the first event on standard error (with --json) that `wanted` takes; rejects when the process ends without one. */
  event(wanted: (event: JsonLine) => boolean): Promise<JsonLine>;
}

export type JsonLine = Readonly<Record<string, unknown>> & { readonly type: string };

export function startCli(args: readonly string[], { env = {}, cwd, input }: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [mainPath, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...patience, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const watchers = new Set<(event: JsonLine) => void>();
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('{')) for (const watch of watchers) watch(JSON.parse(line) as JsonLine);
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      const bytes = Buffer.concat(out);
      resolve({ stdout: bytes.toString('utf8'), bytes, stderr: Buffer.concat(err).toString('utf8'), exitCode, signal });
    });
  });
  const event = async (wanted: (event: JsonLine) => boolean): Promise<JsonLine> => {
    const found = new Promise<JsonLine>((resolve) => {
      watchers.add((one) => {
        if (wanted(one)) resolve(one);
      });
    });
    const first = await Promise.race([found, ended]);
    if ('type' in first) return first;
    throw new Error(`the command ended before the event came:\n${first.stderr}`);
  };
  return { child, ended, event };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** Every line as JSON; throws where one is none. */
export function jsonLines(text: string): JsonLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonLine);
}
