// What differs between the schemas of two snapshots. Objects are the same where kind and name are, whatever their ids and OIDs. Pure.
import type { Catalog, CatalogObject, Facet, Section, Step } from '../../model/catalog.js';
import { statisticsKind } from '../../model/catalog.js';
import { objectName } from '../../selection/toc.js';
import { readSetval } from '../export/sequences.js';
import { compareText } from './pair-tables.js';

/** An object that is in one of them only, with its statements. */
export interface ObjectDiff {
  readonly kind: string;
  readonly schema?: string;
  /** Bare; for routines with the argument types. */
  readonly name: string;
  /** As people and `restore --list` call it: `public.events: events_pkey`. */
  readonly fullName: string;
  readonly statements: readonly string[];
}

/** An object that is in both, and made by other statements. */
export interface ChangedObject extends Omit<ObjectDiff, 'statements'> {
  /** What of it: its definition, its owner, ... */
  readonly facets: readonly Facet[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** By kind, schema, name. */
export interface SchemaDiff {
  readonly added: readonly ObjectDiff[];
  readonly removed: readonly ObjectDiff[];
  readonly changed: readonly ChangedObject[];
}

/** Where a sequence stands, as setval() takes it. */
export interface SequenceValue {
  readonly lastValue: bigint;
  /** False: `lastValue` is the next one. */
  readonly isCalled: boolean;
}

/** A sequence of both that stands elsewhere. Absent: the archive does not say where. */
export interface ValueDiff {
  readonly kind: string;
  readonly schema?: string;
  readonly name: string;
  readonly fullName: string;
  readonly before?: SequenceValue;
  readonly after?: SequenceValue;
}

/** An object of one side with all that is done to it. */
interface Described {
  readonly object: CatalogObject;
  readonly fullName: string;
  readonly steps: readonly Step[];
}

/** Neither the planner's statistics nor the groups that large objects are made in are objects of the schema. */
const noSchema: ReadonlySet<string> = new Set([statisticsKind, 'large objects', 'large object']);

/** Relations of a schema have names of their own, whichever table they belong to: one that changed hands is still the same. */
const ownNames: ReadonlySet<string> = new Set(['index', 'sequence', 'statistics']);

/** @param sections that both have; the rest of either is not looked at */
export function compareSchemas(a: Catalog, b: Catalog, sections: ReadonlySet<Section>): SchemaDiff {
  const [before, after] = [describe(a, sections), describe(b, sections)];
  const pairs: (readonly [Described, Described])[] = [];
  for (const nameOf of [fullKey, ownKey]) {
    const others = new Map([...after].flatMap((other) => withKey(nameOf, other)));
    for (const [key, one] of [...before].flatMap((described) => withKey(nameOf, described))) {
      const other = others.get(key);
      if (other === undefined || !after.has(other)) continue;
      pairs.push([one, other]);
      before.delete(one);
      after.delete(other);
    }
  }
  return {
    added: inOrder([...after].map(wholly)),
    removed: inOrder([...before].map(wholly)),
    changed: inOrder(pairs.flatMap(([one, other]) => changeOf(one, other))),
  };
}

function describe(catalog: Catalog, sections: ReadonlySet<Section>): Set<Described> {
  const { objects } = catalog;
  const steps = new Map<number, Step[]>();
  for (const step of catalog.steps) {
    // A materialized view is filled where rows are: that says nothing of what it is.
    const counts = sections.has(step.section) && step.facet !== 'value' && (step.facet !== 'refresh' || sections.has('data'));
    if (!counts) continue;
    const known = steps.get(step.object);
    if (known === undefined) steps.set(step.object, [step]);
    else known.push(step);
  }
  // What an extension or another object makes has no steps of its own; where a section is missing, nor has what is made in that one.
  const whole = sections.has('pre-data') && sections.has('post-data');
  const found = objects.filter(({ id, kind }) => !noSchema.has(kind) && (whole || steps.has(id)));
  return new Set(found.map((object) => ({ object, fullName: objectName(objects, object), steps: steps.get(object.id) ?? [] })));
}

type NameOf = (described: Described) => string | undefined;

const fullKey: NameOf = ({ object, fullName }) => JSON.stringify([object.kind, fullName]);
const ownKey: NameOf = ({ object: { kind, schema, name } }) =>
  ownNames.has(kind) && schema !== undefined ? JSON.stringify([kind, schema, name]) : undefined;

function withKey(nameOf: NameOf, described: Described): readonly (readonly [string, Described])[] {
  const key = nameOf(described);
  return key === undefined ? [] : [[key, described]];
}

function nameOf({ object: { kind, schema, name }, fullName }: Described): Omit<ObjectDiff, 'statements'> {
  return { kind, ...(schema !== undefined && { schema }), name, fullName };
}

function statementsOf({ steps }: Described): readonly string[] {
  return steps.flatMap(({ statements }) => statements);
}

function wholly(described: Described): ObjectDiff {
  return { ...nameOf(described), statements: statementsOf(described) };
}

function changeOf(one: Described, other: Described): readonly ChangedObject[] {
  const [before, after] = [statementsOf(one), statementsOf(other)];
  if (isSame(before, after)) return [];
  const facets = [...new Set([...one.steps, ...other.steps].map(({ facet }) => facet))];
  const of = ({ steps }: Described, facet: Facet): readonly string[] =>
    steps.flatMap((step) => (step.facet === facet ? step.statements : []));
  return [{ ...nameOf(other), facets: facets.filter((facet) => !isSame(of(one, facet), of(other, facet))), before, after }];
}

/** The same texts in the same order. */
export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}

function inOrder<T extends Omit<ObjectDiff, 'statements'>>(list: readonly T[]): readonly T[] {
  return list.toSorted(
    (one, other) =>
      compareText(one.kind, other.kind) || compareText(one.schema ?? '', other.schema ?? '') || compareText(one.fullName, other.fullName),
  );
}

/** Of archives that both have data. */
export function compareValues(a: Catalog, b: Catalog): readonly ValueDiff[] {
  const [before, after] = [valuesOf(a), valuesOf(b)];
  const found = [...after].flatMap(([key, { described, value }]): readonly ValueDiff[] => {
    const old = before.get(key);
    if (old === undefined || (old.value?.lastValue === value?.lastValue && old.value?.isCalled === value?.isCalled)) return [];
    return [{ ...nameOf(described), ...(old.value && { before: old.value }), ...(value && { after: value }) }];
  });
  return inOrder(found);
}

/** Of all sequences, those included whose value the archive does not have. */
function valuesOf({
  objects,
  steps,
}: Catalog): ReadonlyMap<string, { readonly described: Described; readonly value: SequenceValue | undefined }> {
  const values = new Map(
    steps.flatMap(({ object, facet, statements }) => (facet === 'value' ? [[object, readSetval(statements[0] ?? '')] as const] : [])),
  );
  const sequences = objects.filter(({ kind }) => kind === 'sequence' || kind === 'extension sequence');
  return new Map(
    sequences.map((object) => {
      const described = { object, fullName: objectName(objects, object), steps: [] };
      return [ownKey(described) ?? fullKey(described) ?? '', { described, value: values.get(object.id) }];
    }),
  );
}
