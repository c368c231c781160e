// With --skip-unsupported: which steps cannot run because something that they need is of a kind we do not know (an index with a
// user-defined operator class), and everything that hangs on them. Pure.
import type { LeftOut } from '../model/manifest.js';
import type { Key, ObjectDraft, StepDraft } from './kind.js';

/** A step with its object and with the keys of the steps that it needs, resolved. */
export interface DraftStep {
  readonly object: ObjectDraft;
  readonly step: StepDraft;
  readonly needs: readonly Key[];
  /** Why it cannot run at all: the description of what is missing. */
  readonly missing?: string;
}

export interface Reduced {
  readonly steps: readonly DraftStep[];
  /** Keys of the steps that are not among `steps`. */
  readonly gone: ReadonlySet<Key>;
  /** Keys of objects that are not made. */
  readonly goneObjects: ReadonlySet<Key>;
  readonly leftOut: readonly LeftOut[];
}

/** `Split.cost` of a generated column. */
export const generatedCost = 6;

/** `"public"."t"` of `TABLE "public"."t"` */
export function nameOf({ ddl }: ObjectDraft): string {
  return ddl.replace(/^(?:[A-Z]+ )+/, '');
}

/** Takes out what cannot run. A folded step goes alone (a table without that default), except a generated column, which a table cannot
 *  be without. */
export function leaveOut(steps: readonly DraftStep[]): Reduced {
  if (!steps.some(({ missing }) => missing !== undefined)) return { steps, gone: new Set(), goneObjects: new Set(), leftOut: [] };
  const byKey = new Map(steps.map((draft) => [draft.step.key, draft]));
  const users = new Map<Key, Key[]>();
  const use = (need: Key, user: Key): void => {
    const list = users.get(need);
    if (list) list.push(user);
    else users.set(need, [user]);
  };
  for (const { step, needs } of steps) {
    for (const need of needs) use(need, step.key);
    if (step.inlineInto === undefined) continue;
    use(step.inlineInto, step.key);
    if (step.split?.cost === generatedCost) use(step.key, step.inlineInto);
  }
  const reasons = new Map<Key, string>();
  const queue: Key[] = [];
  for (const { step, missing } of steps) {
    if (missing === undefined) continue;
    reasons.set(step.key, `it needs ${missing}`);
    queue.push(step.key);
  }
  for (let at = 0; at < queue.length; at += 1) {
    const gone = queue[at];
    const draft = gone === undefined ? undefined : byKey.get(gone);
    if (gone === undefined || !draft) continue;
    for (const user of users.get(gone) ?? []) {
      if (reasons.has(user)) continue;
      reasons.set(user, `it needs ${draft.object.ddl}, which is left out`);
      queue.push(user);
    }
  }
  const goneObjects = new Set<Key>();
  const leftOut: LeftOut[] = [];
  for (const { object, step } of steps) {
    const reason = reasons.get(step.key);
    if (reason === undefined) continue;
    if (step.key === object.key) {
      goneObjects.add(object.key);
      leftOut.push({ kind: object.kind, name: nameOf(object), reason });
    } else if (!reasons.has(object.key)) {
      leftOut.push({ kind: object.kind, name: `${nameOf(object)} (${step.key.slice(step.key.indexOf('/') + 1)})`, reason });
    }
  }
  return { steps: steps.filter(({ step }) => !reasons.has(step.key)), gone: new Set(reasons.keys()), goneObjects, leftOut };
}
