// Lists the relations of the database by name before the locks, so that tables can be chosen, and describes the chosen tables with sizes
// and columns under their locks. Columns keep PostgreSQL's names in SQL and get ours here.
import type { Queryable } from '../pg/in-turn.js';
import type { ColumnType } from './copy-format.js';

/** A relation before the locks: enough to choose and lock it. */
export interface ListedRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** r table, p partitioned table, v view, m materialized view, S sequence, f foreign table. Only the first two are locked;
   *  foreign tables are read where they are asked for. */
  readonly relkind: 'r' | 'p' | 'v' | 'm' | 'S' | 'f';
  /** OID of the partitioned table that it is a partition of. */
  readonly partitionOf: number | null;
  /** OIDs of the tables that it inherits from, where it is no partition. */
  readonly inherits: readonly number[];
  /** Name of the server that the rows of a foreign table are on. */
  readonly server: string | null;
  /** Where it belongs to an extension that says that rows of it are the user's: those that meet its condition, which may be empty. */
  readonly extension: { readonly name: string; readonly condition: string } | null;
}

export interface DescribedColumn extends ColumnType {
  readonly name: string;
  readonly type: string;
}

/** A table under its lock. */
export interface DescribedTable extends ListedRelation {
  readonly unlogged: boolean;
  /** Its rows lie in a heap, so they can be split by ctid. */
  readonly heap: boolean;
  /** Blocks of its heap, and bytes with those of TOAST. */
  readonly blocks: bigint;
  readonly bytes: bigint;
  /** Rows as of the last ANALYZE, -1 where unknown. */
  readonly estimatedRows: number;
  /** OID of the topmost partitioned table above it whose hash depends on OIDs: that of an enum's value is the hash of its OID in
   *  pg_enum, which is another one in every database, and so it is for arrays, composites and ranges of such. */
  readonly hashedByOid: number | null;
  /** What COPY carries: not dropped, not generated, in attnum order. */
  readonly columns: readonly DescribedColumn[];
  /** The file that the snapshot's catalogs name is not the file of now: TRUNCATE or a rewrite came between. */
  readonly rewritten: boolean;
}

// Extension members are made by their extension, which may leave rows of some to the user; temporary tables belong to their session.
const ours = `c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
  AND (n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
       OR c.relkind IN ('r', 'S') AND EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))`;

const extension = `(SELECT json_build_object('name', e.extname, 'condition', e.extcondition[array_position(e.extconfig, c.oid)])
         FROM pg_extension e WHERE c.oid = ANY (e.extconfig) AND c.relkind IN ('r', 'S') LIMIT 1) AS extension`;

const foreignServer = `CASE WHEN c.relkind = 'f' THEN (
         SELECT s.srvname FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid) END AS srvname`;

const list = `
SELECT c.oid, n.nspname, c.relname, c.relkind::text, ${foreignServer}, ${extension},
       (SELECT i.inhparent FROM pg_inherits i WHERE c.relispartition AND i.inhrelid = c.oid) AS inhparent,
       (SELECT json_agg(i.inhparent::int8) FROM pg_inherits i WHERE NOT c.relispartition AND i.inhrelid = c.oid) AS inherits
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE ${ours}
 ORDER BY n.nspname, c.relname`;

interface ListRow {
  readonly oid: number;
  readonly nspname: string;
  readonly relname: string;
  readonly relkind: ListedRelation['relkind'];
  readonly inhparent: number | null;
  readonly inherits?: readonly number[] | null;
  readonly srvname: string | null;
  readonly extension: ListedRelation['extension'];
}

function listed({ oid, nspname, relname, relkind, inhparent, inherits, srvname, extension }: ListRow): ListedRelation {
  return { oid, schema: nspname, name: relname, relkind, partitionOf: inhparent, inherits: inherits ?? [], server: srvname, extension };
}

/** Every relation of the user, ordered by schema and name. */
export async function listRelations(session: Queryable): Promise<ListedRelation[]> {
  const rows = await session.query<ListRow & Record<string, unknown>>(list);
  return rows.map(listed);
}

/** Every schema of the user, and `public`. */
export async function listSchemas(session: Queryable): Promise<string[]> {
  const rows = await session.query<{ nspname: string }>(
    `SELECT nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY nspname`,
  );
  return rows.map(({ nspname }) => nspname);
}

// Sizes by file: pg_table_size would open the indexes of TOAST, too, which takes longer than all else here.
const describe = `
SELECT c.oid, n.nspname, c.relname, c.relkind::text, ${foreignServer}, ${extension},
       (SELECT i.inhparent FROM pg_inherits i WHERE c.relispartition AND i.inhrelid = c.oid) AS inhparent,
       c.relpersistence = 'u' AS unlogged,
       c.relkind = 'r' AND (SELECT a.amname = 'heap' FROM pg_am a WHERE a.oid = c.relam) AS heap,
       coalesce(main.bytes, 0) / current_setting('block_size')::int AS blocks,
       coalesce(main.bytes, 0) + CASE WHEN main.bytes IS NOT NULL AND c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END AS bytes,
       c.reltuples,
       c.relkind = 'r' AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) AS rewritten,
       CASE WHEN c.relispartition THEN (
         SELECT p.partrelid FROM pg_partition_ancestors(c.oid) WITH ORDINALITY AS above (relid, place)
           JOIN pg_partitioned_table p ON p.partrelid = above.relid
          WHERE p.partstrat = 'h' AND EXISTS (SELECT FROM unnest(p.partclass) AS k (opclass) JOIN pg_opclass o ON o.oid = k.opclass
                  WHERE o.opcintype = ANY ('{anyenum,anyarray,record,anyrange,anymultirange}'::regtype[]))
          ORDER BY above.place DESC LIMIT 1) END AS hashed_by_oid,
       coalesce(a.columns, '[]') AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT CASE WHEN $2 AND c.relkind = 'r' THEN pg_relation_size(c.oid) END AS bytes) main
  LEFT JOIN (
    SELECT a.attrelid, json_agg(json_build_array(
             a.attname, format_type(a.atttypid, a.atttypmod), base.oid::bigint, base.typtype,
             CASE WHEN base.typcategory = 'A' THEN base.typelem::bigint ELSE 0 END) ORDER BY a.attnum) AS columns
      FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
      JOIN pg_type base ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
     WHERE $3 AND a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     GROUP BY a.attrelid) a ON a.attrelid = c.oid
 WHERE c.oid = ANY ($1)
 ORDER BY n.nspname, c.relname`;

interface DescribeRow extends ListRow {
  readonly unlogged: boolean;
  readonly heap: boolean | null;
  readonly blocks: string;
  readonly bytes: string;
  readonly reltuples: number;
  readonly rewritten: boolean;
  readonly hashed_by_oid: number | null;
  readonly columns: readonly (readonly [name: string, type: string, typeOid: number, typtype: string, elementOid: number])[];
}

/** By number: taking each of so many lists apart with an iterator costs more than what is made of it. */
function readColumn(list: DescribeRow['columns'][number]): DescribedColumn {
  return { name: list[0], type: list[1], typeOid: list[2], typtype: list[3], elementOid: list[4] };
}

/** The tables with these OIDs, as the transaction's snapshot sees them; one that is gone is missing from the answer.
 *  @param wanted sizes are 0 unless they are, and columns missing: rows can only be read with both, and sizes take the longest */
export async function describeTables(
  session: Queryable,
  oids: readonly number[],
  wanted: Readonly<Record<'sizes' | 'columns', boolean>>,
): Promise<DescribedTable[]> {
  const rows = await session.query<DescribeRow & Record<string, unknown>>(describe, [oids, wanted.sizes, wanted.columns]);
  return rows.map((row) => ({
    unlogged: row.unlogged,
    heap: row.heap === true,
    blocks: BigInt(row.blocks),
    bytes: BigInt(row.bytes),
    estimatedRows: row.reltuples,
    columns: row.columns.map(readColumn),
    rewritten: row.rewritten,
    hashedByOid: row.hashed_by_oid,
    ...listed(row),
  }));
}
