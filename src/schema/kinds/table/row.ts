// What the table query (query.ts) gives: one row a table, with its columns, constraints, parents and partition facts folded in as
// JSON. Nulls are stripped inside the JSON, so that 50,000 columns stay small: an absent property is a null.
import { z } from 'zod';
import { genericOptions } from '../../generic-options.js';

const column = z.object({
  attnum: z.number(),
  attname: z.string(),
  type: z.string(),
  /** Qualified and quoted; only where it differs from the type's own. */
  collation: z.string().optional(),
  attnotnull: z.boolean(),
  attislocal: z.boolean(),
  /** s stored, v virtual; absent: not generated. */
  attgenerated: z.enum(['s', 'v']).optional(),
  /** OID of its pg_attrdef row, and the expression: a default, or what it is generated from. */
  default: z.object({ oid: z.number(), expression: z.string() }).optional(),
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

const constraint = z.object({
  oid: z.number(),
  contype: z.enum(['c', 'n']),
  conname: z.string(),
  /** `CHECK (...)` with all that follows; absent for NOT NULL. */
  definition: z.string().optional(),
  /** The column of a NOT NULL. */
  attname: z.string().optional(),
  conislocal: z.boolean(),
  connoinherit: z.boolean(),
  convalidated: z.boolean(),
  /** The constraints of the parents that this one is merged with, where that matters (query.ts). */
  parents: z.array(z.object({ oid: z.number(), conname: z.string(), convalidated: z.boolean() })).optional(),
  /** Children that must have been put under this table first (inherit.ts). */
  late: z.array(z.number()).optional(),
});

const relation = z.object({ oid: z.number(), nspname: z.string(), relname: z.string() });

export const tableRow = z.object({
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
  columns: z.array(column),
  constraints: z.array(constraint),
});

export type Table = z.infer<typeof tableRow>;
export type Column = z.infer<typeof column>;
export type Constraint = z.infer<typeof constraint>;
export type Relation = z.infer<typeof relation>;
