// What a database holds, to be compared with what came back: every table's and materialized view's rows as a multiset of their texts,
// where every sequence stands, and the large objects with all that is theirs.
import type { TestDatabase } from '../server/index.js';

export interface Contents {
  /** Row texts in order, or their digest where there are many. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  readonly sequences: Readonly<Record<string, string>>;
}

// The rows of a table that is partitioned by a hash of an enum are looked at as a whole: which partition has them depends on OIDs.
const relations = `
  WITH hashed AS (
    SELECT p.partrelid FROM pg_partitioned_table p
     WHERE p.partstrat = 'h' AND EXISTS (SELECT FROM pg_opclass o WHERE o.oid = ANY (p.partclass) AND o.opcintype::regtype::text LIKE 'any%'))
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind, c.relispopulated AS populated,
         c.relkind = 'p' AS whole,
         (SELECT coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname), '') FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE (c.relkind IN ('m', 'S', 'r') OR c.oid IN (SELECT partrelid FROM hashed)) AND c.relpersistence <> 't'
     AND NOT EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN hashed ON a.relid = hashed.partrelid WHERE a.relid <> c.oid)
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1`;

// Columns go by name: in children of inheritance, where the parent got columns later, their order does not survive CREATE TABLE ... INHERITS,
// nor does it with pg_dump. Sorted and hashed on the server; a thousand rows and more, or wide ones, come as one digest.
const rowsOf = ({ name, whole, columns }: Relation): string => `
  SELECT $name$${name}$name$ AS name, CASE WHEN count(*) < 1000 AND coalesce(sum(length(r.text)), 0) < 1000000
           THEN array_agg(r.text ORDER BY r.text COLLATE "C")
           ELSE ARRAY[count(*)::text, md5(string_agg(md5(r.text), '' ORDER BY md5(r.text)))] END AS rows
    FROM (SELECT ROW(${columns})::text AS text FROM ${whole ? '' : 'ONLY'} ${name}) r`;

// Contents in pieces, so that none is too long for a value. The lists of privileges by name, as sets; the default spelled out.
const largeObjects = `
  SELECT concat_ws(' ', o.oid, o.size, m.lomowner::regrole, d.description,
           (SELECT string_agg(a, ',' ORDER BY a) FROM unnest(coalesce(m.lomacl, acldefault('L', m.lomowner))::text[]) a),
           (SELECT md5(string_agg(md5(lo_get(o.oid, at, 1000000)), '' ORDER BY at)) FROM generate_series(0, o.size, 1000000) at)) AS text
    FROM (SELECT oid, lo_lseek64(fd, 0, 2) AS size, lo_close(fd) AS closed
            FROM (SELECT oid, lo_open(oid, 262144) AS fd FROM pg_largeobject_metadata OFFSET 0) f OFFSET 0) o
    JOIN pg_largeobject_metadata m USING (oid)
    LEFT JOIN pg_description d ON d.classoid = 'pg_largeobject'::regclass AND d.objoid = o.oid ORDER BY o.oid`;

interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly populated: boolean;
  readonly whole: boolean;
  /** In the order of their names. */
  readonly columns: string;
}

export async function readContents(db: TestDatabase): Promise<Contents> {
  await using session = await db.connect();
  await session.query(`SET search_path = ''; SET extra_float_digits = 3; SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = 'UTC';
    SET lc_monetary = 'C'; SET bytea_output = hex`);
  const rows: Record<string, readonly string[]> = {};
  const sequences: Record<string, string> = {};
  const queries: string[] = [];
  const standings: string[] = [];
  for (const relation of (await session.query<Relation>(relations)).rows) {
    const { name, kind, populated } = relation;
    if (kind === 'S') standings.push(`SELECT $name$${name}$name$ AS name, last_value || ' ' || is_called AS value FROM ${name}`);
    else if (populated) queries.push(rowsOf(relation));
    else rows[name] = ['not populated'];
  }
  for (let at = 0; at < queries.length; at += 100) {
    const found = await session.query<{ name: string; rows: string[] | null }>(queries.slice(at, at + 100).join(' UNION ALL '));
    for (const row of found.rows) rows[row.name] = row.rows ?? [];
  }
  const blobs = (await session.query<{ text: string }>(largeObjects)).rows.map(({ text }) => text);
  if (blobs.length > 0) rows['large objects'] = blobs;
  if (standings.length > 0) {
    for (const { name, value } of (await session.query<{ name: string; value: string }>(standings.join(' UNION ALL '))).rows)
      sequences[name] = value;
  }
  return { rows, sequences };
}
