// The use case "print the schema": the DDL of a database as one SQL text, read in one view like a snapshot's.
import type { EventListener } from '../model/events.js';
import type { LeftOut } from '../model/manifest.js';
import { openSession } from '../pg/session.js';
import { emitSection } from '../schema/emit.js';
import { openView } from '../snapshot/view.js';
import { chooseTables } from './choose-tables.js';
import { planSnapshot, type SnapshotOptions } from './snapshot-options.js';
import { readSchema } from './snapshot-schema.js';

export type SchemaOptions = Pick<
  SnapshotOptions,
  | 'database'
  | 'tables'
  | 'excludeTables'
  | 'schemas'
  | 'excludeSchemas'
  | 'noOwner'
  | 'noPrivileges'
  | 'lockTimeoutMs'
  | 'skipUnsupported'
  | 'signal'
> & { readonly onEvent?: EventListener };

export interface SchemaText {
  /** What comes before the rows, and what comes after them. */
  readonly preData: string;
  readonly postData: string;
  readonly leftOut: readonly LeftOut[];
}

/** Reads the schema of a database as SQL. The same database gives the same text.
 *  @throws TidemarkError UNSUPPORTED_OBJECT, CONCURRENT_DDL and those of connecting and locking */
export async function printSchema(options: SchemaOptions): Promise<SchemaText> {
  const plan = planSnapshot({ ...options, schemaOnly: true });
  await using control = await openSession(plan.connection, { use: 'read', signal: plan.signal });
  const view = await openView(control, {
    choose: (relations, schemas) => chooseTables(relations, schemas, plan.patterns),
    lockTimeoutMs: plan.lockTimeoutMs,
  });
  const { catalog, leftOut } = await readSchema(control, view, plan);
  return { preData: emitSection(catalog, 'pre-data'), postData: emitSection(catalog, 'post-data'), leftOut };
}
