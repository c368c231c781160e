// Carries out what globals.ts has decided: roles and all that hangs on them in one transaction, then the tablespaces, one by one. No
// statement with a password gets into an error.
import { TidemarkError } from '../model/errors.js';
import type { Globals } from '../model/globals.js';
import { setPassword } from '../pg/globals-sql.js';
import type { Session } from '../pg/session.js';
import { waitForDisk } from './durable.js';
import type { GlobalStatement, GlobalsAction } from './globals.js';
import { restoreError, withoutStatement } from './restore-error.js';

/** @throws TidemarkError RESTORE_FAILED naming the role or tablespace. Then no role was changed, or all were and the tablespaces before
 *  this one are there: running it again goes on from there. */
export async function runGlobals(
  session: Session,
  { statements, tablespaces }: GlobalsAction,
  { roles }: Pick<Globals, 'roles'>,
): Promise<void> {
  const hashes = new Map(roles.map(({ rolname, rolpassword }) => [rolname, rolpassword]));
  const run = async ({ what, text, passwordOf }: GlobalStatement): Promise<void> => {
    const hash = passwordOf === undefined ? undefined : hashes.get(passwordOf);
    if (passwordOf !== undefined && hash == null) throw new TidemarkError('INTERNAL', `restore ${what}: its password is not there`);
    try {
      await session.query(passwordOf === undefined || hash == null ? text : setPassword(passwordOf, hash));
    } catch (error) {
      throw restoreError(passwordOf === undefined ? error : withoutStatement(error), what);
    }
  };
  await inTransaction(session, statements, run);
  for (const { create, properties } of tablespaces) {
    for (const statement of create) await run(statement);
    await inTransaction(session, properties, run);
  }
}

async function inTransaction(
  session: Session,
  statements: readonly GlobalStatement[],
  run: (statement: GlobalStatement) => Promise<void>,
): Promise<void> {
  if (statements.length === 0) return;
  await session.query('BEGIN');
  try {
    for (const statement of statements) await run(statement);
    // What comes then may wait for the disk, and names these roles.
    await session.query(waitForDisk);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
