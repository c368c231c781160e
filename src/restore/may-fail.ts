// A step whose failure need not end the restore: it leaves nothing behind, in a transaction or outside of one.
import type { Catalog, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';
import { runStep } from './run-steps.js';

export interface MayFail {
  readonly catalog: Catalog;
  readonly inTransaction: boolean;
}

/** @returns why it failed; undefined where it did not
 *  @throws TidemarkError where it was not the server that refused */
export async function tryStep(session: Session, step: Step, { catalog, inTransaction }: MayFail): Promise<TidemarkError | undefined> {
  if (inTransaction) await session.query('SAVEPOINT tidemark_step');
  try {
    await runStep(session, catalog, step);
    if (inTransaction) await session.query('RELEASE SAVEPOINT tidemark_step');
    return undefined;
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'RESTORE_FAILED') throw error;
    if (inTransaction) await session.query('ROLLBACK TO SAVEPOINT tidemark_step');
    return error;
  }
}
