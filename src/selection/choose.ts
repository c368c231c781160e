// What the patterns choose and exclude, object by object. It decides by names, sub-objects and partitions alone; what the chosen
// objects need besides is reach.ts's.
import { type Catalog, type CatalogObject, statisticsKind } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Pattern } from './pattern.js';
import type { Standing } from './reach.js';

/** Tables are given as parsePattern reads them, schemas as parseSchemaPattern does, extensions as parseExtensionPattern. */
export interface Patterns {
  readonly tables?: readonly Pattern[];
  readonly excludeTables?: readonly Pattern[];
  /** Tables that are chosen besides, whatever the patterns say, unless they are excluded. */
  readonly alsoTables?: ((table: CatalogObject) => boolean) | undefined;
  readonly schemas?: readonly Pattern[];
  readonly excludeSchemas?: readonly Pattern[];
  readonly extensions?: readonly Pattern[];
  readonly excludeExtensions?: readonly Pattern[];
  /** Whether large objects are in; where it is not said, they are unless tables or schemas are chosen. */
  readonly largeObjects?: boolean | undefined;
  /** False: without the planner's statistics. Those of what is chosen are in otherwise. */
  readonly statistics?: boolean | undefined;
}

/** Kinds that --table can name. */
const relationKinds = new Set(['table', 'foreign table', 'view', 'materialized view', 'sequence', 'extension table', 'extension sequence']);
/** Relations of an extension whose contents are the user's: they come with it, and by their own names. */
const configurationKinds = new Set(['extension table', 'extension sequence']);
/** Not taken just because something needs them: with a table come its rows, and a view is nothing without its tables. */
const neverPulled = new Set(['table', 'foreign table', 'view', 'materialized view']);
/** Nothing in them is ever made; changed privileges on them belong to the whole database, not to a selection. */
const systemSchemas = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** Whether these leave nothing out. */
export function choosesAll({ objects }: Pick<Catalog, 'objects'>, { largeObjects, statistics, ...lists }: Patterns): boolean {
  const { tables = [], excludeTables = [], schemas = [], excludeSchemas = [], extensions = [], excludeExtensions = [] } = lists;
  if ([tables, excludeTables, schemas, excludeSchemas, extensions, excludeExtensions].some((list) => list.length > 0)) return false;
  const isIn = ({ kind }: CatalogObject): boolean =>
    (kind === statisticsKind ? statistics : kind !== 'large objects' || largeObjects) !== false;
  return objects.every(isIn);
}

/** How each object stands, by id.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern of `tables`, `schemas` or `extensions` that matches nothing */
export function choose(catalog: Catalog, patterns: Patterns): readonly Standing[] {
  const { objects } = catalog;
  const { tables = [], excludeTables = [], extensions = [], excludeExtensions = [], largeObjects, statistics, alsoTables } = patterns;
  // As pg_dump has it: the switches for schemas have no effect when --table is used.
  const { schemas = [], excludeSchemas = [] } = tables.length > 0 ? {} : patterns;
  refuseUnmatched('table', tables, (pattern) => objects.some((object) => matchesRelation(objects, object, pattern)));
  refuseUnmatched('schema', schemas, (pattern) => objects.some((object) => matchesSchema(object, pattern)));
  refuseUnmatched('extension', extensions, (pattern) => objects.some((object) => matchesExtension(object, pattern)));

  const named = objects.map((object) => tables.some((pattern) => matchesRelation(objects, object, pattern)));
  const excluded = objects.map((object) => excludeTables.some((pattern) => matchesRelation(objects, object, pattern)));
  const own = objects.map((object): Standing => {
    if (object.kind === statisticsKind) return statistics === false ? 'excluded' : 'chosen';
    if (object.kind === 'large objects' && largeObjects !== undefined) return largeObjects ? 'chosen' : 'excluded';
    // As pg_dump has it: --extension says which extensions, and nothing of anything else.
    if (excludeExtensions.some((pattern) => matchesExtension(object, pattern))) return 'excluded';
    if (extensions.length > 0 && object.kind === 'extension')
      return extensions.some((pattern) => matchesExtension(object, pattern)) ? 'chosen' : 'unselected';
    if (excluded[object.id] || excludeSchemas.some((pattern) => matchesSchema(object, pattern))) return 'excluded';
    if (object.kind === 'table' && alsoTables?.(object)) return 'chosen';
    if (tables.length > 0) return named[object.id] ? 'chosen' : 'unselected';
    return schemas.length === 0 || schemas.some((pattern) => matchesSchema(object, pattern)) ? 'chosen' : 'unselected';
  });
  const selected = tables.length + schemas.length > 0;
  return pullables(catalog, inherit(catalog, { own, named, excluded, selected }));
}

/** Whether `--table` with that pattern names the object. Of members of extensions there are only privileges, so that nothing could be
 *  chosen. */
export function matchesRelation(
  objects: readonly CatalogObject[],
  object: CatalogObject,
  pattern: Pattern,
  seen: ReadonlySet<number> = new Set(),
): boolean {
  if (matchesByName(objects, object, pattern)) return true;
  // An archive is not trusted to have no table that inherits from itself.
  if (!pattern.children || seen.has(object.id)) return false;
  const { partitionOf, inherits = [] } = object;
  const below = new Set([...seen, object.id]);
  return [...inherits, ...(partitionOf === undefined ? [] : [partitionOf])].some((id) => {
    const parent = objects[id];
    return parent !== undefined && matchesRelation(objects, parent, pattern, below);
  });
}

function matchesByName(objects: readonly CatalogObject[], object: CatalogObject, { schema, name }: Pattern): boolean {
  if (!relationKinds.has(object.kind) || object.schema === undefined || systemSchemas.has(object.schema)) return false;
  const isMember = object.parent !== undefined && objects[object.parent]?.kind === 'extension';
  if (isMember && !configurationKinds.has(object.kind)) return false;
  return name.test(object.name) && (schema === undefined || schema.test(object.schema));
}

/** Whether the object is that schema or lies in it. An extension does not lie in a schema, although its members do. */
function matchesSchema(object: CatalogObject, { name }: Pattern): boolean {
  if (object.kind === 'extension') return false;
  const schema = object.kind === 'schema' ? object.name : object.schema;
  return schema !== undefined && !systemSchemas.has(schema) && name.test(schema);
}

function matchesExtension({ kind, name }: CatalogObject, pattern: Pattern): boolean {
  return kind === 'extension' && pattern.name.test(name);
}

/** @throws TidemarkError PATTERN_UNMATCHED for the first pattern that matches nothing */
export function refuseUnmatched(
  what: 'table' | 'schema' | 'extension',
  patterns: readonly Pattern[],
  matches: (pattern: Pattern) => boolean,
): void {
  for (const pattern of patterns) {
    if (matches(pattern)) continue;
    throw new TidemarkError('PATTERN_UNMATCHED', `select ${what}s by the pattern ${pattern.text}: there is no such ${what}`, {
      hint: 'letters outside of double quotes are folded to lower case; in a shell, quote the pattern: \'"Name"\'',
      details: { pattern: pattern.text, what },
    });
  }
}

interface Own {
  /** By what the patterns say of the object alone. */
  readonly own: readonly Standing[];
  /** By a pattern for tables. */
  readonly named: readonly boolean[];
  readonly excluded: readonly boolean[];
  /** Not everything is chosen. */
  readonly selected: boolean;
}

/** Sub-objects stand as what they belong to, whatever a pattern says of themselves: a table needs the sequence of its serial column.
 *  Partitions go with the partitioned table, in and out: alone it would be a table without its rows, and nobody would be told. One
 *  that is named itself is in although its parent is excluded, and one that is excluded itself is out. */
function inherit({ objects }: Catalog, { own, named, excluded, selected }: Own): readonly Standing[] {
  const known = new Map<number, { standing: Standing; byName: boolean }>();
  const look = (id: number): { standing: Standing; byName: boolean } => {
    const found = known.get(id) ?? derive(id);
    known.set(id, found);
    return found;
  };
  const derive = (id: number): { standing: Standing; byName: boolean } => {
    const object = objects[id];
    const self = { standing: own[id] ?? 'unselected', byName: excluded[id] ?? false };
    if (object?.parent !== undefined) {
      const parent = look(object.parent);
      if (configurationKinds.has(object.kind)) {
        if (self.standing === 'excluded' || parent.standing === 'excluded') return { standing: 'excluded', byName: self.byName };
        return parent.standing !== 'chosen' && selected && self.standing === 'chosen' ? self : parent;
      }
      if (object.kind !== 'sequence') return parent;
      // It comes with its table, and stays away where the table cannot come along, unless it is asked for itself.
      if (parent.standing === 'chosen') return named[id] && !excluded[id] ? parent : { standing: 'pullable', byName: false };
      // An owned sequence that is not asked for itself leaves with its table, but stays at the disposal of other tables' defaults.
      const leaves = parent.standing === 'excluded' && self.standing === 'chosen' && !named[id];
      return leaves ? { standing: 'unselected', byName: false } : self;
    }
    if (object?.partitionOf === undefined || self.standing === 'excluded') return self;
    const whole = look(object.partitionOf);
    if (whole.standing === 'chosen') return whole;
    return whole.byName && !named[id] ? whole : self;
  };
  return objects.map(({ id }) => look(id).standing);
}

/** An excluded schema can still be made: a chosen extension may put its members there. */
function pullables({ objects }: Catalog, standings: readonly Standing[]): readonly Standing[] {
  const pullable = (object: CatalogObject): boolean => {
    const standing = standings[object.id];
    if (standing === 'chosen') return false;
    if (standing === 'excluded') return object.kind === 'schema';
    // What only needs the extension does not need what the user has put into it.
    if (configurationKinds.has(object.kind)) return false;
    const parent = object.parent === undefined || object.kind === 'sequence' ? undefined : objects[object.parent];
    return parent === undefined ? !neverPulled.has(object.kind) : pullable(parent);
  };
  return objects.map((object) => (pullable(object) ? 'pullable' : (standings[object.id] ?? 'unselected')));
}
