// Runs steps: one after the other on one session, or several at a time on several as schedule.ts allows. Each statement goes alone
// through the extended protocol; a failure names the object.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { Session } from '../pg/session.js';
import { dropLeniently, needsLeniency } from './lenient-children.js';
import type { Statement } from './plan.js';
import { describeObject, restoreError, withoutStatement } from './restore-error.js';
import { createSchedule } from './schedule.js';

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

export interface ParallelSteps {
  readonly catalog: Catalog;
  readonly steps: readonly Step[];
  /** Size of a relation by object id: work on the largest begins first. */
  readonly weightOf: (relation: number) => bigint;
}

/** Steps that may still be waiting, for each session, when index builds begin to get a parallel worker of the server's each: before, the
 *  other sessions use the processors; towards the end a long build would leave them idle. */
const tailSteps = 2;

/** Every session takes the next step that may run; waits while there is none. After a failure nothing new is begun.
 *  @throws TidemarkError RESTORE_FAILED of the first step that failed, at once: others may still be running */
export async function runParallel(sessions: readonly Session[], { catalog, steps, weightOf }: ParallelSteps): Promise<void> {
  const schedule = createSchedule(catalog, steps, weightOf);
  const idle = new Set<() => void>();
  let running = 0;
  let failed = false;
  const wake = () => {
    for (const resume of idle) resume();
    idle.clear();
  };
  const work = async (session: Session): Promise<void> => {
    while (schedule.waiting > 0 && !failed) {
      const step = schedule.take();
      if (step === undefined) {
        if (running === 0) throw new TidemarkError('INTERNAL', `restore ${schedule.waiting} steps: each waits for another one`);
        await new Promise<void>((resume) => idle.add(resume));
        continue;
      }
      running += 1;
      const tail = sessions.length > 1 && schedule.waiting <= tailSteps * sessions.length;
      try {
        if (tail) await session.query('SET max_parallel_maintenance_workers = 1');
        await runStep(session, catalog, step);
        schedule.finish(step);
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        running -= 1;
        wake();
      }
    }
  };
  await Promise.all(sessions.map(work));
}
