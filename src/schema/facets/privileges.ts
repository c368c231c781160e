// GRANT and REVOKE: for every object whose privileges differ from those that it is made with, also for built-in objects and members of
// extensions, of which nothing else is carried. How one list becomes another is acl.ts.
import type { LeftOut } from '../../model/manifest.js';
import { type FacetContext, type FacetReader, type FacetResult, type Key, key, type ObjectDraft, type Server } from '../kind.js';
import { type AclItem, type AclStatement, allPrivileges, asGrantors, changeAcl, itemsOf, rolesOf, without } from './acl.js';
import { type PrivilegesRow, privilegesQuery } from './privileges-query.js';

/** Built-in objects have smaller OIDs: they are on every server, but their OIDs need not be. */
const firstNormalOid = 16384;

/** The schema public is there with a new database; since 15 the owner may do everything and everybody may use it. What another source has
 *  is told as the difference from that, so that a database of an older server keeps what everybody may create. */
function basePublic(owner: string): readonly AclItem[] {
  return [
    { grantor: owner, grantee: owner, plain: ['USAGE', 'CREATE'], grantable: [] },
    { grantor: owner, grantee: null, plain: ['USAGE'], grantable: [] },
  ];
}

interface Change {
  readonly statements: readonly string[];
  readonly roles: readonly string[];
  /** OIDs of roles that are gone. */
  readonly gone: ReadonlySet<number>;
}

/** The rows of one object: its own, if that has changed, then its columns.
 *  @param on `TABLE "public"."t"` */
function changeOf(rows: readonly PrivilegesRow[], { on, server }: { on: string; server: Server }): Change {
  const statements: AclStatement[] = [];
  const gone = new Set<number>();
  const owner = rows[0]?.owner ?? '';
  let above: readonly AclItem[] = [];
  let revoked: readonly AclItem[] = [];
  for (const row of rows) {
    const isPublic = row.kind === 'schema' && row.name === 'public';
    const { items: actual, gone: missing } = itemsOf(row.actual);
    const made = isPublic ? basePublic(owner) : itemsOf(row.base).items;
    // REVOKE on a table takes the same role's privileges on its columns along.
    const base = made.filter((item) => !revoked.some((other) => other.grantor === item.grantor && other.grantee === item.grantee));
    const column = row.attname === null ? {} : { column: row.attname };
    const target = { on: `ON ${on}`, ...column, all: allPrivileges(row.type), owner };
    statements.push(...(isPublic ? notAsBefore15(actual, { on, owner, server }) : []), ...changeAcl({ target, base, actual, above }));
    for (const oid of missing) gone.add(oid);
    if (row.objsubid === 0) [above, revoked] = [actual, without(base, actual)];
  }
  return { statements: asGrantors(statements, owner), roles: rolesOf(statements, owner), gone };
}

/** Up to 14 everybody may create in a new database's public, so that the difference from the newer default is not all. */
function notAsBefore15(items: readonly AclItem[], { on, owner, server }: { on: string; owner: string; server: Server }): AclStatement[] {
  const everybody = items.find(({ grantee }) => grantee === null);
  if (server.version >= 150000 || everybody === undefined || everybody.plain.includes('CREATE')) return [];
  return [{ grantor: owner, grantee: null, text: `REVOKE CREATE ON ${on} FROM PUBLIC` }];
}

/** An object of which nothing else is carried: made by initdb, or by its extension. */
function alone(row: PrivilegesRow, objects: ReadonlyMap<Key, ObjectDraft>): ObjectDraft {
  const extension = row.extension === null ? undefined : key('pg_extension', row.extension);
  return {
    key: key(row.classid, row.objid),
    kind: row.kind,
    ...(row.nspname === null ? {} : { schema: row.nspname }),
    name: row.name,
    ...(extension !== undefined && objects.has(extension) ? { parent: extension } : {}),
    steps: [],
    ddl: row.on,
  };
}

async function read({ query, server, objects }: FacetContext): Promise<FacetResult> {
  const byObject = new Map<Key, PrivilegesRow[]>();
  for (const row of await query<PrivilegesRow>(privilegesQuery)) {
    const own = key(row.classid, row.objid);
    byObject.set(own, [...(byObject.get(own) ?? []), row]);
  }
  const steps: FacetResult['steps'][number][] = [];
  const added: ObjectDraft[] = [];
  const leftOut: LeftOut[] = [];
  for (const [own, rows] of byObject) {
    const [first] = rows;
    // What has no draft, and was made neither by initdb nor by an extension, is of a kind that is not carried.
    const known = objects.get(own);
    if (first === undefined || (known === undefined && first.extension === null && first.objid >= firstNormalOid)) continue;
    const object = known ?? alone(first, objects);
    const on = object.key === own ? (object.grant ?? first.on) : first.on;
    const { statements, roles, gone } = changeOf(rows, { on, server });
    for (const oid of gone) leftOut.push({ kind: 'privilege', name: on, reason: `the role with OID ${oid} does not exist any more` });
    if (statements.length === 0) continue;
    if (known === undefined) added.push(object);
    // The row type of a table can have privileges besides those of the table.
    const word = object.key === own ? 'privileges' : `privileges-${own}`;
    const step = { facet: 'privilege', section: 'post-data', needs: [`${object.key}/owner`], statements: () => statements, roles } as const;
    steps.push({ object: object.key, step: { key: `${object.key}/${word}`, ...step } });
  }
  return { steps, objects: added, leftOut };
}

export const privileges: FacetReader = { name: 'privileges', read };
