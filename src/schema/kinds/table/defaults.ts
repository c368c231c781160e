// Column defaults and generation expressions: objects of their own, for pg_depend knows what each of them needs, and folded into
// CREATE TABLE unless that makes a loop (a serial's sequence, a function over the table's row type).
import { qualifiedName, quoteIdentifier } from '../../../pg/quote.js';
import type { Key, ObjectDraft, Server, StepDraft } from '../../kind.js';
import type { Column, Table } from './row.js';
import { defaultKey, tableKey, treatDefault } from './shape.js';

/** Keys of the expressions that cannot be taken out of CREATE TABLE: what they need, the table needs. */
export function defaultsWithin(table: Table, { version }: Server): readonly Key[] {
  return table.columns.flatMap((column) =>
    column.default !== undefined && treatDefault(table, column, version) === 'within' ? [defaultKey(column.default.oid)] : [],
  );
}

function setDefault(table: Table, { attname, attgenerated }: Column, expression: string): string {
  const alter = `ALTER TABLE ONLY ${qualifiedName(table.nspname, table.relname)} ALTER COLUMN ${quoteIdentifier(attname)}`;
  return attgenerated === undefined ? `${alter} SET DEFAULT ${expression}` : `${alter} SET EXPRESSION AS (${expression})`;
}

/** A placeholder expression is worse than a default that is set later, so it is the last resort. */
function loopCost({ attgenerated }: Column): Pick<StepDraft, 'split'> {
  return attgenerated === undefined ? {} : { split: { cost: 6, early: null } };
}

function draft(table: Table, column: Column, { version }: Server): readonly ObjectDraft[] {
  if (column.default === undefined) return [];
  const treatment = treatDefault(table, column, version);
  if (treatment === 'within') return [];
  const { oid, expression } = column.default;
  const self = defaultKey(oid);
  const parent = tableKey(table);
  const step: StepDraft = {
    key: self,
    facet: 'definition',
    section: 'pre-data',
    needs: [parent],
    ...(treatment === 'folded' ? { inlineInto: parent, ...loopCost(column) } : {}),
    statements: () => [setDefault(table, column, expression)],
  };
  return [
    {
      key: self,
      kind: 'default',
      schema: table.nspname,
      name: `${table.relname}.${column.attname}`,
      parent,
      steps: [step],
      ddl: `COLUMN ${qualifiedName(table.nspname, table.relname)}.${quoteIdentifier(column.attname)}`,
    },
  ];
}

/** The defaults and generation expressions of a table that are objects. */
export function defaultObjects(table: Table, server: Server): readonly ObjectDraft[] {
  return table.columns.flatMap((column) => draft(table, column, server));
}
