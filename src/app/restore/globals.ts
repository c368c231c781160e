// The globals of a restore: what the archive has, what the target has, and what is to be done about the difference. Only looks.

import { TidemarkError } from '../../model/errors.js';
import type { Globals } from '../../model/globals.js';
import type { Session } from '../../pg/session.js';
import { type GlobalsAction, planGlobals } from '../../restore/globals.js';
import { mayReadPasswords, readGlobals } from '../../schema/globals/read.js';

/** @throws TidemarkError USAGE where the archive has none */
export async function planGlobalsOn(session: Session, wanted: Globals | undefined): Promise<GlobalsAction> {
  if (wanted === undefined) {
    throw new TidemarkError('USAGE', 'restore: the archive has no globals', { hint: 'take the snapshot with --globals, or go without' });
  }
  const hasPasswords = wanted.roles.some(({ rolpassword }) => rolpassword != null);
  // Those that cannot be read are set again.
  const passwords = hasPasswords && (await mayReadPasswords(session));
  const { globals } = await readGlobals(session, { version: session.version, passwords });
  const { login, current } = await session.one<{ login: string; current: string }>('SELECT session_user AS login, current_user AS current');
  return planGlobals(wanted, { globals, connected: [login, current] });
}
