// Rows for whatever tables a fixture has: values by column type from the catalogs, several attempts a table, and what the server refuses
// (a check, a partition's bounds, a missing parent) is passed over.
import type { TestDatabase } from '../server/index.js';

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  readonly typtype: string;
  readonly category: string;
  /** Element of an array, base of a domain, subtype of a range, range of a multirange; else 0. */
  readonly inner: number;
  readonly labels: readonly string[] | null;
  /** Column types of a composite. */
  readonly fields: readonly number[] | null;
}

interface TableRow {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: number }[];
}

const typesQuery = (ranges: string) => `
  SELECT t.oid, t.typname AS name, t.typtype, t.typcategory AS category,
         CASE t.typtype WHEN 'd' THEN t.typbasetype ${ranges}
              ELSE CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END END AS inner,
         (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
         (SELECT json_agg(a.atttypid::int ORDER BY a.attnum) FROM pg_attribute a
           WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS fields
    FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid`;

// Rows in a child of a system catalog would be rows of that catalog to whoever reads it. A parent of foreign tables cannot be read.
const tablesQuery = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
         (SELECT coalesce(json_agg(json_build_object('name', quote_ident(a.attname), 'type', a.atttypid::int) ORDER BY a.attnum), '[]')
            FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') 
     AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent < 16384)
     AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class f ON f.oid = i.inhrelid WHERE i.inhparent = c.oid AND f.relkind = 'f')
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY c.relkind DESC, c.oid`;

const byName: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  date: ['2020-02-29', '2024-06-15', '1999-12-31', '2021-01-01'],
  timestamp: ['2020-02-29 12:34:56.789', '2024-06-15 00:00:00', '1999-12-31 23:59:59', '2021-01-01'],
  timestamptz: ['2020-02-29 12:34:56.789+02', '2024-06-15 00:00:00Z', '1999-12-31 23:59:59Z', '2021-01-01Z'],
  time: ['12:34:56.789', '00:00'],
  timetz: ['12:34:56.789+02', '00:00Z'],
  interval: ['1 year 2 days 03:04:05.6', '-3 days'],
  uuid: ['00000000-0000-4000-8000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  json: ['{"a": [1, null, "x\\\\y"]}', '"b"', '3'],
  jsonb: ['{"a": [1, null, "x\\\\y"]}', '"b"', '3'],
  xml: ['<a>1</a>', 'text <b/>'],
  bytea: ['\\x00ff5c0a', '\\x'],
  inet: ['10.1.2.3/8', '::1'],
  cidr: ['10.0.0.0/8', '::/0'],
  macaddr: ['08:00:2b:01:02:03'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  bit: ['1', '0'],
  varbit: ['101', ''],
  point: ['(1,2)', '(-0.5,1e300)'],
  line: ['{1,2,3}'],
  lseg: ['[(0,0),(1,1)]'],
  box: ['(1,1),(0,0)'],
  path: ['[(0,0),(1,1),(2,0)]', '((0,0),(1,1))'],
  polygon: ['((0,0),(1,1),(2,0))'],
  circle: ['<(0,0),1>'],
  tsvector: ["'a':1A 'b c':2"],
  tsquery: ["'a' & 'b'"],
  pg_lsn: ['16/B374D848', '0/0'],
  money: ['12.34', '-1'],
  regclass: ['pg_class', 'pg_type'],
  regtype: ['integer', 'text'],
  regproc: ['now'],
  tid: ['(1,2)'],
};
const numbers = ['1', '2', '3', '5', '15', '42', '100', '150', '7', '11'];
const texts = ['a', 'b', 'c', 'one', 'a\tb\\n\n\\.\n', '', 'm', 'z', 'A', '1', 'abc', '2'];
const rounds = 12;

/** Puts some rows into every table that takes any, moves sequences, refreshes materialized views.
 *  @returns names of tables that were left empty */
export async function fillDatabase(db: TestDatabase): Promise<readonly string[]> {
  const types = new Map(
    (await db.query<TypeRow>(typesQuery(`WHEN 'r' THEN r.rngsubtype WHEN 'm' THEN m.rngtypid`))).map((row) => [row.oid, row]),
  );
  const tables = await db.query<TableRow>(tablesQuery);
  const statements = Array.from({ length: rounds }, (_, round) => tables.map((table) => insert(table, { round, types }))).flat();
  await attempt(db, statements);
  await attempt(
    db,
    await commands(
      db,
      `SELECT format('SELECT nextval(%L)', oid::regclass) AS command FROM pg_class WHERE relkind = 'S' AND oid::int8 % 3 > 0`,
    ),
  );
  const refresh = `SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass) AS command FROM pg_class
                    WHERE relkind = 'm' AND relispopulated ORDER BY oid`;
  // An event trigger may forbid it; the restored views will be filled all the same.
  await attempt(db, ['SET session_replication_role = replica', ...(await commands(db, refresh))]);
  return (await commands(db, emptyTables(tables))).filter((name) => name !== '');
}

function emptyTables(tables: readonly TableRow[]): string {
  return ["SELECT '' AS command", ...tables.map(({ name }) => `SELECT $q$${name}$q$ WHERE NOT EXISTS (SELECT FROM ${name})`)].join(
    ' UNION ALL ',
  );
}

async function commands(db: TestDatabase, query: string): Promise<readonly string[]> {
  return (await db.query<{ command: string }>(query)).map(({ command }) => command);
}

/** One round trip for all of them; what fails is undone by itself. */
async function attempt(db: TestDatabase, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  const array = statements.map(literal).join(',\n');
  await db.run(`
    DO $do$ DECLARE command text; BEGIN
      SET CONSTRAINTS ALL IMMEDIATE;
      FOREACH command IN ARRAY ARRAY[${array}]::text[] LOOP
        BEGIN EXECUTE command; EXCEPTION WHEN others THEN NULL; END;
      END LOOP;
    END $do$`);
}

function insert({ name, columns }: TableRow, { round, types }: { round: number; types: ReadonlyMap<number, TypeRow> }): string {
  // The first round gives every column something, the next leaves all to the defaults, later ones mix values and NULLs.
  if (columns.length === 0 || round === 1) return `INSERT INTO ${name} DEFAULT VALUES`;
  const values = columns.map(({ type }, at) => {
    if (round > 1 && (round + at) % 7 === 0) return 'NULL';
    // Odd rounds differ from column to column, even ones do not: what must agree with each other does in some.
    const candidates = valuesOf(types, type);
    return literal(candidates[(round + (round % 2) * at) % candidates.length] ?? '1');
  });
  return `INSERT INTO ${name} (${columns.map((column) => column.name).join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${values.join(', ')})`;
}

function valuesOf(types: ReadonlyMap<number, TypeRow>, oid: number, depth = 0): readonly string[] {
  const type = types.get(oid);
  if (type === undefined || depth > 4) return numbers;
  const inner = (): readonly string[] => valuesOf(types, type.inner, depth + 1);
  const element = (at: number): string => {
    const values = inner();
    return values[at % values.length] ?? '1';
  };
  if (type.typtype === 'e') return type.labels && type.labels.length > 0 ? type.labels : ['none'];
  if (type.typtype === 'd') return inner();
  if (type.typtype === 'c') {
    const row = (at: number): string => {
      const fields = (type.fields ?? []).map((field) => valuesOf(types, field, depth + 1));
      return `(${fields.map((values) => quoted(values[at % values.length] ?? '1')).join(',')})`;
    };
    return [row(0), row(1), row(2)];
  }
  if (type.typtype === 'r') return [`[${quoted(element(0))},)`, `(,${quoted(element(1))})`, 'empty', '(,)'];
  if (type.typtype === 'm') return ['{}', `{${element(0)}}`];
  if (type.inner !== 0) return [`{${quoted(element(0))}}`, `{${quoted(element(1))},NULL,${quoted(element(2))}}`, '{}'];
  return byName[type.name] ?? (type.category === 'N' ? numbers : texts);
}

/** As arrays, composites and ranges all read it. */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function literal(value: string): string {
  return `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
