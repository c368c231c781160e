// Large objects: that they are there, their owners, privileges and comments. All of it is data to a dump, made with the rows and absent
// from a schema. They come in groups of the same owner and privileges, so that a million of them are a thousand objects; their contents
// are read and restored like rows (snapshot/large-objects.ts, restore/large-objects.ts).
// https://www.postgresql.org/docs/current/catalog-pg-largeobject-metadata.html
import * as z from 'zod';
import { oidsFrom, toOidRanges } from '../../pg/oid-ranges.js';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { allPrivileges, asGrantors, changeAcl, explodedSql, itemsOf, rolesOf } from '../facets/acl.js';
import { defineKind, key, type ObjectDraft, type StepDraft } from '../kind.js';

/** Objects in a group: with an ALTER each they stay far below what the server's table of locks holds. */
const groupSize = 1000;

const exploded = z.array(
  z.object({
    grantor: z.string().nullable(),
    grantee: z.string().nullable(),
    grantorid: z.number(),
    granteeid: z.number(),
    privilege: z.string(),
    grantable: z.boolean(),
  }),
);

const row = z.object({
  /** The first group of all. */
  leads: z.boolean(),
  oids: z.array(z.number()).min(1),
  rolname: z.string(),
  actual: exploded,
  base: exploded,
  comments: z.array(z.object({ oid: z.number(), description: z.string() })).nullable(),
});

type Group = z.infer<typeof row>;

// The list of one of them stands for all; it is compared as text because aclitem has no order.
const query = `
  SELECT row_number() OVER (ORDER BY g.first) = 1 AS leads, g.oids, pg_get_userbyid(m.lomowner) AS rolname, g.comments,
         ${explodedSql(`coalesce(m.lomacl, acldefault('L', m.lomowner))`)} AS actual,
         ${explodedSql(`acldefault('L', m.lomowner)`)} AS base
    FROM (
      SELECT min(b.oid) AS first, json_agg(b.oid::int8 ORDER BY b.oid) AS oids,
             json_agg(json_build_object('oid', b.oid::int8, 'description', b.description) ORDER BY b.oid)
               FILTER (WHERE b.description IS NOT NULL) AS comments
        FROM (
          SELECT o.oid, o.lomowner, o.lomacl::text AS acl, d.description,
                 (row_number() OVER (PARTITION BY o.lomowner, o.lomacl::text ORDER BY o.oid) - 1) / ${groupSize} AS batch
            FROM pg_largeobject_metadata o
            LEFT JOIN pg_description d ON d.classoid = 'pg_largeobject'::regclass AND d.objoid = o.oid AND d.objsubid = 0) b
       GROUP BY b.lomowner, b.acl, b.batch) g
    JOIN pg_largeobject_metadata m ON m.oid = g.first
   ORDER BY g.first`;

/** The object that has all groups, and that the pieces of large objects belong to. It is there where there is any. */
export const largeObjectsKey = key('pg_largeobject_metadata', 0);

const all: ObjectDraft = { key: largeObjectsKey, kind: 'large objects', name: 'all', steps: [], ddl: 'LARGE OBJECTS' };

function draft({ oids, rolname, actual, base, comments }: Group): ObjectDraft {
  const [first = 0] = oids;
  const self = key('pg_largeobject_metadata', first);
  const last = oids.at(-1) ?? first;
  const ddl = `LARGE OBJECT ${oids.join(', ')}`;
  const ranges = toOidRanges(oids);
  const step = (word: string, facet: StepDraft['facet'], statements: readonly string[], roles: readonly string[] = []): StepDraft => ({
    key: word === '' ? self : `${self}/${word}`,
    facet,
    section: 'data',
    statements: () => statements,
    roles,
  });
  const steps = [
    step('', 'definition', [`SELECT pg_catalog.count(pg_catalog.lo_create("oid")) FROM ${oidsFrom(ranges)}`]),
    step('owner', 'owner', [ownerStatement(oids, rolname)], [rolname]),
  ];
  if (comments !== null) {
    const texts = comments.map(({ oid, description }) => `COMMENT ON LARGE OBJECT ${oid} IS ${quoteLiteral(description)}`);
    steps.push(step('comments', 'comment', texts));
  }
  const target = { on: `ON ${ddl}`, all: allPrivileges('L'), owner: rolname };
  const { items, gone } = itemsOf(actual);
  const statements = changeAcl({ target, base: itemsOf(base).items, actual: items });
  const leftOut = [...gone].map((oid) => `privileges: the role with OID ${oid} does not exist any more`);
  if (statements.length > 0) steps.push(step('privileges', 'privilege', asGrantors(statements, rolname), rolesOf(statements, rolname)));
  const name = first === last ? String(first) : `${first} to ${last} (${oids.length})`;
  return { key: self, kind: 'large object', name, parent: largeObjectsKey, steps, ddl, oids: ranges, leftOut };
}

/** ALTER takes one object. Those that are the role's already need none, which spares the server a lock each. */
function ownerStatement(oids: readonly number[], owner: string): string {
  if (oids.length === 1) return `ALTER LARGE OBJECT ${oids[0]} OWNER TO ${quoteIdentifier(owner)}`;
  const body = `
DECLARE "loid" pg_catalog.oid;
BEGIN
  FOR "loid" IN SELECT "oid" FROM pg_catalog.pg_largeobject_metadata
    WHERE "oid" OPERATOR(pg_catalog.=) ANY ('{${oids.join(',')}}'::pg_catalog.oid[])
      AND pg_catalog.pg_get_userbyid("lomowner") OPERATOR(pg_catalog.<>) ${quoteLiteral(owner)}
  LOOP
    EXECUTE pg_catalog.format('ALTER LARGE OBJECT %s OWNER TO %I', "loid", ${quoteLiteral(owner)});
  END LOOP;
END`;
  return `DO ${quoteLiteral(body)}`;
}

export const largeObject = defineKind<Group>({
  name: 'large object',
  only: ['pg_largeobject_metadata'],
  row,
  query: () => query,
  objects: (group) => [...(group.leads ? [all] : []), draft(group)],
});
