// Grants. Some are on what the archive does not make: objects of the server's own and members of extensions, which another version need
// not have (pg_start_backup went with 15). There is nothing then to have a privilege on, which is told; every other failure ends the restore.
import type { Step } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import type { Session } from '../pg/session.js';
import { tryStep } from './may-fail.js';
import { describeObject } from './restore-error.js';
import { type RunSteps, runSteps } from './run-steps.js';

/** Undefined function, object, table, column. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const missing: ReadonlySet<unknown> = new Set(['42883', '42704', '42P01', '42703']);

export interface Privileges extends RunSteps {
  readonly emit: EventListener;
}

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runPrivileges(session: Session, { emit, ...work }: Privileges): Promise<void> {
  const { catalog, steps, inTransaction } = work;
  const { objects } = catalog;
  const made = new Set(catalog.steps.flatMap(({ object, facet }) => (facet === 'definition' ? [object] : [])));
  const isElsewhere = (id: number): boolean => {
    const parent = objects[id]?.parent;
    return !made.has(id) && (parent === undefined || objects[parent]?.kind === 'extension');
  };
  let ours: Step[] = [];
  for (const step of steps) {
    const object = objects[step.object];
    if (object === undefined || !isElsewhere(step.object)) {
      ours.push(step);
      continue;
    }
    await runSteps(session, { ...work, steps: ours });
    ours = [];
    const failure = await tryStep(session, step, { catalog, inTransaction });
    if (failure === undefined) continue;
    if (!missing.has(failure.details.sqlstate)) throw failure;
    const reason = `the server has no such object: ${failure.message.replace(/^restore privilege of [^:]*: /, '')}`;
    emit({ type: 'notice', message: `privileges on ${describeObject(object)} are left out: ${reason}` });
  }
  await runSteps(session, { ...work, steps: ours });
}
