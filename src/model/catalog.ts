// The schema as an archive carries it (member `schema/catalog.json`): objects, the steps that make them, and the tables whose rows
// follow. The snapshot side writes it, the restore side plans from it; neither needs the other's code.
import type { Globals, Label } from './globals.js';

/** The sections of pg_dump: before the rows, the rows (sequence values, too), after the rows. */
export type Section = 'pre-data' | 'data' | 'post-data';

/** What a step does to its object. `--no-owner` leaves out 'owner', `--no-privileges` leaves out 'privilege', and so on. */
export type Facet = 'definition' | 'owner' | 'comment' | 'security-label' | 'privilege' | 'value' | 'refresh';

/** One object of the source. `id` is its index in `Catalog.objects`. */
export interface CatalogObject {
  readonly id: number;
  /** 'table', 'index', 'function', ...: the name of its kind. */
  readonly kind: string;
  /** Absent for objects without a schema. */
  readonly schema?: string;
  /** Bare name; for routines with the argument types. Any character may occur. */
  readonly name: string;
  /** The object it goes with and is selected with: the table of an index, constraint, trigger, default or owned sequence. */
  readonly parent?: number;
  /** The partitioned table that this table is a partition of: choosing that one chooses this one. */
  readonly partitionOf?: number;
  /** The tables whose columns this table inherits (INHERITS); not for partitions. */
  readonly inherits?: readonly number[];
  /** `DROP ...` statement's object part, as in `TABLE "public"."events"`; absent where the parent takes it along. */
  readonly drop?: string;
  /** Large objects are grouped, up to a thousand with the same owner and privileges: the OIDs in the group, from first to last of each
   *  run without gap, ascending. An application refers to them by these, so that they are the same after a restore. */
  readonly oids?: readonly OidRange[];
}

/** OIDs from the first to the last, both included. */
export type OidRange = readonly [first: number, last: number];

/** One action: statements that are sent one at a time, in order. `id` is its index in `Catalog.steps`; every need has a smaller id. */
export interface Step {
  readonly id: number;
  readonly object: number;
  readonly section: Section;
  readonly facet: Facet;
  readonly statements: readonly string[];
  readonly needs: readonly number[];
  /** The step that this one finishes, where a loop was broken by making an object in two parts: a view after its stub, a function after
   *  its placeholder. Neither is of use without the other. */
  readonly completes?: number;
  /** Roles that the statements name: they must exist on the target. */
  readonly roles?: readonly string[];
}

export type CopyFormat = 'text' | 'binary';

export interface Column {
  readonly name: string;
  /** As `format_type` prints it, qualified where not in pg_catalog. */
  readonly type: string;
}

/** A table whose rows can be copied. `columns` are those that COPY carries: not dropped, not generated, in attnum order. */
export interface CatalogTable {
  /** Its `CatalogObject.id`. */
  readonly object: number;
  /** Its data members are `<directory>/<range>-<chunk>.<copy|bin>`: `data/16403-public.events`, by the source's OID, which stays the same
   *  from snapshot to snapshot, so that a later archive can take over a compressed frame as it is. Unique in an archive. */
  readonly directory: string;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly format: CopyFormat;
  /** The partitioned table (`CatalogObject.id`) that the rows must be loaded through, because in another database they may belong to
   *  another of its partitions: it is partitioned by a hash that depends on OIDs. Absent: into the table itself. */
  readonly loadInto?: number;
  /** The table is one of an extension, which makes it, and says by this condition (a WHERE clause of its own, or nothing) which of its rows
   *  are the user's: those are in the archive. */
  readonly extensionCondition?: string;
  /** The rows are not in this archive, but in another one: the manifest, which comes last, says in which. */
  readonly elsewhere?: true;
  /** The rows are pieces of this many large objects, and the columns their OID, the offset of the piece, and its bytes; `object` is the
   *  one that has all groups of them. */
  readonly largeObjects?: number;
  /** The rows are the planner's statistics of tables, materialized views and indexes; `object` stands for all of them. */
  readonly statistics?: true;
  /** Why there are no rows of it in this archive, where that was asked for or could not be otherwise. */
  readonly withoutData?: 'excluded' | 'schema-only' | 'unlogged-on-standby';
}

/** A table as people name it. */
export type TableName = Pick<CatalogTable, 'schema' | 'name'>;

/** The kind of the object that stands for the planner's statistics. */
export const statisticsKind = 'planner statistics';

/** The first server that takes them.
 *  https://www.postgresql.org/docs/18/functions-admin.html#FUNCTIONS-ADMIN-STATSMOD */
export const takesStatistics = 180000;

/** Whether what has a place among the tables is one, and not what only travels as rows. */
export function isTable({ largeObjects, statistics }: Pick<CatalogTable, 'largeObjects' | 'statistics'>): boolean {
  return largeObjects === undefined && statistics === undefined;
}

/** What belongs to the database itself rather than to its contents: a row of pg_database with all that hangs on it. Only `--create`
 *  uses it. */
export interface DatabaseProperties {
  /** Null: not taken along. */
  readonly owner: string | null;
  readonly comment: string | null;
  readonly labels: readonly Label[];
  readonly datconnlimit: number;
  /** Whether everybody who may make databases may copy it. */
  readonly datistemplate: boolean;
  /** Null: not taken along. */
  readonly tablespace: string | null;
  /** Null: the default ones. A grantee that is null is PUBLIC. */
  readonly privileges: readonly { readonly grantee: string | null; readonly privilege: string; readonly grantable: boolean }[] | null;
  /** `ALTER DATABASE ... SET`, and `ALTER ROLE ... IN DATABASE ... SET` where there is a role: `name=value` as pg_db_role_setting has it. */
  readonly settings: readonly { readonly role: string | null; readonly config: readonly string[] }[];
}

export interface Catalog {
  readonly objects: readonly CatalogObject[];
  readonly steps: readonly Step[];
  readonly tables: readonly CatalogTable[];
  /** The encoding of the source, where what it holds could not be read as UTF-8, or not for certain: all names and statements are then
   *  strings as of byte-text.ts, their bytes in this encoding. */
  readonly textEncoding?: string;
  /** The encoding that rows are in; absent: UTF8. It is the source's. */
  readonly rowEncoding?: string;
  /** Absent where the schema is not taken along. */
  readonly database?: DatabaseProperties;
  /** Absent where they were not asked for. */
  readonly globals?: Globals;
}
