// Fills materialized views. One that reads foreign tables needs another server, with a password that the archive need not have: where
// that fails the view stays empty, as it can be refreshed later, and is told; every other failure ends the restore.
import type { Catalog, Step } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import type { Session } from '../pg/session.js';
import { tryStep } from './may-fail.js';
import { runStep } from './run-steps.js';

/** The steps that need a foreign table, through however many views. Functions may hide others; nobody can tell. */
export function readingForeign({ objects, steps }: Pick<Catalog, 'objects' | 'steps'>): ReadonlySet<Step> {
  const reading = new Set<Step>();
  // Needs have smaller ids.
  for (const step of steps) {
    const isForeign = objects[step.object]?.kind === 'foreign table';
    if (isForeign || step.needs.some((need) => reading.has(steps[need] as Step))) reading.add(step);
  }
  return reading;
}

export interface Refreshes {
  readonly catalog: Catalog;
  readonly steps: readonly Step[];
  readonly inTransaction: boolean;
  readonly emit: EventListener;
}

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runRefreshes(session: Session, { catalog, steps, inTransaction, emit }: Refreshes): Promise<void> {
  const foreign = readingForeign(catalog);
  for (const step of steps) {
    if (step.facet !== 'refresh' || !foreign.has(step)) {
      await runStep(session, catalog, step);
      continue;
    }
    const failure = await tryStep(session, step, { catalog, inTransaction });
    if (failure !== undefined) {
      emit({ type: 'notice', message: `${failure.message}; it reads foreign tables: refresh it when their server can be reached` });
    }
  }
}
