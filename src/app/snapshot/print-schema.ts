// The use case "print the schema": the DDL of a database as one SQL text, read in one view like a snapshot's.
import type { Section } from '../../model/catalog.js';
import type { LeftOut } from '../../model/manifest.js';
import { type OptionNames, refuseUnknownOptions, withoutNames } from '../../model/option-names.js';
import { isUntranslatable } from '../../pg/errors.js';
import { openSession } from '../../pg/session.js';
import { emitSection } from '../../schema/emit.js';
import { emitGlobals } from '../../schema/globals/emit.js';
import { omit } from '../../selection/omit.js';
import { type Choose, describeMoment, fixMoment } from '../../snapshot/view.js';
import { type CommonOptions, contentOptionNames, refuse } from '../common-options.js';
import { withFilters } from '../read-filters.js';
import { CheckSession } from './check-session.js';
import { chooseTables } from './choose-tables.js';
import { planSnapshot, type SnapshotOptions, type SnapshotPlan } from './options.js';
import { globalsOf } from './read-globals.js';
import { encodingsOf, readSchema } from './schema.js';

/** `sections`: pre-data and post-data; there are no rows. */
export type SchemaOptions = Omit<CommonOptions, 'jobs' | 'schemaOnly' | 'dataOnly' | 'excludeTableData' | 'loadViaPartitionRoot'> &
  Pick<SnapshotOptions, 'lockTimeoutMs' | 'secrets' | 'skipUnsupported' | 'globals' | 'rolePasswords'> & {
    /** With `globals`: nothing else. */
    readonly globalsOnly?: boolean;
  };

const optionNames: OptionNames<SchemaOptions> = {
  database: true,
  role: true,
  onEvent: true,
  signal: true,
  lockTimeoutMs: true,
  secrets: true,
  skipUnsupported: true,
  globals: true,
  rolePasswords: true,
  globalsOnly: true,
  ...withoutNames(contentOptionNames, ['schemaOnly', 'dataOnly', 'excludeTableData', 'loadViaPartitionRoot']),
};

export interface SchemaText {
  /** What belongs to the whole server; empty where it was not asked for. */
  readonly globals: string;
  /** What comes before the rows, and what comes after them; empty where that section was not asked for. A byte of the database that
   *  belongs to no UTF-8 character is a lone surrogate, U+DC80 to U+DCFF. */
  readonly preData: string;
  readonly postData: string;
  readonly leftOut: readonly LeftOut[];
}

/** Reads the schema of a database as SQL. The same database gives the same text.
 *  @throws TidemarkError UNSUPPORTED_OBJECT, CONCURRENT_DDL and those of connecting and locking */
export async function printSchema(options: SchemaOptions): Promise<SchemaText> {
  refuseUnknownOptions(options, optionNames, 'print the schema');
  const { sections = [] } = options;
  refuse(sections.includes('data'), 'print the schema: the section data has no place in it');
  refuse(options.globalsOnly === true && !options.globals, 'print the schema: globals-only needs globals');
  const plan = planSnapshot({ ...(await withFilters(options)), ...(sections.length === 0 ? { schemaOnly: true } : {}) });
  const read = options.globalsOnly ? readGlobalsText : readText;
  try {
    return await read(plan);
  } catch (error) {
    if (!isUntranslatable(error)) throw error;
    return read({ ...plan, encoding: 'own' });
  }
}

async function readText(plan: SnapshotPlan): Promise<SchemaText> {
  const { sections: wanted } = plan.contents;
  await using control = await openSession(plan.connection, { use: 'read', encoding: plan.encoding, pipelined: true, signal: plan.signal });
  await using check = new CheckSession(plan);
  const choose: Choose = (relations, schemas) => chooseTables(relations, schemas, plan.contents);
  const moment = await fixMoment(control, { choose, lockTimeoutMs: plan.lockTimeoutMs });
  const view = await describeMoment(control, moment, { choose, wanted: { sizes: false, columns: false } });
  const { catalog, leftOut } = await readSchema(control, { plan, view: Promise.resolve(view), check: check.idle });
  const text = (section: Section): string => (wanted.has(section) ? emitSection(catalog, section) : '');
  return { globals: emitGlobals(catalog), preData: text('pre-data'), postData: text('post-data'), leftOut };
}

/** In one view of the shared catalogs. */
async function readGlobalsText(plan: SnapshotPlan): Promise<SchemaText> {
  await using control = await openSession(plan.connection, { use: 'read', encoding: plan.encoding, pipelined: true, signal: plan.signal });
  await control.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const { part, leftOut } = await globalsOf(control, plan);
  await control.query('COMMIT');
  const catalog = omit({ objects: [], steps: [], tables: [], ...encodingsOf(control), ...part }, plan.contents.omissions ?? new Set());
  return { globals: emitGlobals(catalog), preData: '', postData: '', leftOut };
}
