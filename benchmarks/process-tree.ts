// What Linux says of processes, in /proc: memory and processor time of one and of all below it. Where there is no /proc, nothing is known.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
import { readFileSync } from 'node:fs';

/** Fields of /proc/<pid>/stat. */
interface Stat {
  readonly parent: number;
  /** In user and system mode, in seconds: its own, */
  readonly own: number;
  /** and that of its children that have ended and were waited for, with theirs. */
  readonly children: number;
}

/** Linux shows hundredths of a second everywhere. */
const ticksPerSecond = 100;

export function readStat(pid: number | 'self'): Stat | undefined {
  const text = read(pid, 'stat');
  if (text === undefined) return undefined;
  // The name before them may have any character but ends at the last parenthesis. Field 3, the state, comes first after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), own: (field(14) + field(15)) / ticksPerSecond, children: (field(16) + field(17)) / ticksPerSecond };
}

/** The process and all below it, as far as their main threads started them. */
export function treeOf(pid: number): readonly number[] {
  const children = read(pid, `task/${pid}/children`)?.trim().split(' ') ?? [];
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => treeOf(Number(child)))];
}

/** The most memory that a process had at once, in kB. */
export function highWater(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(read(pid, 'status') ?? '');
  return match ? Number(match[1]) : undefined;
}

/** Processor time of a process and all below it, in seconds, those included that have ended: two of these, one before the work and one
 *  after it, differ by what the work took. */
export function treeSeconds(pid: number): number | undefined {
  const stats = treeOf(pid).map(readStat);
  if (stats[0] === undefined) return undefined;
  return stats.reduce((sum, stat) => sum + (stat?.own ?? 0) + (stat?.children ?? 0), 0);
}

/** The arguments of a process, or the title that it gave itself. */
export function titleOf(pid: number): string {
  return (read(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim();
}

function read(pid: number | 'self', file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
