// Reads the globals of a snapshot, and says what of them stays away.
import type { Catalog } from '../../model/catalog.js';
import type { LeftOut } from '../../model/manifest.js';
import type { Session } from '../../pg/session.js';
import { readGlobals } from '../../schema/globals/read.js';
import type { SnapshotPlan } from './options.js';

export interface SnapshotGlobals {
  /** The part of a catalog: empty where they are not asked for. */
  readonly part: Pick<Catalog, 'globals'>;
  readonly leftOut: readonly LeftOut[];
}

const noPasswords: LeftOut = { kind: 'passwords', name: 'of roles', reason: 'they are secrets: --role-passwords takes their hashes along' };

/** @throws TidemarkError PERMISSION_DENIED where passwords are asked for and the role may not read them */
export async function globalsOf(session: Session, { globals: wanted }: Pick<SnapshotPlan, 'globals'>): Promise<SnapshotGlobals> {
  if (wanted === undefined) return { part: {}, leftOut: [] };
  const { globals, leftOut } = await readGlobals(session, { version: session.version, passwords: wanted.passwords });
  return { part: { globals }, leftOut: wanted.passwords ? leftOut : [...leftOut, noPasswords] };
}
