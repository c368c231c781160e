// Which post-data steps may run at the same time: pure. Edges are the steps' needs; beyond them, locks: CREATE INDEX shares its table
// with other CREATE INDEX, everything else has its tables alone, or two of them could wait for each other in a circle.
// (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES)
// Indexes of a large table may be made as soon as its rows are there; everything else waits for the rows of all tables.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import { ReadySteps } from './ready-steps.js';

/** Relations by id, and whether the step keeps others than its like away from them. */
interface Locks {
  readonly relations: ReadonlySet<number>;
  readonly shared: boolean;
}

/** Hands out steps. `take` gives one that may run now, and where it is a light one up to `most` of these, which may all be one transaction; or
 *  none. `finish` is to be called for each when it is done. */
export interface Schedule {
  take(most: number): readonly Step[];
  finish(step: Step): void;
  /** The rows of a relation are there: one of those that were awaited. */
  arrive(relation: number): void;
  /** Steps that were not taken yet. */
  readonly waiting: number;
  /** Rows are still to come. */
  readonly awaitsRows: boolean;
}

/** Bytes of rows that make a table a large one: its indexes begin while others are loaded, and are made side by side; autovacuum is kept away. */
export const largeBytes = 8n << 20n;

/** Steps on no more bytes of rows take about as long as to ask for them. */
const fewBytes = 256n << 10n;

/** Stands for rows that go nobody knows where: through a partitioned table. */
export const anyRelation = -1;

export interface ScheduleOptions {
  /** Bytes of a relation's rows, by object id: work on the largest begins first. */
  readonly weightOf: (relation: number) => bigint;
  /** Relations whose rows are still to come, as often as they come. */
  readonly awaiting?: Iterable<number> | undefined;
  /** One session at a time has all of a tree of tables, and does many steps on it in one transaction; else steps on trees go one by one, also
   *  several at once: so it is where they may be long work. */
  readonly wholeTrees?: boolean | undefined;
}

export function createSchedule(
  catalog: Catalog,
  steps: readonly Step[],
  { weightOf, awaiting = [], wholeTrees = false }: ScheduleOptions,
): Schedule {
  const trees = treesOf(catalog);
  const treesIn = (step: Step, relations: Iterable<number>): number[] =>
    makesPartition(catalog, step) ? [] : [...relations].flatMap((relation) => trees.get(relation) ?? []);
  const locks = new Map<number, Locks>();
  const weighed = steps.map((step) => {
    const { relations, shared } = locksOf(catalog, step);
    const inTrees = treesIn(step, relations);
    locks.set(step.id, { relations: wholeTrees ? new Set([...relations, ...inTrees]) : relations, shared });
    const weight = heaviest(relations, weightOf);
    return { step, weight, light: weight <= fewBytes && (wholeTrees || inTrees.length === 0) };
  });
  weighed.sort((a, b) => (a.weight === b.weight ? a.step.id - b.step.id : a.weight < b.weight ? 1 : -1));
  const order = weighed.map(({ step }) => step);
  const light = new Set(weighed.flatMap((one) => (one.light ? [one.step] : [])));
  const running = new Map<number, Locks>();
  const rows = awaitRows(catalog, order, { locks, weightOf, awaiting });
  const ready = new ReadySteps(order, (step) => !rows.isAwaitedBy(step));
  return {
    take(most) {
      const taken: Step[] = [];
      // What is taken together is done one after the other, and is in nobody's way among itself.
      const others = [...running.values()];
      for (const step of ready.steps()) {
        if (taken.length > 0 && !light.has(step)) continue;
        const wanted = locks.get(step.id) as Locks;
        if (conflicts(wanted, others)) continue;
        running.set(step.id, wanted);
        taken.push(step);
        if (taken.length >= most || !light.has(step)) break;
      }
      ready.take(taken);
      return taken;
    },
    finish(step) {
      running.delete(step.id);
      ready.finish(step);
    },
    arrive(relation) {
      for (const step of rows.arrive(relation)) ready.allow(step);
    },
    get waiting() {
      return ready.waiting;
    },
    get awaitsRows() {
      return rows.areAwaited;
    },
  };
}

/** The trees that parents and children, partitions among them, are in: by relation a number, which is that of no relation. What is done to one
 *  locks others of its tree, in an order that only the server knows: a transaction that keeps several locks would wait in a circle with another. */
function treesOf({ objects }: Pick<Catalog, 'objects'>): ReadonlyMap<number, number> {
  const above = new Map<number, number>();
  const top = (relation: number): number => {
    let at = relation;
    for (let next = above.get(at); next !== undefined && next !== at; next = above.get(at)) at = next;
    above.set(relation, at);
    return at;
  };
  for (const { id, partitionOf, inherits = [] } of objects) {
    for (const parent of partitionOf === undefined ? inherits : [partitionOf, ...inherits]) above.set(top(id), top(parent));
  }
  return new Map([...above.keys()].map((relation) => [relation, -2 - top(relation)]));
}

/** Makes a table by itself that is put into its tree by another step. */
function makesPartition({ objects }: Pick<Catalog, 'objects'>, { object, statements }: Step): boolean {
  return objects[object]?.partitionOf !== undefined && /^CREATE (FOREIGN |UNLOGGED )?TABLE /.test(statements[0] ?? '');
}

interface AwaitedRows {
  readonly areAwaited: boolean;
  isAwaitedBy(step: Step): boolean;
  /** @returns the steps that have all their rows by that, in their order */
  arrive(relation: number): readonly Step[];
}

/** Which steps have to wait for which rows: an index of a large table for those, everything else for all. */
function awaitRows(
  catalog: Catalog,
  order: readonly Step[],
  {
    locks,
    weightOf,
    awaiting,
  }: {
    readonly locks: ReadonlyMap<number, Locks>;
    readonly weightOf: (relation: number) => bigint;
    readonly awaiting: Iterable<number>;
  },
): AwaitedRows {
  const awaited = new Map<number, number>();
  for (const relation of awaiting) awaited.set(relation, (awaited.get(relation) ?? 0) + 1);
  const early = new Map<number, Step[]>();
  const late = new Set<Step>();
  for (const step of awaited.size === 0 ? [] : order) {
    const relations = [...(locks.get(step.id)?.relations ?? [])];
    const [relation] = relations;
    const isAlone = relation !== undefined && relations.length === 1 && weightOf(relation) >= largeBytes;
    if (!isAlone || awaited.has(anyRelation) || !isOfItsTable(catalog, step)) late.add(step);
    else if (awaited.has(relation)) early.set(relation, [...(early.get(relation) ?? []), step]);
  }
  const waitingEarly = new Set([...early.values()].flat());
  return {
    get areAwaited() {
      return awaited.size > 0;
    },
    isAwaitedBy: (step) => late.has(step) || waitingEarly.has(step),
    arrive(relation) {
      const others = (awaited.get(relation) ?? 0) - 1;
      if (others > 0) {
        awaited.set(relation, others);
        return [];
      }
      awaited.delete(relation);
      const ready = early.get(relation) ?? [];
      early.delete(relation);
      if (awaited.size > 0) return ready;
      const rest = [...ready, ...late];
      late.clear();
      return rest;
    },
  };
}

function conflicts(wanted: Locks, running: Iterable<Locks>): boolean {
  for (const held of running) {
    if (held.shared && wanted.shared) continue;
    for (const relation of wanted.relations) if (held.relations.has(relation)) return true;
  }
  return false;
}

function heaviest(relations: ReadonlySet<number>, weightOf: (relation: number) => bigint): bigint {
  let weight = 0n;
  for (const relation of relations) if (weightOf(relation) > weight) weight = weightOf(relation);
  return weight;
}

/** The relation that the step's object hangs on, and those of everything that it needs (a foreign key: both tables). */
export function locksOf(catalog: Catalog, step: Step): Locks {
  const relations = new Set<number>();
  for (const object of [step.object, ...step.needs.map((need) => catalog.steps[need]?.object ?? -1)]) {
    const top = topOf(catalog, object);
    if (top !== undefined && relationKinds.has(top.kind)) relations.add(top.id);
  }
  return { relations, shared: isIndexBuild(step) };
}

const relationKinds: ReadonlySet<string> = new Set(['table', 'view', 'materialized view', 'foreign table', 'sequence']);

/** The object that one of its parts belongs to, or itself. */
export function topOf(catalog: Pick<Catalog, 'objects'>, id: number): CatalogObject | undefined {
  let object = catalog.objects[id];
  while (object?.parent !== undefined) object = catalog.objects[object.parent];
  return object;
}

/** An index or a constraint of nothing but rows of its own table. Where it calls a function, that may read others, whatever it says of itself. */
function isOfItsTable(catalog: Catalog, { object, needs }: Step): boolean {
  const kindOf = (id: number): string => catalog.objects[id]?.kind ?? '';
  return (
    ['index', 'constraint'].includes(kindOf(object)) && needs.every((need) => kindOf(catalog.steps[need]?.object ?? -1) !== 'function')
  );
}

/** Nothing but CREATE INDEX (and the SET of a tablespace around it). */
function isIndexBuild({ statements }: Step): boolean {
  return statements.every((statement) => /^(CREATE (UNIQUE )?INDEX|SET) /.test(statement));
}
