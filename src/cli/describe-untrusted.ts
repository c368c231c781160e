// What of an untrusted archive runs code, as lines for people.
import type { Suspect, UntrustedReport } from '../app/restore/untrusted.js';
import { printable } from '../model/printable.js';
import { formatCounted } from '../model/units.js';

/** Each object with its reason and SQL, or only how many there are: they were told one by one when the restore began. */
export function describeUntrusted({ leftOut, allowed }: UntrustedReport, { sql }: { readonly sql: boolean }): string[] {
  const out = leftOut.length === 0 ? 'nothing is left out: it is all plain' : `left out of it: ${formatCounted(leftOut.length, 'part')}`;
  const rest = allowed.length === 0 ? '' : `; in because it is allowed: ${formatCounted(allowed.length, 'object')}`;
  const head = `an untrusted archive; ${out}${rest}`;
  if (!sql) return [head];
  return [
    head,
    ...leftOut.flatMap((suspect) => describeSuspect('left out', suspect)),
    ...allowed.flatMap((suspect) => describeSuspect('allowed', suspect)),
    '',
  ];
}

function describeSuspect(word: string, { kind, name, reason, statements }: Suspect): string[] {
  return [`${word}: ${printable(kind)} ${printable(name)}: ${printable(reason)}`, ...statements.map((text) => `    ${printable(text)}`)];
}
