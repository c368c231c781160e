// Runs steps one after the other on one session. Where one may, many statements go in one message and one transaction: each alone waits for
// the answer to the one before, and commits. A failure names the object all the same: those of its message are undone, and then go alone.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import { quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { dropLeniently, needsLeniency } from './lenient-children.js';
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
  /** Every statement goes alone through the extended protocol, in which the server refuses a text that holds two: for archives that are not
   *  trusted. */
  readonly alone: boolean;
}

/** What one message takes: more would take no less time, and would hold more locks at once. */
const [mostSteps, mostCharacters] = [100, 64 << 10];

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runSteps(session: Session, { catalog, steps, inTransaction, alone }: RunSteps): Promise<void> {
  for (const batch of alone ? steps.map((step) => [step]) : inBatches(steps)) {
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

/** @returns false where nothing was done: each is to be run alone, which does what cannot be done in a transaction, or tells what fails */
async function runTogether(session: Session, steps: readonly Step[], inTransaction: boolean): Promise<boolean> {
  const texts = steps.flatMap(({ statements }) => statements);
  if (texts.length < 2) return false;
  try {
    await withSavepoint(session, inTransaction, () => session.queryTogether(texts));
    return true;
  } catch {
    return false;
  }
}

/** What comes before the rows. */
export async function runPreData(session: Session, { emit, ...work }: PreData): Promise<void> {
  const { catalog } = work;
  const later: { readonly step: Step; readonly text: string }[] = [];
  const steps: Step[] = [];
  const isDone = await ownersByThemselves(session, work.steps);
  for (const step of work.steps) {
    if (isDone(step)) continue;
    const lenient = step.statements.filter((text) => needsLeniency(session, text));
    if (lenient.length === 0) steps.push(step);
    else {
      const statements = step.statements.filter((text) => !lenient.includes(text));
      if (statements.length > 0) steps.push({ ...step, statements });
      later.push(...lenient.map((text) => ({ step, text })));
    }
  }
  await runSteps(session, { ...work, steps });
  for (const { step, text } of later) {
    const { statements, told } = await dropLeniently(session, text);
    await runStep(session, catalog, { ...step, statements });
    for (const message of told) emit({ type: 'notice', message });
  }
}

export interface PreData extends RunSteps {
  readonly emit: EventListener;
}

/** Which steps only say that what this session makes is its own. Event triggers may have given it to somebody else. */
async function ownersByThemselves(session: Session, steps: readonly Step[]): Promise<(step: Step) => boolean> {
  const { role, fires } = await session.one<{ role: string; fires: boolean }>(
    `SELECT current_user AS role, EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D') AS fires`,
  );
  if (fires) return () => false;
  const made = new Set(steps.flatMap(({ object, facet }) => (facet === 'definition' ? [object] : [])));
  const end = ` OWNER TO ${quoteIdentifier(role)}`;
  return ({ object, facet, statements }) => facet === 'owner' && made.has(object) && statements.every((text) => text.endsWith(end));
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
