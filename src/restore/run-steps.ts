// Runs steps one after the other on one session. Many go to the server together, as one transaction: each alone waits for the answer to the one
// before, and commits. A failure names the object all the same: those that went with it are undone, and go alone then.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import type { Session } from '../pg/session.js';
import type { Statement } from './plan-drops.js';
import { describeObject, restoreError, withoutStatement } from './restore-error.js';
import { withSavepoint } from './savepoint.js';

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runStep(session: Session, catalog: Catalog, step: Step): Promise<void> {
  const object = catalog.objects[step.object];
  for (const text of step.statements) {
    try {
      await session.query(text);
    } catch (error) {
      const facet = step.facet === 'definition' ? '' : `${step.facet.replace('-', ' ')} of `;
      const what = `${facet}${object === undefined ? `object ${step.object}` : describeObject(object)}`;
      throw restoreError(isConfidential(object) ? withoutStatement(error) : error, what);
    }
  }
}

/** Statements that may hold a password. */
function isConfidential(object: CatalogObject | undefined): boolean {
  return object?.kind === 'user mapping' || object?.kind === 'subscription';
}

export interface RunSteps {
  readonly catalog: Catalog;
  readonly steps: readonly Step[];
  /** A transaction is open. */
  readonly inTransaction: boolean;
}

/** What goes together: more would take no less time, and would hold more locks at once. */
const [mostSteps, mostCharacters] = [100, 64 << 10];

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runSteps(session: Session, { catalog, steps, inTransaction }: RunSteps): Promise<void> {
  for (const batch of inBatches(steps)) {
    if (await runTogether(session, batch, inTransaction)) continue;
    for (const step of batch) await runStep(session, catalog, step);
  }
}

function inBatches(steps: readonly Step[]): Step[][] {
  const batches: Step[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const step of steps) {
    const last = batches.at(-1);
    const more = step.statements.reduce((sum, { length }) => sum + length, 0);
    characters += more;
    if (last !== undefined && last.length < mostSteps && characters <= mostCharacters) last.push(step);
    else {
      batches.push([step]);
      characters = more;
    }
  }
  return batches;
}

/** Not one step by itself, however many statements it has: that may be long work, which would be done again after a failure.
 *  @returns false where nothing was done: each is to be run alone, which does what cannot be done in a transaction, or tells what fails */
async function runTogether(session: Session, steps: readonly Step[], inTransaction: boolean): Promise<boolean> {
  if (steps.length < 2) return false;
  const texts = steps.flatMap(({ statements }) => statements);
  try {
    await withSavepoint(session, inTransaction, () => session.queryTogether(texts));
    return true;
  } catch {
    return false;
  }
}

/** Drops and truncations. @throws TidemarkError RESTORE_FAILED naming the object */
export async function runStatements(session: Session, verb: 'drop' | 'truncate', statements: readonly Statement[]): Promise<void> {
  for (const { object, text } of statements) {
    try {
      await session.query(text);
    } catch (error) {
      const what = verb === 'drop' ? describeObject(object) : 'the chosen tables';
      throw restoreError(error, `${what} (${verb})`);
    }
  }
}
