// What views and materialized views have in common: their columns, the rows of other catalogs that are part of them, and the text of
// their query.
import * as z from 'zod';
import { type Key, key } from './kind.js';

const columnRow = z.object({
  attnum: z.number(),
  attname: z.string(),
  /** As format_type prints it. */
  type: z.string(),
  atttypid: z.number(),
  /** Where it differs from the type's own; quoted. */
  collation: z.string().nullable(),
  attcollation: z.number(),
});
export type ViewColumn = z.infer<typeof columnRow>;

/** The columns that `viewColumns` selects. */
export const viewRow = z.object({
  oid: z.number(),
  relname: z.string(),
  nspname: z.string(),
  relnamespace: z.number(),
  rolname: z.string(),
  reltype: z.number(),
  typarray: z.number(),
  /** Oid of the `_RETURN` rule, the body. */
  ruleoid: z.number(),
  reloptions: z.array(z.string()).nullable(),
  definition: z.string(),
  columns: z.array(columnRow),
});
export type ViewRow = z.infer<typeof viewRow>;

/** Select list for pg_class c, pg_namespace n, pg_type t (row type) and pg_rewrite w (body). */
export const viewColumns = `c.oid, c.relname, n.nspname, c.relnamespace, pg_get_userbyid(c.relowner) AS rolname, c.reltype, t.typarray,
    w.oid AS ruleoid, c.reloptions, pg_get_viewdef(c.oid) AS definition,
    coalesce((SELECT json_agg(json_build_object('attnum', a.attnum, 'attname', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'atttypid', a.atttypid::bigint, 'collation', quote_ident(cn.nspname) || '.' || quote_ident(co.collname),
        'attcollation', a.attcollation::bigint) ORDER BY a.attnum)
      FROM pg_attribute a
      JOIN pg_type at ON at.oid = a.atttypid
      LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> at.typcollation
      LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns`;

export const viewTables = `pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = c.reltype
  JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename = '_RETURN'`;

/** Keys of the row type, its array type and the rule: pg_depend knows what the query reads as dependencies of the rule. */
export function viewAlso(row: ViewRow): readonly Key[] {
  return [key('pg_type', row.reltype), ...(row.typarray === 0 ? [] : [key('pg_type', row.typarray)]), key('pg_rewrite', row.ruleoid)];
}

/** pg_get_viewdef ends in a semicolon and begins with a blank. */
export function viewQuery(row: ViewRow): string {
  return row.definition.trim().replace(/;$/, '');
}
