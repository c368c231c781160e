// Runs one command as a process and measures it from outside: wall time, the processor time and peak memory of the process with all that
// it starts, and the processor time of the server meanwhile.
import { spawn } from 'node:child_process';
import { interrupted } from './interrupt.js';
import { highWater, readStat, treeOf, treeSeconds } from './process-tree.js';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What is not known (no /proc, a server on another machine) is null, as in JSON. */
export interface Measurement {
  readonly seconds: number;
  /** Processor seconds of the process and all that it started, its threads included; on a machine that others use, too, they say more than
   *  wall time. */
  readonly clientSeconds: number | null;
  /** Processor seconds of all of the server's processes. */
  readonly serverSeconds: number | null;
  /** The most resident memory, in MB of 10^6 bytes: the sum of the peaks of all processes of a pipe or a parallel dump, each with the pages
   *  that it shares. */
  readonly peakMb: number | null;
}

/** @param postmaster process of the server, where it is on this machine
 *  Rejects when the command fails, with the end of what it printed. */
export async function measure({ file, args, env }: Command, postmaster?: number): Promise<Measurement> {
  interrupted.throwIfAborted();
  const clientBefore = readStat('self')?.children;
  const serverBefore = postmaster === undefined ? undefined : treeSeconds(postmaster);
  const started = performance.now();
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'], signal: interrupted });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const peaks = new Map<number, number>();
  const look = (): void => {
    if (child.pid === undefined) return;
    for (const pid of treeOf(child.pid)) {
      const kb = highWater(pid);
      if (kb !== undefined) peaks.set(pid, kb);
    }
  };
  const timer = setInterval(look, 20);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(timer));
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${status}\n${errors}`);
  return {
    seconds,
    // The child was waited for, and with it all that it waited for: exact where looking now and then would miss the end.
    clientSeconds: difference(clientBefore, readStat('self')?.children),
    serverSeconds: difference(serverBefore, postmaster === undefined ? undefined : treeSeconds(postmaster)),
    peakMb: peaks.size === 0 ? null : ([...peaks.values()].reduce((sum, kb) => sum + kb, 0) * 1024) / 1e6,
  };
}

function difference(before: number | undefined, after: number | undefined): number | null {
  return before === undefined || after === undefined ? null : after - before;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
