// What the sequence query gives: the sequence, and the column that owns it or whose identity it is.
import * as z from 'zod';
import { isNotMember, isUserSchema, refersTo } from '../../ours.js';

/** Values of int8 are kept as text: they pass 2^53. */
export const sequenceRow = z.object({
  oid: z.number(),
  nspname: z.string(),
  relname: z.string(),
  owner: z.string(),
  relpersistence: z.enum(['p', 'u']),
  type: z.string(),
  seqstart: z.string(),
  seqincrement: z.string(),
  seqmin: z.string(),
  seqmax: z.string(),
  seqcache: z.string(),
  seqcycle: z.boolean(),
  column: z
    .object({
      /** a owned by the column, i its identity */
      deptype: z.enum(['a', 'i']),
      oid: z.number(),
      nspname: z.string(),
      relname: z.string(),
      attname: z.string(),
      /** a ALWAYS, d BY DEFAULT; empty where it is no identity */
      attidentity: z.enum(['a', 'd', '']),
      /** What the table was made with: a partitioned table has no storage and is never unlogged. */
      persistence: z.enum(['p', 'u']),
      /** The table belongs to an extension. */
      member: z.boolean(),
      /** OID of the column's NOT NULL, from 18. */
      notnull: z.number().nullable(),
    })
    .nullable(),
});

export type Sequence = z.infer<typeof sequenceRow>;
export type SequenceColumn = NonNullable<Sequence['column']>;

/** An identity's sequence is left out with its table, where that belongs to an extension. */
export const sequenceQuery = `
  SELECT c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relpersistence, format_type(s.seqtypid, NULL) AS type,
         s.seqstart::text, s.seqincrement::text, s.seqmin::text, s.seqmax::text, s.seqcache::text, s.seqcycle,
         CASE WHEN t.oid IS NOT NULL THEN
           json_build_object('deptype', d.deptype, 'oid', t.oid::int8, 'nspname', tn.nspname, 'relname', t.relname, 'attname', a.attname,
                             'attidentity', a.attidentity, 'persistence', CASE t.relkind WHEN 'p' THEN 'p' ELSE t.relpersistence END,
                             'member', e.objid IS NOT NULL, 'notnull', k.oid::int8) END AS "column"
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_sequence s ON s.seqrelid = c.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype IN ('a', 'i')
          AND ${refersTo('d', 'pg_class')} AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid
    LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.objid = t.oid AND e.objsubid = 0 AND e.deptype = 'e'
    LEFT JOIN pg_constraint k ON d.deptype = 'i' AND k.contype = 'n' AND k.conrelid = d.refobjid AND k.conkey = ARRAY[d.refobjsubid]::int2[]
   WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${isUserSchema('n')} AND ${isNotMember('pg_class', 'c.oid')}
     AND NOT (coalesce(d.deptype = 'i', false) AND e.objid IS NOT NULL)
   ORDER BY c.oid`;
