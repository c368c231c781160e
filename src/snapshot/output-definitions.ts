// All that COPY's output of a table depends on beside its rows: file, columns, values of columns that rows were made without, and every type
// that the server does not bring along. In one query for all tables.
import type { Session } from '../pg/session.js';
import type { OutputDefinition } from './row-fingerprint.js';

/** The server's own functions belong to its version; others are told by what they run. */
const routine = (oid: string): string =>
  `(SELECT CASE WHEN p.oid < 16384 THEN to_json(p.oid::int8) ELSE json_build_array(p.oid::int8, p.prolang::int8, p.prosrc, p.probin, p.xmin::text) END FROM pg_proc p WHERE p.oid = ${oid})`;

// Types lead to types: a domain's base, an element, the columns of a composite, what a range is of. Built-in ones are known by their OIDs.
// Values of reg* and aclitem are printed as names of other objects, which may be renamed.
const query = `
WITH RECURSIVE needed (relid, typid) AS (
  SELECT a.attrelid, a.atttypid FROM pg_attribute a WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT n.relid, x.typid
    FROM needed n
    JOIN pg_type t ON t.oid = n.typid
    CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0
      UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid) AS x (typid)),
types AS (
  SELECT t.oid, t.oid < 16384 AND (t.typname ~ '^_?reg' OR t.typname IN ('aclitem', '_aclitem')) AS by_name,
         CASE WHEN t.oid < 16384 THEN to_json(t.oid::int8) ELSE json_build_array(
           t.oid::int8, t.typtype, t.typlen, t.typbasetype::int8, t.typtypmod, t.typelem::int8, t.typrelid::int8, t.typdelim,
           ${routine('t.typoutput')}, ${routine('t.typsend')},
           (SELECT json_agg(json_build_array(e.oid::int8, e.enumlabel) ORDER BY e.oid) FROM pg_enum e WHERE e.enumtypid = t.oid),
           (SELECT json_agg(json_build_array(a.attnum, a.atttypid::int8, a.atttypmod, a.attisdropped) ORDER BY a.attnum)
              FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0),
           (SELECT json_build_array(r.rngtypid::int8, r.rngsubtype::int8) FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)),
           (SELECT json_build_array(x.extname, x.extversion, x.xmin::text) FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
             WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')) END AS facts
    FROM pg_type t WHERE t.oid IN (SELECT typid FROM needed))
SELECT c.oid, pg_relation_filenode(c.oid)::text AS filenode,
       json_build_array(
         (SELECT json_agg(json_build_array(a.attnum, a.attname, a.atttypid::int8, a.atttypmod, a.attisdropped, a.attgenerated,
                                           CASE WHEN a.atthasmissing THEN a.attmissingval::text END) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
         (SELECT json_agg(t.facts ORDER BY t.oid) FROM needed n JOIN types t ON t.oid = n.typid WHERE n.relid = c.oid))::text AS definition,
       (SELECT coalesce(bool_or(t.by_name), false) FROM needed n JOIN types t ON t.oid = n.typid WHERE n.relid = c.oid) AS by_name
  FROM pg_class c WHERE c.oid = ANY ($1)`;

interface DefinitionRow extends OutputDefinition, Record<string, unknown> {
  readonly by_name: boolean;
}

/** Of those tables of which it can be told. */
export async function readDefinitions(session: Session, oids: readonly number[]): Promise<ReadonlyMap<number, OutputDefinition>> {
  const rows = await session.query<DefinitionRow>(query, [oids]);
  const told = rows.filter(({ by_name, filenode }) => !by_name && filenode !== null);
  return new Map(told.map(({ oid, filenode, definition }) => [oid, { oid, filenode, definition }]));
}
