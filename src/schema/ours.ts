// SQL conditions that say which catalog rows are the user's own, the same for every kind. Told apart: what initdb made, what an
// extension made, what lives in a system or temporary schema. Kinds put these into their queries; the facets have rules of their own.

/** Objects made by initdb have smaller OIDs. For kinds without a schema (extensions, casts, languages, ...). */
export const firstNormalOid = 16384;

/** True for rows of pg_namespace (by alias) that hold the user's objects: not pg_catalog, pg_toast, pg_temp_*, information_schema. */
export function isUserSchema(namespace: string): string {
  return `(${namespace}.nspname !~ '^pg_' AND ${namespace}.nspname <> 'information_schema')`;
}

/** True where the row is not a member of an extension.
 *  @param catalog unqualified name of the catalog, `pg_type`
 *  @param oid SQL expression of the row's OID, `t.oid` */
export function isNotMember(catalog: string, oid: string): string {
  return (
    `NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS member WHERE member.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass` +
    ` AND member.objid = ${oid} AND member.objsubid = 0 AND member.deptype = 'e')`
  );
}

/** True where a row of pg_depend refers to an object of that catalog. Written so that no index serves it: with statistics that are out of
 *  date (after a restore, say) the planner takes the index on what is referred to for every row, and reads all of pg_depend each time.
 *  @param depend alias of pg_depend */
export function refersTo(depend: string, catalog: string): string {
  return `${depend}.refclassid IS NOT DISTINCT FROM 'pg_catalog.${catalog}'::pg_catalog.regclass`;
}
