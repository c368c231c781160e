// Which machine this is, as far as numbers of processes go: the same text where they mean the same processes. Names of hosts do not tell:
// containers share them, and count processes each for itself.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Since the last boot. https://man7.org/linux/man-pages/man7/pid_namespaces.7.html */
export function thisMachine(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
