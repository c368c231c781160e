// What comments and security labels have in common: a row says which catalog row it belongs to, and that row is an object of ours, a
// column of one, or a part of one that has a name of its own. Rows whose object is gone exist in real databases, and map to nothing.
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { key, type ObjectDraft } from '../kind.js';

export interface DescribedRow extends Record<string, unknown> {
  readonly classid: string;
  readonly objoid: number;
  readonly objsubid: number;
  /** What to call it where it is only a part of an object: an index behind a constraint, the row type of a table, the rule of a view. */
  readonly part: string | null;
}

/** Select list of `DescribedRow`, over `describedTables`. Catalogs by name, from pg_class: a regclass would be printed in quotes. */
export const describedColumns = `k.relname AS classid, d.objoid, d.objsubid,
         coalesce('INDEX ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
                  'TYPE ' || quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
                  'RULE ' || quote_ident(r.rulename) || ' ON ' || quote_ident(vn.nspname) || '.' || quote_ident(v.relname)) AS part`;

/** FROM, WHERE and ORDER BY, with the catalog as `d`. Of what initdb made, only schemas; large objects have whatever OID they are given.
 *  @param last further columns to order by */
export function describedFrom(catalog: 'pg_description' | 'pg_seclabel', last = ''): string {
  return `FROM ${catalog} d
    JOIN pg_class k ON k.oid = d.classoid
    LEFT JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND c.relkind IN ('i', 'I')
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_type t ON d.classoid = 'pg_type'::regclass AND t.oid = d.objoid
    LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_rewrite r ON d.classoid = 'pg_rewrite'::regclass AND r.oid = d.objoid
    LEFT JOIN pg_class v ON v.oid = r.ev_class
    LEFT JOIN pg_namespace vn ON vn.oid = v.relnamespace
   WHERE d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
   ORDER BY k.relname, d.objoid, d.objsubid${last}`;
}

/** What COMMENT ON and SECURITY LABEL ON call it, or nothing where it is no object of ours. */
export function describedName(row: DescribedRow, object: ObjectDraft): string | undefined {
  if (row.objsubid !== 0) {
    const column = object.columnName?.(row.objsubid);
    if (column === undefined) return undefined;
    return `COLUMN ${qualifiedName(object.schema, object.name)}.${quoteIdentifier(column)}`;
  }
  if (key(row.classid, row.objoid) === object.key) return object.ddl;
  return row.part ?? undefined;
}
