// What somebody could put into the catalog of an archive, each under a kind that sounds plain: every one of them must stay out. `leaks` is the
// function that leaves a trace wherever it is run.
import type { Added } from './rewrite.js';

/** Runs as whoever calls it; a table is the trace. */
const body = `BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS public.trace ()'; RETURN 1; END`;
export const leaks = `CREATE FUNCTION "public"."leaks"() RETURNS integer LANGUAGE plpgsql AS '${body.replaceAll("'", "''")}'`;
const trigger = `CREATE FUNCTION "public"."leaks_late"() RETURNS trigger LANGUAGE plpgsql AS '${body.replaceAll("'", "''")}'`;
const call = '"public"."leaks"()';

const table = (name: string, statement: string): Added => ({
  object: { kind: 'table', schema: 'public', name },
  steps: [{ statements: [statement] }],
});
const create = (name: string, inside: string): Added => table(name, `CREATE TABLE "public"."${name}" (${inside})`);

/** Statements that are no CREATE TABLE, as a step of a table. */
const others = [
  leaks,
  `DO 'BEGIN PERFORM 1; END'`,
  `COPY (SELECT 1) TO PROGRAM 'true'`,
  `COPY "public"."t" TO '/tmp/tidemark-trace'`,
  'SELECT "public"."leaks"()',
  `SELECT pg_catalog.pg_read_file('/etc/passwd')`,
  `SELECT pg_catalog.lo_import('/etc/passwd')`,
  "ALTER SYSTEM SET archive_command = 'true'",
  'ALTER ROLE CURRENT_USER SET search_path = evil',
  'ALTER DATABASE postgres SET search_path = evil',
  'SET ROLE postgres',
  'RESET ROLE',
  'CREATE ROLE "evil" SUPERUSER',
  'GRANT ALL ON SCHEMA "public" TO PUBLIC',
  'CREATE EVENT TRIGGER "e" ON ddl_command_end EXECUTE FUNCTION "public"."leaks_late"()',
  'CREATE EXTENSION "dblink"',
  `CREATE SUBSCRIPTION "s" CONNECTION 'host=127.0.0.1' PUBLICATION "p" WITH (connect = false)`,
  'CREATE PUBLICATION "p" FOR ALL TABLES',
  'CREATE VIEW "public"."o" AS SELECT 1',
  'CREATE TABLE "public"."o" AS SELECT "public"."leaks"()',
  'LISTEN x',
  `NOTIFY x`,
  'PREPARE x AS SELECT 1',
  "LOAD 'auto_explain'",
  'CREATE TEMPORARY TABLE "o" ()',
  'DROP TABLE "public"."t"',
  'TRUNCATE "public"."t"',
  'COMMIT',
  `SECURITY LABEL ON TABLE "public"."t" IS 'x'`,
  'IMPORT FOREIGN SCHEMA "x" FROM SERVER "y" INTO "public"',
  'ALTER TABLE "public"."t" OWNER TO postgres',
  'ALTER TABLE "public"."t" ADD COLUMN "more" integer DEFAULT "public"."leaks"()',
  'ALTER TABLE "public"."t" DISABLE TRIGGER ALL',
  'CREATE TABLE "public"."o" (LIKE "public"."t" INCLUDING ALL)',
  '',
];

/** As the default of a column. */
const defaults = [
  call,
  `(${call} + 1)`,
  '(SELECT "public"."leaks"())',
  `CASE WHEN true THEN ${call} ELSE 0 END`,
  `COALESCE(${call}, 0)`,
  `(ARRAY[${call}])[1]`,
  `"length"(${call}::"text")`,
  `"pg_read_file"('/etc/passwd'::"text")`,
  `"lo_import"('/etc/passwd'::"text")`,
  `"set_config"('search_path'::"text", 'public'::"text", false)`,
  `"pg_sleep"(1000)`,
  `"query_to_xml"('SELECT public.leaks()'::"text", true, true, ''::"text")`,
  `"current_setting"('x'::"text")`,
  `"dblink"('x'::"text")`,
  '1 OPERATOR("public".+) 1',
  `'x'::"public"."evil_type"`,
  `'public.leaks()'::"regprocedure"`,
  `"nextval"('"public"."t"'::"regclass")`,
  `"nextval"('pg_catalog.pg_class'::"regclass")`,
  `("t")."leaks"`,
  `"t".*`,
  '1); DROP TABLE "public"."t"; --',
  '1 /* */',
  '1 -- x',
  '$$x$$',
  `E'\\''`,
  `U&"\\0061"()`,
  `'a'\n'b'`,
  '$1',
  `"repeat"('x'::"text", 1000000000)`,
  `('x'::"text" ~ '(a|a)*b'::"text")`,
  'CURRENT_USER',
];

/** After a column, as more of CREATE TABLE. */
const tails = [
  `"a" integer CHECK (${call} > 0)`,
  `"a" integer, CHECK (${call} > 0)`,
  `"a" integer, EXCLUDE USING "gist" ("a" WITH =)`,
  `"a" integer REFERENCES "public"."t"`,
  `"a" "public"."evil_type"`,
  `"a" "pg_catalog"."pg_node_tree"`,
  `"a" "information_schema"."sql_identifier"`,
  `"a" "regproc"`,
  `"a" integer) AS SELECT ${call}; --`,
  `"a" integer) TABLESPACE "x"; CREATE TABLE "public"."x" ("b" integer`,
  `LIKE "public"."t"`,
  `"a" integer STORAGE plain`,
  `${'"a" integer DEFAULT '}${'('.repeat(500)}1${')'.repeat(500)} NOTHING`,
  `"a\u0000b" integer`,
  `"a\ud800b" integer`,
  `"${'a'.repeat(64)}" integer`,
  `"\\! touch x\n" integer`,
  `"" integer`,
];

const names: readonly Added[] = [
  {
    object: { kind: 'table', schema: 'pg_catalog', name: 'n1' },
    steps: [{ statements: ['CREATE TABLE "pg_catalog"."n1" ("a" integer)'] }],
  },
  { object: { kind: 'table', schema: 'pg_temp', name: 'n2' }, steps: [{ statements: ['CREATE TABLE "pg_temp"."n2" ("a" integer)'] }] },
  {
    object: { kind: 'table', schema: 'information_schema', name: 'n3' },
    steps: [{ statements: ['CREATE TABLE "information_schema"."n3" ()'] }],
  },
  {
    object: { kind: 'table', schema: 'tidemark_restoring', name: 'n4' },
    steps: [{ statements: ['CREATE TABLE "tidemark_restoring"."n4" ()'] }],
  },
  { object: { kind: 'table', schema: 'nowhere', name: 'n5' }, steps: [{ statements: ['CREATE TABLE "nowhere"."n5" ()'] }] },
  { object: { kind: 'table', schema: 'public', name: 'listed' }, steps: [{ statements: ['CREATE TABLE "public"."another" ()'] }] },
  { object: { kind: 'schema', name: 'pg_evil' }, steps: [{ statements: ['CREATE SCHEMA "pg_evil"'] }] },
  { object: { kind: 'schema', name: 's1' }, steps: [{ statements: ['CREATE SCHEMA "s1" AUTHORIZATION "postgres"'] }] },
  { object: { kind: 'schema', name: 's2' }, steps: [{ statements: ['CREATE SCHEMA "s2" CREATE TABLE "x" ()'] }] },
];

const onTable = (kind: string, name: string, statement: string): Added => ({
  object: { kind, schema: 'public', name, parent: 0 },
  steps: [{ section: 'post-data', statements: [statement] }],
});

/** Of the table `t`, which must be the object 0 of the catalog. */
const parts: readonly Added[] = [
  onTable('index', 'i1', `CREATE INDEX "i1" ON "public"."t" USING "btree" (${call})`),
  onTable('index', 'i2', `CREATE INDEX "i2" ON "public"."t" USING "btree" ("id") WHERE (${call} > 0)`),
  onTable('index', 'i3', `CREATE INDEX "i3" ON "public"."t" USING "btree" ("id" "public"."evil_ops")`),
  onTable('index', 'i4', `CREATE INDEX "i4" ON "public"."t" USING "evil" ("id")`),
  onTable('index', 'i5', `CREATE INDEX CONCURRENTLY "i5" ON "public"."t" USING "btree" ("id")`),
  onTable('index', 'i6', `CREATE INDEX "i6" ON "pg_catalog"."pg_class" USING "btree" ("relname")`),
  onTable('constraint', 'c1', `ALTER TABLE ONLY "public"."t" ADD CONSTRAINT "c1" EXCLUDE USING "btree" (${call} WITH =)`),
  onTable('constraint', 'c2', `DO 'BEGIN PERFORM public.leaks(); END'`),
  onTable('constraint', 'c3', `ALTER TABLE ONLY "public"."t" ADD CONSTRAINT "c3" UNIQUE USING INDEX "x"`),
  onTable('check', 'c4', `ALTER TABLE "public"."t" ADD CONSTRAINT "c4" CHECK ((${call} > 0))`),
  onTable('check', 'c5', `ALTER TABLE "public"."t" ADD CONSTRAINT "c5" CHECK (true), ADD COLUMN "x" integer DEFAULT ${call}`),
  onTable('default', 't.v', `ALTER TABLE ONLY "public"."t" ALTER COLUMN "v" SET DEFAULT ${call}`),
  onTable('default', 't.id', `ALTER TABLE ONLY "pg_catalog"."pg_class" ALTER COLUMN "relname" SET DEFAULT 1`),
  onTable(
    'foreign key',
    'f1',
    `ALTER TABLE ONLY "public"."t" ADD CONSTRAINT "f1" FOREIGN KEY ("id") REFERENCES "pg_catalog"."pg_class"("oid")`,
  ),
  onTable('trigger', 'g1', `CREATE TRIGGER "g1" BEFORE INSERT ON "public"."t" FOR EACH ROW EXECUTE FUNCTION "public"."leaks_late"()`),
  onTable('rule', 'r1', `CREATE RULE "r1" AS ON INSERT TO "public"."t" DO ALSO SELECT ${call}`),
  onTable('policy', 'p1', `CREATE POLICY "p1" ON "public"."t" USING (${call} > 0)`),
  onTable('statistics', 'x1', `CREATE STATISTICS "public"."x1" ON (${call}), "id" FROM "public"."t"`),
  onTable(
    'sequence',
    'q1',
    `ALTER TABLE "public"."t" ALTER COLUMN "id" ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "pg_catalog"."q1")`,
  ),
];

const values: readonly Added[] = [
  ['q2', `SELECT pg_catalog.setval('"public"."q2"'::pg_catalog.regclass, 1, true), "public"."leaks"()`],
  ['q3', `SELECT "public"."leaks"()`],
  ['q4', `SELECT pg_catalog.setval('public.q4'::pg_catalog.regclass, "public"."leaks"(), true)`],
].map(([name = '', statement = '']) => ({
  object: { kind: 'sequence', schema: 'public', name },
  steps: [
    { statements: [`CREATE SEQUENCE "public"."${name}" AS bigint START WITH 1`] },
    { section: 'data', facet: 'value', statements: [statement] },
  ],
}));

const types: readonly Added[] = [
  { object: { kind: 'function', schema: 'public', name: 'leaks()' }, steps: [{ statements: [leaks] }] },
  { object: { kind: 'function', schema: 'public', name: 'leaks_late()' }, steps: [{ statements: [trigger] }] },
  {
    object: { kind: 'domain', schema: 'public', name: 'd1' },
    steps: [{ statements: [`CREATE DOMAIN "public"."d1" AS integer DEFAULT ${call} CONSTRAINT "c" CHECK ((${call} > 0))`] }],
  },
  {
    object: { kind: 'enum', schema: 'public', name: 'e1' },
    steps: [{ statements: [`CREATE TYPE "public"."e1" AS ENUM ('a'); ${leaks}`] }],
  },
  {
    object: { kind: 'range', schema: 'public', name: 'r1' },
    steps: [{ statements: ['CREATE TYPE "public"."r1" AS RANGE (subtype = integer)'] }],
  },
  {
    object: { kind: 'composite', schema: 'public', name: 'k1' },
    steps: [{ statements: ['CREATE TYPE "public"."k1" (INPUT = "int4in", OUTPUT = "int4out")'] }],
  },
  {
    object: { kind: 'cast', name: 'integer AS text' },
    steps: [{ statements: [`CREATE CAST (integer AS "text") WITH FUNCTION "public"."leaks"()`] }],
  },
  { object: { kind: 'view', schema: 'public', name: 'v1' }, steps: [{ statements: [`CREATE VIEW "public"."v1" AS SELECT ${call}`] }] },
  {
    object: { kind: 'materialized view', schema: 'public', name: 'm1' },
    steps: [
      { statements: [`CREATE MATERIALIZED VIEW "public"."m1" AS SELECT ${call} WITH NO DATA`] },
      { section: 'post-data', facet: 'refresh', statements: ['REFRESH MATERIALIZED VIEW "public"."m1"'] },
    ],
  },
  { object: { kind: 'extension', name: 'dblink' }, steps: [{ statements: ['CREATE EXTENSION "dblink"'] }] },
  { object: { kind: 'server', name: 'w1' }, steps: [{ statements: ['CREATE SERVER "w1" FOREIGN DATA WRAPPER "dblink_fdw"'] }] },
  {
    object: { kind: 'event trigger', name: 'et' },
    steps: [{ statements: ['CREATE EVENT TRIGGER "et" ON ddl_command_end EXECUTE FUNCTION "public"."leaks_late"()'] }],
  },
  { object: { kind: '__proto__', name: 'proto' }, steps: [{ statements: [leaks] }] },
  { object: { kind: 'constructor', name: 'constructor' }, steps: [{ statements: [leaks] }] },
];

/** Facets of an object that is there. */
const facets: readonly Added[] = [
  {
    object: { kind: 'table', schema: 'public', name: 'faceted' },
    steps: [
      { statements: ['CREATE TABLE "public"."faceted" ("a" integer)'] },
      { facet: 'owner', statements: [leaks] },
      { facet: 'privilege', statements: ['GRANT ALL ON TABLE "public"."faceted" TO PUBLIC'] },
      { facet: 'security-label', statements: [leaks] },
      { facet: 'comment', statements: [leaks] },
      { facet: 'refresh', statements: [leaks] },
      { facet: 'value', statements: [leaks] },
    ],
  },
];

/** Each by itself stays out, or what is hostile in it. */
export const hostile: readonly Added[] = [
  ...types,
  ...names,
  ...others.map((statement, at) => table(`o${at}`, statement)),
  ...defaults.map((text, at) => create(`d${at}`, `"a" integer DEFAULT ${text}`)),
  ...defaults.map((text, at) => create(`g${at}`, `"a" integer GENERATED ALWAYS AS (${text}) STORED`)),
  ...defaults.map((text, at) => table(`p${at}`, `CREATE TABLE "public"."p${at}" ("a" integer)\nPARTITION BY RANGE ((${text}))`)),
  ...tails.map((text, at) => create(`t${at}`, text)),
  ...parts,
  ...values,
  ...facets,
];
