// The one catalog query of tables. Everything is joined and grouped once over the whole database, never looked up per table or per
// column; what only inheritance needs is computed for the tables in pg_inherits alone. row.ts has the meaning of each field.
import { optionsSql } from '../../generic-options.js';
import type { Server } from '../../kind.js';
import { mayBe } from '../../marks.js';
import { isNotMember, isUserSchema } from '../../ours.js';

const ofUser = `c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND ${isUserSchema('n')} AND ${isNotMember('pg_class', 'c.oid')}`;

/** Tables of the user's schemas: plain, partitioned and foreign ones, which can be children and partitions of each other. */
const relations = `
  rel AS MATERIALIZED (
    SELECT c.*, n.nspname, inh.inhparent AS partparent
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      -- Also where a DETACH CONCURRENTLY was interrupted: all that goes with a partition is still there.
      LEFT JOIN pg_inherits inh ON c.relispartition AND inh.inhrelid = c.oid
     WHERE ${ofUser})`;

/** Inheritance without partitions. `place` is a column's place among those that are there; `merged` the place that CREATE TABLE ...
 *  INHERITS would give it: the columns of the parents, in their order, each once. */
const inheritance = `
  inherit AS MATERIALIZED (
    SELECT i.inhrelid, i.inhparent, i.inhseqno
      FROM pg_inherits i JOIN rel ON rel.oid = i.inhrelid WHERE NOT rel.relispartition),
  kin AS MATERIALIZED (SELECT inhrelid AS oid FROM inherit UNION SELECT inhparent FROM inherit),
  kincolumn AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.attislocal, a.attgenerated, d.oid AS defoid, d.adbin,
           row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS place
      FROM kin JOIN pg_attribute a ON a.attrelid = kin.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum),
  merged AS (
    SELECT first.inhrelid, first.attname, row_number() OVER (PARTITION BY first.inhrelid ORDER BY first.inhseqno, first.place) AS place
      FROM (SELECT DISTINCT ON (i.inhrelid, p.attname) i.inhrelid, p.attname, i.inhseqno, p.place
              FROM inherit i JOIN kincolumn p ON p.attrelid = i.inhparent
             ORDER BY i.inhrelid, p.attname, i.inhseqno) first),
  reordered AS MATERIALIZED (
    SELECT k.attrelid AS oid
      FROM kincolumn k LEFT JOIN merged m ON m.inhrelid = k.attrelid AND m.attname = k.attname
     WHERE k.attrelid IN (SELECT inhrelid FROM inherit)
     GROUP BY k.attrelid HAVING bool_and(k.attislocal) AND bool_or(k.place <> m.place)),
  above AS (
    SELECT i.inhrelid, k.attname,
           json_build_object(
             'attnotnull', bool_or(k.attnotnull),
             'defaults', count(k.defoid) FILTER (WHERE k.attgenerated = ''),
             'generated', coalesce(json_agg(DISTINCT pg_get_expr(k.adbin, k.attrelid)) FILTER (WHERE k.attgenerated <> ''), '[]')) AS parents
      FROM inherit i JOIN kincolumn k ON k.attrelid = i.inhparent
     GROUP BY i.inhrelid, k.attname)`;

/** Of constraint `k`. */
const commented = `k.oid IN (SELECT objoid FROM pg_description WHERE classoid = 'pg_constraint'::regclass)`;

/** Checks and, from 18, not-nulls: those merge by column, checks by name. Parents can be tables that are not ours. `conparent`: what a constraint that is not the table's own is merged with, where it has to be known:
 *  to validate it apart from the parents', or to comment on it only when it is there. `late`: the constraints that a reordered child
 *  has from above only; they can come to it in no other way than by being added above when it is a child already. */
const constraints = `
  con AS MATERIALIZED (
    SELECT k.oid, k.conrelid, k.contype, k.conname, k.conislocal, k.connoinherit, k.convalidated, a.attname, rel.relispartition,
           coalesce(a.attname, k.conname) AS mergedby
      FROM (SELECT oid, relispartition FROM rel
             UNION ALL
            SELECT DISTINCT inhparent, false FROM pg_inherits WHERE inhparent NOT IN (SELECT oid FROM rel)) rel
      JOIN pg_constraint k ON k.conrelid = rel.oid AND k.contype IN ('c', 'n')
      LEFT JOIN pg_attribute a ON k.contype = 'n' AND a.attrelid = k.conrelid AND a.attnum = k.conkey[1]),
  merger AS MATERIALIZED (
    SELECT k.oid, k.conrelid, p.oid AS parentoid, p.conname AS parentname, p.convalidated AS parentvalidated
      FROM con k JOIN pg_inherits i ON i.inhrelid = k.conrelid
      JOIN con p ON p.conrelid = i.inhparent AND p.contype = k.contype AND p.mergedby = k.mergedby
     WHERE NOT p.connoinherit AND (NOT k.relispartition OR NOT k.convalidated OR NOT p.convalidated)),
  conparent AS (
    SELECT m.oid, json_agg(json_build_object('oid', m.parentoid::int8, 'conname', m.parentname, 'convalidated', m.parentvalidated)
                           ORDER BY m.parentoid) AS parents
      FROM merger m GROUP BY m.oid),
  latest AS (
    SELECT m.parentoid AS oid, r.oid AS child
      FROM reordered r JOIN con k ON k.conrelid = r.oid AND NOT k.conislocal JOIN merger m ON m.oid = k.oid
    UNION
    SELECT m.parentoid, l.child FROM latest l JOIN merger m ON m.oid = l.oid),
  late AS (SELECT oid, json_agg(child::int8 ORDER BY child) AS late FROM latest GROUP BY oid),
  conlist AS (
    SELECT k.conrelid,
           json_agg(json_build_array(
             k.oid::int8, k.contype, k.conname, k.conislocal, k.connoinherit, k.convalidated, k.attname,
             CASE k.contype WHEN 'c' THEN pg_get_constraintdef(k.oid) END, ${commented}, p.parents, l.late) ORDER BY k.conname) AS constraints
      FROM con k LEFT JOIN conparent p ON p.oid = k.oid LEFT JOIN late l ON l.oid = k.oid
     GROUP BY k.conrelid)`;

// Lists without names for all columns, an object for what few of them have: an object of all for each of 50,000 columns would take longer
// than the rest of this query. attstattarget is -1 for "the default" before 17 and null since.
const columns = (parents: string, more: string, join: string): string => `
  collist AS (
    SELECT a.attrelid,
           json_agg(json_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attislocal, d.oid::int8,
                                     pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum) AS columns,
           json_object_agg(a.attnum, json_strip_nulls(json_build_object(
             'collation', CASE WHEN a.attcollation <> t.typcollation THEN (
               SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
                 FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
             'attgenerated', nullif(a.attgenerated, ''), 'attstattarget', nullif(a.attstattarget, -1),
             'attstorage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
             'attcompression', nullif(a.attcompression, ''), 'attoptions', to_json(a.attoptions), 'parents', ${parents},
             'fdwoptions', CASE WHEN a.attfdwoptions IS NOT NULL THEN ${optionsSql('a.attfdwoptions')} END)))
             FILTER (WHERE a.attcollation <> t.typcollation OR a.attgenerated <> '' OR a.attstattarget >= 0 OR a.attstorage <> t.typstorage
                       OR a.attcompression <> '' OR a.attoptions IS NOT NULL OR a.attfdwoptions IS NOT NULL OR ${more}) AS more
      FROM rel
      JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      ${join}
     GROUP BY a.attrelid)`;

const families = `
  parentlist AS (
    SELECT i.inhrelid, json_agg(json_build_object('oid', c.oid::int8, 'nspname', n.nspname, 'relname', c.relname)
                                ORDER BY i.inhseqno) AS parents
      FROM inherit i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY i.inhrelid),
  childlist AS (SELECT inhparent, json_agg(inhrelid::int8 ORDER BY inhrelid) AS children FROM inherit GROUP BY inhparent)`;

interface Parts {
  /** WITH ... */
  readonly parts: string;
  readonly partition: string;
  readonly parents: string;
  readonly children: string;
  readonly reordered: string;
  readonly joins: string;
}

const withFamilies: Parts = {
  parts: `WITH RECURSIVE ${relations}, ${inheritance}, ${constraints},
    ${columns('above.parents', 'above.inhrelid IS NOT NULL', 'LEFT JOIN above ON above.inhrelid = a.attrelid AND above.attname = a.attname')}, ${families}`,
  partition: `CASE WHEN rel.partparent IS NOT NULL THEN
           json_build_object('oid', whole.oid::int8, 'nspname', wholeschema.nspname, 'relname', whole.relname,
                             'bound', pg_get_expr(rel.relpartbound, rel.oid)) END`,
  parents: `coalesce(parentlist.parents, '[]')`,
  children: `coalesce(childlist.children, '[]')`,
  reordered: 'rel.oid IN (SELECT oid FROM reordered)',
  joins: `LEFT JOIN pg_class whole ON whole.oid = rel.partparent
    LEFT JOIN pg_namespace wholeschema ON wholeschema.oid = whole.relnamespace
    LEFT JOIN parentlist ON parentlist.inhrelid = rel.oid
    LEFT JOIN childlist ON childlist.inhparent = rel.oid`,
};

/** Where pg_inherits is empty: to plan all of that takes longer than to run it over a few tables. */
const withoutFamilies: Parts = {
  parts: `WITH
  rel AS MATERIALIZED (SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${ofUser}),
  conlist AS (
    SELECT k.conrelid,
           json_agg(json_build_array(
             k.oid::int8, k.contype, k.conname, k.conislocal, k.connoinherit, k.convalidated, a.attname,
             CASE k.contype WHEN 'c' THEN pg_get_constraintdef(k.oid) END, ${commented}, NULL, NULL) ORDER BY k.conname) AS constraints
      FROM rel JOIN pg_constraint k ON k.conrelid = rel.oid AND k.contype IN ('c', 'n')
      LEFT JOIN pg_attribute a ON k.contype = 'n' AND a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
     GROUP BY k.conrelid),
  ${columns('NULL', 'false', '')}`,
  partition: 'NULL',
  parents: `'[]'::json`,
  children: `'[]'::json`,
  reordered: 'false',
  joins: '',
};

/** The statement for `Kind.query`. The same on all servers: before 18 there are no rows of contype n for tables. */
export function tableQuery({ marks }: Pick<Server, 'marks'>): string {
  const { parts, partition, parents, children, reordered, joins } = mayBe(['pg_inherits'], marks) ? withFamilies : withoutFamilies;
  return `${parts}
  SELECT rel.oid, rel.nspname, rel.relname, pg_get_userbyid(rel.relowner) AS owner, rel.relkind, rel.relpersistence, rel.reltype,
         coalesce(rowtype.typarray, 0) AS typarray, rel.reltoastrelid, rel.relreplident, rel.relrowsecurity, rel.relforcerowsecurity,
         am.amname, spc.spcname, rel.reloptions, toast.reloptions AS toastoptions,
         CASE WHEN rel.reloftype <> 0 THEN format_type(rel.reloftype, NULL) END AS oftype,
         CASE WHEN rel.relkind = 'p' THEN pg_get_partkeydef(rel.oid) END AS partkey,
         ${partition} AS partition,
         CASE WHEN rel.relkind = 'f' THEN
           json_build_object('srvname', far.srvname, 'options', ${optionsSql('ft.ftoptions')}) END AS foreign,
         ${parents} AS parents, ${children} AS children,
         ${reordered} AS reordered,
         coalesce(collist.columns, '[]') AS columns, coalesce(collist.more, '{}') AS more,
         coalesce(conlist.constraints, '[]') AS constraints
    FROM rel
    LEFT JOIN pg_type rowtype ON rowtype.oid = rel.reltype
    LEFT JOIN pg_class toast ON toast.oid = rel.reltoastrelid
    LEFT JOIN pg_am am ON am.oid = rel.relam
    LEFT JOIN pg_tablespace spc ON spc.oid = rel.reltablespace
    LEFT JOIN pg_foreign_table ft ON ft.ftrelid = rel.oid
    LEFT JOIN pg_foreign_server far ON far.oid = ft.ftserver
    ${joins}
    LEFT JOIN collist ON collist.attrelid = rel.oid
    LEFT JOIN conlist ON conlist.conrelid = rel.oid
   ORDER BY rel.oid`;
}
