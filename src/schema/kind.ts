// The one shape that every kind of database object has, and the drafts it gives. A kind reads its catalog with one set-based query
// and turns each row into objects with steps; the graph (graph.ts) adds the edges of pg_depend, sorts, breaks loops and numbers them.
// Owners, comments and privileges are the same for all kinds and live in facets/.
import type * as z from 'zod';
import type { Facet, OidRange, Section } from '../model/catalog.js';
import type { TidemarkError } from '../model/errors.js';
import type { LeftOut } from '../model/manifest.js';
import type { Mark, Marks } from './marks.js';

/** What queries and emitters branch on. */
export interface Server {
  /** `server_version_num`, e.g. 180004. */
  readonly version: number;
  readonly superuser: boolean;
  /** `pg_is_in_recovery()` */
  readonly inRecovery: boolean;
  /** May read the options of all user mappings, and the connection strings of subscriptions: superusers, and who may read all. */
  readonly readsUserMappings: boolean;
  readonly readsSubscriptions: boolean;
  /** In the transaction's view somebody, an extension say, has added members to operator families since initdb. */
  readonly familyMembers: boolean;
  /** What there is in the transaction's view; absent where nobody has looked yet. */
  readonly marks?: Marks;
  /** Asked for: secrets (options of user mappings, passwords in connection strings) are taken along. Default: they are left out. */
  readonly secrets?: boolean;
}

/** Identity of a catalog row, `pg_class:16403`, or of one step of that object, `pg_class:16403/owned-by`. */
export type Key = string;

/** Keys of the schemas that are being read. A string that is made anew is hashed anew by every map that is asked for it, and compared
 *  letter by letter. */
const keys = new Map<string, Map<number, Key>>();

/** The key of a catalog row; the catalog by its unqualified name, as pg_depend's classid::regclass prints it. */
export function key(catalog: string, oid: number, step?: string): Key {
  const row = keys.get(catalog)?.get(oid) ?? remember(catalog, oid);
  return step === undefined ? row : `${row}/${step}`;
}

function remember(catalog: string, oid: number): Key {
  const ofCatalog = keys.get(catalog) ?? new Map<number, Key>();
  keys.set(catalog, ofCatalog);
  const row = `${catalog}:${oid}`;
  ofCatalog.set(oid, row);
  return row;
}

/** Once a schema is put together. Another that is being read makes its keys again: they are equal. */
export function forgetKeys(): void {
  keys.clear();
}

/** Told to a step when it renders itself: what became of the steps that wanted to be folded into it. */
export interface Form {
  /** True when that inlineable step could not be folded in, because a loop had to be broken: it runs by itself, later. */
  separated(step: Key): boolean;
}

/** How a step can come in two parts, so that a loop of dependencies through it is broken. */
export interface Split {
  /** Lower is tried first. 1 type shell, 2 default, 3 check, 4 view stub, 5 function placeholder, 6 generated column, 7 move to post-data.
   *  (2 and 3 are implied by `inlineInto` and need no Split.) */
  readonly cost: number;
  /** The early part (a shell, stub or placeholder), with all that it needs; null: there is none, the whole step moves to post-data. */
  readonly early: { readonly statements: readonly string[]; readonly needs: readonly Key[] } | null;
  /** What runs late instead of the step's own statements (CREATE OR REPLACE); default: the step's own statements. */
  readonly late?: readonly string[];
}

/** One action on an object. */
export interface StepDraft {
  /** The object's own key for its definition, `${object}/${word}` for everything else. */
  readonly key: Key;
  readonly facet: Facet;
  readonly section: Section;
  /** What must run before, beyond what pg_depend says of the object (which is charged to its definition). Keys of objects or of steps;
   *  keys that mean nothing here (built-in objects) are ignored. */
  readonly needs?: readonly Key[];
  /** Folded into that step's statement (a default into its CREATE TABLE) unless a loop must be broken: then it runs by itself. */
  readonly inlineInto?: Key;
  /** The statements, each one command without a trailing semicolon. Not called while the step is folded into another. */
  statements(form: Form): readonly string[];
  readonly split?: Split;
  readonly roles?: readonly string[];
}

/** A row of pg_depend whose depender is this object. */
export interface DependEdge {
  /** Key of what is depended on (resolved: a row type gives its table, a member of an extension gives the extension). */
  readonly ref: Key;
  /** Column number of the depender, or 0. */
  readonly subid: number;
  /** n normal, a auto, i internal, P and S partition, x extension. 'e' and 'p' rows are not shown. */
  readonly type: string;
}

/** An object and all that is to be done for it except owner, comment and privileges, which the facets add from the fields here. */
export interface ObjectDraft {
  /** `key(catalog, oid)`: what pg_depend and pg_description call it. */
  readonly key: Key;
  readonly kind: string;
  readonly schema?: string;
  /** Bare name; routines add their argument types, so that the name is unique in kind and schema. */
  readonly name: string;
  /** The object it belongs to, and is selected with: the table of an index, constraint, trigger, policy, rule, owned sequence, ... */
  readonly parent?: Key;
  /** The partitioned table that this table is a partition of; for the selection only, the attach step is what makes it one. */
  readonly partitionOf?: Key;
  /** The tables that it inherits from, partitions apart; for the selection only. */
  readonly inherits?: readonly Key[];
  /** Further catalog rows that are this object: row type, array type, multirange, backing index, _RETURN rule, ... */
  readonly also?: readonly Key[];
  /** The definition first. An object that is made by its parent's statement has no steps. */
  readonly steps: readonly StepDraft[];
  /** As in `ALTER <ddl>`, `COMMENT ON <ddl>`: `TABLE "public"."t"`, `FUNCTION "s"."f"(integer)`, `TRIGGER "x" ON "s"."t"`. */
  readonly ddl: string;
  /** As in `GRANT ... ON <grant>`, where it has privileges: `TABLE "public"."t"`, `SEQUENCE ...`, `FUNCTION ...`, `TYPE ...`. */
  readonly grant?: string;
  /** As in `DROP <drop>`; default: `ddl` where there is no parent, nothing where there is one. */
  readonly drop?: string;
  /** OIDs that the object keeps on the target: those of a group of large objects. */
  readonly oids?: readonly OidRange[];
  /** Role name, for kinds whose owner is set by ALTER ... OWNER TO. */
  readonly owner?: string;
  /** The name of a column, for comments and privileges on columns. Columns are called `"schema"."name"."column"`. */
  readonly columnName?: (attnum: number) => string | undefined;
  /** Catalog rows that pg_depend names where an expression uses this object: a cast's function, the operators of an operator class (DISTINCT,
   *  ORDER BY and comparisons of rows ask for it). Whoever depends on one of these rows needs this object, too. */
  readonly usedThrough?: readonly Key[];
  /** What of it is not carried, and why: a secret, a state. Told to whoever takes the object along. */
  readonly leftOut?: readonly string[];
  /** Why it cannot be made at all: it is left out, and listed. */
  readonly absent?: string;
  /** Charges an edge of pg_depend to another step than the definition, or drops it (null): pg_depend is made for DROP, and says a few
   *  things (serial sequence -> its table, partition -> its parent) that are the other way round for CREATE. */
  charge?(edge: DependEdge): Key | null;
}

/** A kind of object. Adding one is a file in kinds/, a line in kinds/index.ts and a fixture. */
export interface Kind<Row> {
  /** 'table', 'index', ...; also its place in the order of priority.ts. */
  readonly name: string;
  /** Without any of these marks there is nothing of it, and its query is not run. Default: it always is. */
  readonly only?: readonly Mark[];
  /** One statement without parameters over the whole database, run with an empty search_path and quote_all_identifiers = on.
   *  Leaves out members of extensions and objects of pg_catalog, information_schema, pg_toast and temporary schemas; ordered by oid. */
  query(server: Server): string;
  /** A row, its columns called as in the catalogs. */
  readonly row: z.ZodType<Row>;
  objects(row: Row, server: Server): readonly ObjectDraft[];
}

/** Keeps a kind's row type where it is written and forgets it where it is registered. */
export function defineKind<Row>(kind: Kind<Row>): Kind<unknown> {
  return { ...kind, row: kind.row, objects: (row, server) => kind.objects(row as Row, server) };
}

/** For `ObjectDraft.columnName`; asked for seldom: few columns have comments or privileges. */
export function nameOf(columns: readonly { readonly attnum: number; readonly attname: string }[]): (attnum: number) => string | undefined {
  return (attnum) => columns.find((column) => column.attnum === attnum)?.attname;
}

/** What a facet may look at: it adds steps of one sort (owner, comment, privilege) to objects of every kind. */
export interface FacetContext {
  /** Runs one set-based statement in the snapshot's transaction. */
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
  readonly server: Server;
  /** Every object by its own key and by each of its `also` keys. */
  readonly objects: ReadonlyMap<Key, ObjectDraft>;
}

/** Steps for objects that are there, and further objects that have nothing but the facet: `public`, built-in functions with changed
 *  privileges, members of extensions. */
export interface FacetResult {
  readonly steps: readonly { readonly object: Key; readonly step: StepDraft }[];
  readonly objects: readonly ObjectDraft[];
  /** What could not be carried: privileges of a role that does not exist any more. */
  readonly leftOut?: readonly LeftOut[];
  /** What could not be read of an object: an error for whoever wants that object. */
  readonly failures?: ReadonlyMap<Key, TidemarkError>;
}

export interface FacetReader {
  readonly name: string;
  /** As of a kind. */
  readonly only?: readonly Mark[];
  read(context: FacetContext): Promise<FacetResult>;
}
