// Whether a process of this machine still runs: temporary files of one that does not are nobody's.

/** A process of another user is one, too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
