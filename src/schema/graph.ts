// Puts a schema together: drafts of objects, steps of facets and rows of pg_depend become numbered objects and steps in an order that
// runs. Pure; introspect.ts reads what goes in.
import type { CatalogObject, Facet, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { LeftOut } from '../model/manifest.js';
import { chargeEdges, createResolver, type DependRow, type MemberRow, type Resolver } from './depend.js';
import type { FacetResult, Form, Key, ObjectDraft, StepDraft } from './kind.js';
import { type DraftStep, generatedCost, leaveOut, type Reduced } from './leave-out.js';
import { compareObjects } from './priority.js';
import { type Part, type SortableStep, sortSteps } from './sort.js';

export interface SchemaInput {
  readonly objects: readonly ObjectDraft[];
  readonly facets: readonly FacetResult[];
  readonly depends: readonly DependRow[];
  readonly members: readonly MemberRow[];
  /** Catalog rows that no object claims, with their descriptions: what needs them is left out, too. */
  readonly unsupported: ReadonlyMap<Key, string>;
}

export interface Schema {
  readonly objects: readonly CatalogObject[];
  readonly steps: readonly Step[];
  /** By the key of each object and of each catalog row that is part of it. */
  readonly ids: ReadonlyMap<Key, number>;
  readonly leftOut: readonly LeftOut[];
}

/** Assembles and numbers.
 *  @throws TidemarkError INTERNAL where a loop of dependencies cannot be broken */
export function buildSchema(input: SchemaInput): Schema {
  const given = withoutPlainDefaults([...input.objects, ...input.facets.flatMap((facet) => facet.objects)], input.depends);
  const facetSteps = input.facets.flatMap((facet) => facet.steps.map(({ step }) => step.key));
  const resolver = createResolver({ objects: given, depends: input.depends, members: input.members, facetSteps });
  const objects = given.toSorted(compareObjects);
  const reduced = leaveOut(draftSteps(objects, { input, resolver }));
  const sorted = sortSteps(reduced.steps.map((draft) => sortable(draft, resolver)));
  const form: Form = { separated: (step) => sorted.separated.has(step) || reduced.gone.has(step) };

  const order = sorted.steps.flatMap(({ step }) => reduced.steps[step]?.object ?? []);
  const numbered = numberObjects(objects, order, reduced);
  const ids = new Map<Key, number>();
  numbered.forEach(({ also }, id) => {
    for (const row of also ?? []) ids.set(row, id);
  });
  numbered.forEach(({ key }, id) => {
    ids.set(key, id);
  });

  const early = new Map<number, number>();
  sorted.steps.forEach(({ step, part }, id) => {
    if (part === 'early') early.set(step, id);
  });
  const steps = sorted.steps.map(({ step: index, part, section, needs }, id): Step => {
    const draft = reduced.steps[index];
    const object = draft && ids.get(draft.object.key);
    if (!draft || object === undefined) throw new TidemarkError('INTERNAL', `number the steps of the schema: step ${id} was lost`);
    const { step } = draft;
    const completes = part === 'late' ? early.get(index) : undefined;
    return {
      id,
      object,
      section,
      facet: step.facet,
      statements: statementsOf(step, { part, form }),
      needs,
      ...(completes === undefined ? {} : { completes }),
      ...(step.roles && step.roles.length > 0 ? { roles: step.roles } : {}),
    };
  });
  return { objects: numbered.map((draft, id) => catalogObject(draft, { id, ids, resolver })), steps, ids, leftOut: reduced.leftOut };
}

/** Leaves out the defaults that can be nothing but a part of CREATE TABLE: what they depend on is the server's. Most do, and there may be
 *  many. */
function withoutPlainDefaults(objects: readonly ObjectDraft[], depends: readonly DependRow[]): readonly ObjectDraft[] {
  const linked = new Set<Key>();
  for (const { depender, referenced } of depends) {
    if (depender.startsWith('pg_attrdef:')) linked.add(depender);
    if (referenced.startsWith('pg_attrdef:')) linked.add(referenced);
  }
  return objects.filter(({ kind, key, steps }) => kind !== 'default' || steps[0]?.inlineInto === undefined || linked.has(key));
}

function statementsOf(step: StepDraft, { part, form }: { part: Part; form: Form }): readonly string[] {
  if (part === 'early') return step.split?.early?.statements ?? [];
  return part === 'late' && step.split?.late ? step.split.late : step.statements(form);
}

/** Every step in the order of the objects, the definition before the rest, with what it needs: what it says itself, what pg_depend says,
 *  and its object's definition. */
function draftSteps(objects: readonly ObjectDraft[], { input, resolver }: { input: SchemaInput; resolver: Resolver }): DraftStep[] {
  const extra = new Map<Key, StepDraft[]>();
  for (const { steps } of input.facets) {
    for (const { object, step } of steps) {
      const list = extra.get(object);
      if (list) list.push(step);
      else extra.set(object, [step]);
    }
  }
  const edges = chargeEdges(input.depends, resolver);
  const drafts: DraftStep[] = [];
  const add = (object: ObjectDraft, step: StepDraft): void => {
    const needs: Key[] = [];
    let missing: string | undefined;
    const want = (need: Key): void => {
      const found = resolver.step(need);
      if (found !== undefined) needs.push(found);
      else if (input.unsupported.size > 0) missing ??= input.unsupported.get(resolver.root(need));
    };
    if (step.key !== object.key) want(object.key);
    step.needs?.forEach(want);
    edges.get(step.key)?.forEach(want);
    const distinct = needs.length < 2 ? needs : [...new Set(needs)];
    drafts.push(missing === undefined ? { object, step, needs: distinct } : { object, step, needs: distinct, missing });
  };
  for (const object of objects) {
    for (const step of object.steps) add(object, step);
    for (const step of extra.get(object.key) ?? []) add(object, step);
  }
  const keys = new Set<Key>();
  for (const { object, step } of drafts) {
    if (keys.has(step.key)) throw new TidemarkError('INTERNAL', `order the schema: ${object.ddl} has two steps called ${step.key}`);
    keys.add(step.key);
  }
  // Privileges come when everything is made, or a foreign key of an owner without rights to its own table could not be checked.
  // Materialized views are filled then: what their queries call may read what pg_depend knows nothing of. Event triggers come after all
  // that they would fire for, or forbid.
  const ranks: Partial<Record<Facet, number>> = { privilege: 1, refresh: 2 };
  const rank = ({ object, step }: DraftStep) => (object.kind === 'event trigger' ? 3 : (ranks[step.facet] ?? 0));
  return drafts.sort((a, b) => rank(a) - rank(b));
}

function sortable({ object, step, needs }: DraftStep, resolver: Resolver): SortableStep {
  const isDefault = object.kind === 'default' || step.key.includes('/default');
  const { split } = step;
  return {
    key: step.key,
    ddl: object.ddl,
    section: step.section,
    needs,
    floats: step.key !== object.key,
    routine: object.kind === 'function' || object.kind === 'procedure' || object.kind === 'aggregate',
    ...(object.kind.startsWith('domain') || split?.cost === generatedCost ? { usersWait: true } : {}),
    ...(step.inlineInto === undefined ? {} : { inlineInto: step.inlineInto, inlineCost: split?.cost ?? (isDefault ? 2 : 3) }),
    ...(split && step.inlineInto === undefined
      ? {
          split: {
            cost: split.cost,
            early: split.early && { needs: split.early.needs.flatMap((need) => resolver.step(need) ?? []) },
          },
        }
      : {}),
  };
}

/** Objects by their first step, those without steps after them in the order given: the place of each is its id. */
function numberObjects(objects: readonly ObjectDraft[], order: readonly ObjectDraft[], { goneObjects }: Reduced): readonly ObjectDraft[] {
  const byKey = new Map(goneObjects.size === 0 ? [] : objects.map((object) => [object.key, object]));
  const gone = (object: ObjectDraft): boolean => {
    let at: ObjectDraft | undefined = goneObjects.size === 0 ? undefined : object;
    for (let depth = 0; at && depth < 10; depth += 1) {
      if (goneObjects.has(at.key)) return true;
      at = at.parent === undefined ? undefined : byKey.get(at.parent);
    }
    return false;
  };
  const numbered = new Set<ObjectDraft>();
  for (const list of [order, objects]) for (const object of list) if (!gone(object)) numbered.add(object);
  return [...numbered];
}

function catalogObject(
  draft: ObjectDraft,
  { id, ids, resolver }: { id: number; ids: ReadonlyMap<Key, number>; resolver: Resolver },
): CatalogObject {
  const parentDraft = draft.parent === undefined ? undefined : resolver.object(draft.parent);
  const parent = parentDraft && ids.get(parentDraft.key);
  const partitionOf = draft.partitionOf === undefined ? undefined : ids.get(draft.partitionOf);
  const inherits = (draft.inherits ?? []).flatMap((above) => ids.get(above) ?? []);
  // What has no definition of its own (public, built-in functions with other privileges) would not come back after a DROP.
  const made = draft.parent === undefined && draft.steps.some((step) => step.key === draft.key);
  const drop = draft.drop ?? (made ? draft.ddl : undefined);
  return {
    id,
    kind: draft.kind,
    ...(draft.schema === undefined ? {} : { schema: draft.schema }),
    name: draft.name,
    ...(parent === undefined ? {} : { parent }),
    ...(partitionOf === undefined ? {} : { partitionOf }),
    ...(inherits.length === 0 ? {} : { inherits }),
    ...(drop === undefined ? {} : { drop }),
    ...(draft.oids === undefined ? {} : { oids: draft.oids }),
  };
}
