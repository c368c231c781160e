// Runs one command as a process and measures it from outside: wall time, and the highest resident memory and the processor time of that
// process as Linux reports them (VmHWM of /proc/<pid>/status, /proc/<pid>/stat; read until the process ends).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measurement {
  readonly seconds: number;
  /** Peak resident memory in MB; undefined where /proc is not there. */
  readonly peakMb: number | undefined;
  /** Of all its threads, not of the server; on a machine that others use, too, it says more than wall time. */
  readonly processorSeconds: number | undefined;
}

/** Rejects when the command fails, with the end of what it printed. */
export async function measure(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Measurement> {
  const started = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  let peakKb: number | undefined;
  let processorSeconds: number | undefined;
  const timer = setInterval(() => {
    peakKb = highWater(child.pid) ?? peakKb;
    processorSeconds = processorTime(child.pid) ?? processorSeconds;
  }, 20);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(timer));
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${errors}`);
  return { seconds: (performance.now() - started) / 1000, peakMb: peakKb === undefined ? undefined : peakKb / 1024, processorSeconds };
}

function highWater(pid: number | undefined): number | undefined {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** Fields 14 and 15 of /proc/<pid>/stat, utime and stime, in the ticks of a hundredth of a second that Linux shows everywhere; the name
 *  before them may have any character but ends at the last parenthesis. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function processorTime(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
