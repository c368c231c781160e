// What the table query (query.ts) gives: one row a table, with its columns, constraints, parents and partition facts folded in as
// JSON. Columns and constraints there are by the ten thousand, so they come as lists without names, whose shape is taken on trust: they
// are our own SQL's; only what the server deparses may be missing.
import * as z from 'zod';
import { genericOptions } from '../../generic-options.js';

/** What few columns have. */
const columnMore = z.object({
  /** Qualified and quoted; only where it differs from the type's own. */
  collation: z.string().optional(),
  /** s stored, v virtual; absent: not generated. */
  attgenerated: z.enum(['s', 'v']).optional(),
  attstattarget: z.number().optional(),
  /** p e x m; only where it differs from the type's. */
  attstorage: z.enum(['p', 'e', 'x', 'm']).optional(),
  attcompression: z.enum(['p', 'l']).optional(),
  attoptions: z.array(z.string()).optional(),
  /** Options for the foreign data wrapper. */
  fdwoptions: genericOptions.optional(),
  /** What the parents of an inheritance child have in this column. */
  parents: z
    .object({
      /** A parent says NOT NULL (servers before 18, which keep no constraint for it). */
      attnotnull: z.boolean(),
      /** How many parents have a default there. */
      defaults: z.number(),
      /** Generation expressions of parents, each once. */
      generated: z.array(z.string()),
    })
    .optional(),
});

type ColumnMore = z.infer<typeof columnMore>;

export interface Column extends ColumnMore {
  readonly attnum: number;
  readonly attname: string;
  readonly type: string;
  readonly attnotnull: boolean;
  readonly attislocal: boolean;
  /** OID of its pg_attrdef row, and the expression: a default, or what it is generated from. */
  readonly default?: { readonly oid: number; readonly expression: string };
}

type ListedColumn = readonly [
  ...plain: [attnum: number, attname: string, type: string, attnotnull: boolean, attislocal: boolean],
  defoid: number | null,
  expression: string | null,
];

export interface Constraint {
  readonly oid: number;
  readonly contype: 'c' | 'n';
  readonly conname: string;
  readonly conislocal: boolean;
  readonly connoinherit: boolean;
  readonly convalidated: boolean;
  /** The column of a NOT NULL. */
  readonly attname?: string;
  /** `CHECK (...)` with all that follows; absent for NOT NULL. */
  readonly definition?: string;
  /** It has a comment. */
  readonly commented: boolean;
  /** The constraints of the parents that this one is merged with, where that matters (query.ts). */
  readonly parents?: readonly { readonly oid: number; readonly conname: string; readonly convalidated: boolean }[];
  /** Children that must have been put under this table first (inherit.ts). */
  readonly late?: readonly number[];
}

type ListedConstraint = readonly [
  ...plain: [oid: number, contype: 'c' | 'n', conname: string, conislocal: boolean, connoinherit: boolean, convalidated: boolean],
  attname: string | null,
  definition: string | null,
  commented: boolean,
  parents: NonNullable<Constraint['parents']> | null,
  late: readonly number[] | null,
];

const relation = z.object({ oid: z.number(), nspname: z.string(), relname: z.string() });

const listed = z.object({
  oid: z.number(),
  nspname: z.string(),
  relname: z.string(),
  owner: z.string(),
  /** r table, p partitioned table, f foreign table */
  relkind: z.enum(['r', 'p', 'f']),
  /** p permanent, u unlogged */
  relpersistence: z.enum(['p', 'u']),
  reltype: z.number(),
  typarray: z.number(),
  reltoastrelid: z.number(),
  relreplident: z.enum(['d', 'n', 'f', 'i']),
  relrowsecurity: z.boolean(),
  relforcerowsecurity: z.boolean(),
  /** Access method by name, tablespace by name; null: what the target has by default. */
  amname: z.string().nullable(),
  spcname: z.string().nullable(),
  reloptions: z.array(z.string()).nullable(),
  toastoptions: z.array(z.string()).nullable(),
  /** The composite type of a typed table, qualified. */
  oftype: z.string().nullable(),
  partkey: z.string().nullable(),
  /** The partitioned table and `FOR VALUES ...` or `DEFAULT`; null where it is no partition. */
  partition: relation.extend({ bound: z.string() }).nullable(),
  /** Where the rows of a foreign table are. */
  foreign: z.object({ srvname: z.string(), options: genericOptions }).nullable(),
  /** Parents by inheritance, in the order of INHERITS. */
  parents: z.array(relation),
  /** The children by inheritance, not partitions. */
  children: z.array(z.number()),
  /** All columns are declared here, too, in an order that INHERITS would not give (inherit.ts). */
  reordered: z.boolean(),
  columns: z.custom<readonly ListedColumn[]>(Array.isArray),
  /** By attnum, for those columns that have any of it. */
  more: z.record(z.string(), columnMore),
  constraints: z.custom<readonly ListedConstraint[]>(Array.isArray),
});

/** What is put together field by field, and by number: there are so many that spreading what each may have, and taking lists apart with an
 *  iterator, would take longer than all else. */
type Unfinished<Value> = { -readonly [Name in keyof Value]: Value[Name] };

function readColumn(list: ListedColumn, more: ColumnMore | undefined): Column {
  const column: Unfinished<Column> = { attnum: list[0], attname: list[1], type: list[2], attnotnull: list[3], attislocal: list[4] };
  if (list[5] !== null && list[6] !== null) column.default = { oid: list[5], expression: list[6] };
  return more === undefined ? column : Object.assign(column, more);
}

function readConstraint(list: ListedConstraint): Constraint {
  const constraint: Unfinished<Constraint> = {
    oid: list[0],
    contype: list[1],
    conname: list[2],
    conislocal: list[3],
    connoinherit: list[4],
    convalidated: list[5],
    commented: list[8],
  };
  if (list[6] !== null) constraint.attname = list[6];
  if (list[7] !== null) constraint.definition = list[7];
  if (list[9] !== null) constraint.parents = list[9];
  if (list[10] !== null) constraint.late = list[10];
  return constraint;
}

export type ListedTable = z.infer<typeof listed>;

/** Says, as for every other row, what definition the server had not: it is gone. */
function refuseGone({ columns, constraints }: Pick<ListedTable, 'columns' | 'constraints'>, context: z.core.$RefinementCtx): void {
  const issue = { code: 'custom', message: 'there is no definition' } as const;
  const column = columns.findIndex((list) => list[5] !== null && list[6] === null);
  if (column !== -1) context.addIssue({ ...issue, path: ['columns', column, 6] });
  const constraint = constraints.findIndex((list) => list[1] === 'c' && list[7] === null);
  if (constraint !== -1) context.addIssue({ ...issue, path: ['constraints', constraint, 7] });
}

export const tableRow = listed.superRefine(refuseGone);

export interface Table extends Omit<ListedTable, 'columns' | 'constraints'> {
  readonly columns: readonly Column[];
  readonly constraints: readonly Constraint[];
}

/** Gives the columns and constraints of a row their names. */
export function readTable(row: ListedTable): Table {
  const { columns, more, constraints } = row;
  return {
    ...row,
    columns: columns.map((column) => readColumn(column, more[column[0]])),
    constraints: constraints.map(readConstraint),
  };
}

export type Relation = z.infer<typeof relation>;
