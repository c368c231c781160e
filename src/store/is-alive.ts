// Whether a process of this machine still runs: temporary files of one that does not are nobody's.
import { readFileSync } from 'node:fs';

/** A process of another user is one, too; one that has ended, and that nobody has asked after yet, is none: where the first process of a container
 *  asks after nobody, it stays in the list for good. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !hasEnded(pid);
}

/** By what Linux tells; elsewhere nothing is told. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return ['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
