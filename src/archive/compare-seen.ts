// Compares the members that came by with those that the manifest lists: needed where the manifest comes last, from a pipe, and by the
// writer to check itself. Pure.
import { manifestMember } from '../frame/member-names.js';
import { TidemarkError } from '../model/errors.js';
import type { Manifest, StoredMember } from '../model/manifest.js';
import { membersOf } from './layout.js';

function differ(what: string, member?: StoredMember): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `compare the members with the manifest: ${what}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
    details: member === undefined ? {} : { member: member.member, offset: member.offset },
  });
}

function sameFrames(one: StoredMember['frames'], other: StoredMember['frames']): boolean {
  return (
    one.length === other.length && one.every(({ compressed, raw }, at) => compressed === other[at]?.compressed && raw === other[at]?.raw)
  );
}

/**
 * Throws ARCHIVE_CORRUPT unless exactly the members of the manifest were seen, each with the offset, sizes and hash that it says.
 * `seen`: in the order of the archive; the manifest's own member may be among them.
 */
export function compareSeen(manifest: Manifest, seen: readonly StoredMember[]): void {
  const listed = membersOf(manifest);
  const came = seen.filter(({ member }) => member !== manifestMember);
  for (const [at, expected] of listed.entries()) {
    const found = came[at];
    if (found === undefined) throw differ(`member ${expected.member} is missing`, expected);
    if (found.member !== expected.member) throw differ(`member ${found.member} is where ${expected.member} should be`, found);
    for (const key of ['offset', 'length', 'rawBytes', 'sha256'] as const) {
      if (found[key] !== expected[key]) throw differ(`member ${found.member} has ${key} ${found[key]}, not ${expected[key]}`, found);
    }
    if (!sameFrames(found.frames, expected.frames)) throw differ(`member ${found.member} has frames of other sizes`, found);
  }
  const extra = came[listed.length];
  if (extra !== undefined) throw differ(`member ${extra.member} is not in the manifest`, extra);
}
