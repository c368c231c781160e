// Puts tables that were made standalone into their families: partitions by ATTACH PARTITION, children whose order of columns INHERITS
// would change by ALTER TABLE ... INHERIT.
//
// A child that is put under its parents must have their checks and not-nulls, and then has them as its own. Where the source's child has
// one from its parents only, that one is added to the parents when the child is there (`late` in row.ts).
import { qualifiedName } from '../../../pg/quote.js';
import type { DependEdge, Key, StepDraft } from '../../kind.js';
import { dropNotNulls } from './alter.js';
import type { Table } from './row.js';
import { attachKey, constraintKey, inheritKey, tableKey, treatConstraint } from './shape.js';

function statedChecks(table: Table): readonly Key[] {
  return table.constraints
    .filter((constraint) => constraint.contype === 'c' && treatConstraint(table, constraint) === 'stated')
    .map(constraintKey);
}

/** The attach or inherit step, where the table has one. */
export function familySteps(table: Table, version: number): readonly StepDraft[] {
  const name = qualifiedName(table.nspname, table.relname);
  const step = (key: Key, needs: readonly Key[], statements: readonly string[]): StepDraft => {
    return { key, facet: 'definition', section: 'pre-data', needs, statements: () => statements };
  };
  if (table.partition !== null) {
    const { nspname, relname, bound } = table.partition;
    const statement = `ALTER TABLE ONLY ${qualifiedName(nspname, relname)} ATTACH PARTITION ${name} ${bound}`;
    const needs = [tableKey(table), tableKey(table.partition), ...statedChecks(table)];
    return [step(attachKey(table.oid), needs, [statement])];
  }
  if (!table.reordered) return [];
  const statements = [
    ...table.parents.map((parent) => `ALTER TABLE ONLY ${name} INHERIT ${qualifiedName(parent.nspname, parent.relname)}`),
    ...dropNotNulls(table, version),
  ];
  const needs = [tableKey(table), ...table.parents.map(tableKey), ...statedChecks(table)];
  return [step(inheritKey(table.oid), needs, statements)];
}

/** Charges the edges to a table's parents to the step that makes it their child. */
export function chargeFamily(table: Table, { ref, subid }: DependEdge): Key {
  const self = tableKey(table);
  // With a column number it is the type of a column, which may be a parent's row type.
  if (subid !== 0) return self;
  if (table.partition !== null && ref === tableKey(table.partition)) return attachKey(table.oid);
  if (table.reordered && table.parents.some((parent) => tableKey(parent) === ref)) return inheritKey(table.oid);
  return self;
}
