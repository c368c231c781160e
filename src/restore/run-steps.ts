// Runs steps one after the other on one session. Each statement goes alone through the extended protocol; a failure names the object.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import type { Session } from '../pg/session.js';
import { dropLeniently, needsLeniency } from './lenient-children.js';
import type { Statement } from './plan-drops.js';
import { describeObject, restoreError, withoutStatement } from './restore-error.js';

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

export async function runSteps(session: Session, catalog: Catalog, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await runStep(session, catalog, step);
}

/** What comes before the rows. */
export async function runPreData(session: Session, { catalog, steps, emit }: PreData): Promise<void> {
  const later: { readonly step: Step; readonly text: string }[] = [];
  for (const step of steps) {
    const lenient = step.statements.filter((text) => needsLeniency(session, text));
    await runStep(session, catalog, { ...step, statements: step.statements.filter((text) => !lenient.includes(text)) });
    later.push(...lenient.map((text) => ({ step, text })));
  }
  for (const { step, text } of later) {
    const { statements, told } = await dropLeniently(session, text);
    await runStep(session, catalog, { ...step, statements });
    for (const message of told) emit({ type: 'notice', message });
  }
}

export interface PreData {
  readonly catalog: Catalog;
  readonly steps: readonly Step[];
  readonly emit: EventListener;
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
