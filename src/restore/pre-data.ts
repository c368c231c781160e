// What comes before the rows: in order on one session, but for many steps of tables and sequences on end, which several sessions do. What is so
// already is not said again, and what can only be done once all tables are there waits for that.
import type { Catalog, Step } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import { quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { dropLeniently, needsLeniency } from './lenient-children.js';
import { ParallelSteps } from './parallel-steps.js';
import { type RunSteps, runStep, runSteps } from './run-steps.js';
import { topOf } from './schedule.js';
import { Slots } from './slots.js';

export interface PreData extends RunSteps {
  /** The sessions that may work at once, `session` among them. */
  readonly crew: () => Promise<readonly Session[]>;
  readonly emit: EventListener;
}

/** Steps that are worth further sessions. */
const manySteps = 200;

/** @throws TidemarkError RESTORE_FAILED naming the object */
export async function runPreData(session: Session, { emit, crew, ...work }: PreData): Promise<void> {
  const { catalog, inTransaction } = work;
  const { steps, later } = await settle(session, work.steps);
  for (const part of inParts(catalog, steps)) {
    const isForSeveral = part.isOfRelations && part.steps.length >= manySteps && !inTransaction;
    if (isForSeveral) await runSideBySide(await crew(), { ...work, steps: part.steps });
    else await runSteps(session, { ...work, steps: part.steps });
  }
  for (const { step, text } of later) {
    const { statements, told } = await dropLeniently(session, text);
    await runStep(session, catalog, { ...step, statements });
    for (const message of told) emit({ type: 'notice', message });
  }
}

interface Settled {
  /** In their order. */
  readonly steps: readonly Step[];
  /** Statements for `dropLeniently`. */
  readonly later: readonly { readonly step: Step; readonly text: string }[];
}

async function settle(session: Session, all: readonly Step[]): Promise<Settled> {
  const isSo = await ownersByThemselves(session, all);
  const steps = all.filter((step) => !isSo(step));
  const isLater = (text: string): boolean => needsLeniency(session, text);
  return {
    steps: steps.flatMap((step) => {
      const statements = step.statements.filter((text) => !isLater(text));
      return statements.length === 0 ? [] : [{ ...step, statements }];
    }),
    later: steps.flatMap((step) => step.statements.filter(isLater).map((text) => ({ step, text }))),
  };
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

interface Part {
  readonly isOfRelations: boolean;
  readonly steps: Step[];
}

/** Cut where steps of tables and sequences begin and end. These need nothing but what their needs say. Of others it also matters what comes
 *  before them that no server says: a view may need a cast. */
function inParts(catalog: Catalog, steps: readonly Step[]): readonly Part[] {
  const parts: Part[] = [];
  for (const step of steps) {
    const kind = topOf(catalog, step.object)?.kind;
    const isOfRelations = kind === 'table' || kind === 'sequence';
    const last = parts.at(-1);
    if (last?.isOfRelations === isOfRelations) last.steps.push(step);
    else parts.push({ isOfRelations, steps: [step] });
  }
  return parts;
}

/** All are begun after all that came before, and done before any that comes after. */
async function runSideBySide(sessions: readonly Session[], work: RunSteps): Promise<void> {
  const parallel = new ParallelSteps({ ...work, weightOf: () => 0n, wholeTrees: true, slots: new Slots(sessions.length) });
  parallel.use(sessions);
  await parallel.finish();
}
