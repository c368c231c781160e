// A step whose failure need not end the restore.
import type { Catalog, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';
import { runStep } from './run-steps.js';
import { withSavepoint } from './savepoint.js';

export interface MayFail {
  readonly catalog: Catalog;
  readonly inTransaction: boolean;
}

/** @returns why it failed; undefined where it did not
 *  @throws TidemarkError where it was not the server that refused */
export async function tryStep(session: Session, step: Step, { catalog, inTransaction }: MayFail): Promise<TidemarkError | undefined> {
  try {
    await withSavepoint(session, inTransaction, () => runStep(session, catalog, step));
    return undefined;
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'RESTORE_FAILED') return error;
    throw error;
  }
}
