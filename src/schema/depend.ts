// What needs what, as pg_depend has it: one query for dependencies, one for the members of extensions, and pure resolvers from catalog
// rows to the steps of objects. pg_depend is made for DROP; objects correct it with `charge` where CREATE wants it the other way round.
import type { Key, ObjectDraft } from './kind.js';
import { key } from './kind.js';

/** A row of pg_depend. */
export interface DependRow {
  readonly depender: Key;
  readonly objsubid: number;
  readonly referenced: Key;
  readonly deptype: string;
}

/** OIDs from here on were made after initdb (FirstNormalObjectId); what initdb made is there on every server. */
export const firstUserOid = 16384;

/** Dependencies between objects of users. Names of catalogs come from pg_class: a regclass would print them quoted under
 *  quote_all_identifiers. There are several for each object; in lists for each two catalogs they cost us a twentieth of what rows do.
 *  The expression of a default has what it needs of its own table anyway. */
const dependQuery = `
  SELECT (SELECT c.relname FROM pg_class c WHERE c.oid = d.classid) AS classid,
         (SELECT r.relname FROM pg_class r WHERE r.oid = d.refclassid) AS refclassid,
         d.deptype::text AS deptype, d.objids, d.objsubids, d.refobjids
    FROM (SELECT classid, refclassid, deptype,
                 json_agg(objid::int8) AS objids, json_agg(objsubid) AS objsubids, json_agg(refobjid::int8) AS refobjids
            FROM (SELECT classid, objid, objsubid, refclassid, refobjid, deptype
                    FROM pg_depend
                   WHERE deptype IN ('n', 'a', 'i', 'P', 'S', 'x') AND objid >= ${firstUserOid} AND refobjid >= ${firstUserOid}
                     AND NOT (classid = 'pg_attrdef'::regclass AND deptype = 'a')
                   ORDER BY classid, refclassid, deptype, objid, objsubid, refobjid) one
           GROUP BY classid, refclassid, deptype) d
   ORDER BY 1, 2, 3`;

interface DependLists extends Record<string, unknown> {
  readonly classid: string;
  readonly refclassid: string;
  readonly deptype: string;
  readonly objids: readonly number[];
  readonly objsubids: readonly number[];
  readonly refobjids: readonly number[];
}

/** Reads pg_depend as far as it is between objects of users. */
export async function readDepends(session: {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
}): Promise<DependRow[]> {
  const lists = await session.query<DependLists>(dependQuery);
  return lists.flatMap(({ classid, refclassid, deptype, objids, objsubids, refobjids }) =>
    objids.map((objid, at) => ({
      depender: key(classid, objid),
      objsubid: objsubids[at] ?? 0,
      referenced: key(refclassid, refobjids[at] ?? 0),
      deptype,
    })),
  );
}

/** Members of extensions, with the extension's OID. */
export const memberQuery = `
  SELECT c.relname AS classid, d.objid, d.refobjid
    FROM pg_depend d
    JOIN pg_class c ON c.oid = d.classid
   WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
   ORDER BY d.classid, d.objid`;

export interface MemberRow extends Record<string, unknown> {
  readonly classid: string;
  readonly objid: number;
  readonly refobjid: number;
}

/** From keys of catalog rows to objects and their steps. */
export interface Resolver {
  /** The object that a row is or is part of; where none is known, its extension or what it depends on internally (array -> element). */
  object(row: Key): ObjectDraft | undefined;
  /** The step that must have run for a row to be there, or the step itself: what `needs` may hold. */
  step(need: Key): Key | undefined;
  /** Where `object` finds nothing: the last row of the chain of owners. */
  root(row: Key): Key;
  /** The casts that an expression may mean where pg_depend says that it uses this function. */
  usedThrough(row: Key): readonly ObjectDraft[];
}

export interface ResolverInput {
  readonly objects: readonly ObjectDraft[];
  readonly depends: readonly DependRow[];
  readonly members: readonly MemberRow[];
  /** Keys of the steps that facets add, for `needs` that name one (`pg_class:16403/owner`). */
  readonly facetSteps?: readonly Key[];
}

const none: readonly ObjectDraft[] = [];

/** Builds the resolver. Facet-only objects (the schema `public`, members of extensions) have no definition and resolve further. */
export function createResolver({ objects, depends, members, facetSteps = [] }: ResolverInput): Resolver {
  const owners = new Map<Key, Key>();
  for (const row of depends) {
    if (row.deptype === 'i') owners.set(row.depender, row.referenced);
  }
  for (const row of members) owners.set(key(row.classid, row.objid), key('pg_extension', row.refobjid));
  const claimed = new Map<Key, ObjectDraft>();
  const through = new Map<Key, ObjectDraft[]>();
  for (const object of objects) {
    for (const row of object.usedThrough ?? []) through.set(row, [...(through.get(row) ?? []), object]);
  }
  const steps = new Set<Key>(facetSteps);
  for (const object of objects) {
    for (const step of object.steps) steps.add(step.key);
    for (const row of object.also ?? []) if (!claimed.has(row)) claimed.set(row, object);
  }
  for (const object of objects) claimed.set(object.key, object);

  const ownerOf = (row: Key): Key | undefined => (claimed.has(row) ? undefined : owners.get(row));

  function root(row: Key): Key {
    let owner = ownerOf(row);
    if (owner === undefined) return row;
    const seen = new Set<Key>();
    let at = row;
    for (; owner !== undefined && !seen.has(at); owner = ownerOf(at)) {
      seen.add(at);
      at = owner;
    }
    return at;
  }

  function object(row: Key): ObjectDraft | undefined {
    return claimed.get(row) ?? claimed.get(root(row));
  }

  function step(need: Key): Key | undefined {
    if (steps.has(need)) return need;
    let found = object(need);
    if (found === undefined || steps.has(found.key)) return found?.key;
    const seen = new Set<Key>();
    while (found && !steps.has(found.key) && !seen.has(found.key)) {
      seen.add(found.key);
      // A member of an extension that has only privileges here is made by its extension, everything else without steps by its parent.
      const next: Key | undefined = owners.get(found.key)?.startsWith('pg_extension:') ? owners.get(found.key) : found.parent;
      found = next === undefined ? undefined : object(next);
    }
    return found && steps.has(found.key) ? found.key : undefined;
  }

  return { object, step, root, usedThrough: (row) => through.get(row) ?? none };
}

/** What depends on operators and has no expression that uses them. */
const madeOfOperators = /^pg_(operator|opclass|opfamily|amop|amproc):/;

/** What each step needs by pg_depend: keys of objects or, where nothing is known of them, of catalog rows. Objects without steps are made
 *  by another's statement, and so is what they depend on: their rows count only where `charge` says so. */
export function chargeEdges(depends: readonly DependRow[], resolver: Resolver): ReadonlyMap<Key, readonly Key[]> {
  const edges = new Map<Key, Key[]>();
  const add = (step: Key, need: Key): void => {
    const list = edges.get(step);
    if (list) list.push(need);
    else edges.set(step, [need]);
  };
  for (const row of depends) {
    const { referenced } = row;
    const depender = resolver.object(row.depender);
    // What members of an extension depend on is the extension script's own matter.
    if (!depender || (depender.key.startsWith('pg_extension:') && !row.depender.startsWith('pg_extension:'))) continue;
    if (depender.steps.length === 0 && !depender.charge) continue;
    const need = resolver.object(referenced)?.key ?? resolver.root(referenced);
    // A row on itself is a body in the SQL standard's form that calls its own routine; all else within an object is its own matter.
    if (need === depender.key && (row.depender !== referenced || !referenced.startsWith('pg_proc:'))) continue;
    const step = depender.charge ? depender.charge({ ref: need, subid: row.objsubid, type: row.deptype }) : depender.key;
    if (step === null) continue;
    add(step, need);
    // What depends on a function may use the cast that it is of; another cast only has the same one. What depends on an operator may
    // want it sorted by, unless it is itself only made of operators.
    if (depender.usedThrough?.includes(referenced)) continue;
    if (referenced.startsWith('pg_operator:') && madeOfOperators.test(row.depender)) continue;
    for (const { key: used } of resolver.usedThrough(referenced)) add(step, used);
  }
  return edges;
}
