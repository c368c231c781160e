// What the table query (query.ts) gives: one row a table, with its columns, constraints, parents and partition facts folded in as
// JSON. Columns and constraints there are by the ten thousand, so they come as lists without names, whose shape is taken on trust: they
// are our own SQL's; only what the server deparses may be missing.
import { z } from 'zod';
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

export interface Column extends z.infer<typeof columnMore> {
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
  /** The constraints of the parents that this one is merged with, where that matters (query.ts). */
  readonly parents?: readonly { readonly oid: number; readonly conname: string; readonly convalidated: boolean }[];
  /** Children that must have been put under this table first (inherit.ts). */
  readonly late?: readonly number[];
}

type ListedConstraint = readonly [
  ...plain: [oid: number, contype: 'c' | 'n', conname: string, conislocal: boolean, connoinherit: boolean, convalidated: boolean],
  attname: string | null,
  definition: string | null,
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

function readColumn(
  [attnum, attname, type, attnotnull, attislocal, oid, expression]: ListedColumn,
  more: z.infer<typeof columnMore>,
): Column {
  const column = { attnum, attname, type, attnotnull, attislocal, ...more };
  return oid === null || expression === null ? column : { ...column, default: { oid, expression } };
}

function readConstraint(list: ListedConstraint): Constraint {
  const [oid, contype, conname, conislocal, connoinherit, convalidated, attname, definition, parents, late] = list;
  return {
    ...{ oid, contype, conname, conislocal, connoinherit, convalidated },
    ...(attname === null ? {} : { attname }),
    ...(definition === null ? {} : { definition }),
    ...(parents === null ? {} : { parents }),
    ...(late === null ? {} : { late }),
  };
}

/** Says, as for every other row, what definition the server had not: it is gone. */
function refuseGone(
  { columns, constraints }: Pick<z.infer<typeof listed>, 'columns' | 'constraints'>,
  context: z.core.$RefinementCtx,
): void {
  const issue = { code: 'custom', message: 'there is no definition' } as const;
  const column = columns.findIndex(([, , , , , oid, expression]) => oid !== null && expression === null);
  if (column !== -1) context.addIssue({ ...issue, path: ['columns', column, 6] });
  const constraint = constraints.findIndex(([, contype, , , , , , definition]) => contype === 'c' && definition === null);
  if (constraint !== -1) context.addIssue({ ...issue, path: ['constraints', constraint, 7] });
}

const none = {};
export const tableRow = listed.transform(({ columns, more, constraints, ...table }, context) => {
  refuseGone({ columns, constraints }, context);
  return {
    ...table,
    columns: columns.map((column) => readColumn(column, more[column[0]] ?? none)),
    constraints: constraints.map(readConstraint),
  };
});

export type Table = z.infer<typeof tableRow>;
export type Relation = z.infer<typeof relation>;
