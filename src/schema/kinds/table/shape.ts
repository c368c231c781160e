// Decides how a table comes to be: plain, by INHERITS, or standing alone and put under its parents (or attached as a partition) later.
// From that follows which columns, constraints and defaults its CREATE TABLE states. Decisions only; create.ts and the others write SQL.
import { type Key, key } from '../../kind.js';
import type { Column, Constraint, Table } from './row.js';

export function tableKey({ oid }: { readonly oid: number }): Key {
  return key('pg_class', oid);
}

export function constraintKey({ oid }: { readonly oid: number }): Key {
  return key('pg_constraint', oid);
}

/** The key of a column's default or generation expression, whose OID is the one of pg_attrdef. */
export function defaultKey(oid: number): Key {
  return key('pg_attrdef', oid);
}

/** The step that puts a table, made standalone, under its parents. */
export function inheritKey(oid: number): Key {
  return key('pg_class', oid, 'inherit');
}

/** The step that attaches a partition. */
export function attachKey(oid: number): Key {
  return key('pg_class', oid, 'attach');
}

/** True where CREATE TABLE has an INHERITS clause. A partition is always made standalone: PARTITION OF would force the parent's order of
 *  columns on it. So is a child whose own order of columns INHERITS would not give. */
export function inherits(table: Table): boolean {
  return table.parents.length > 0 && !table.reordered;
}

/** True where the column stands in the column list: with INHERITS, those that the child declares itself. */
export function isPrinted(table: Table, column: Column): boolean {
  return column.attislocal || !inherits(table);
}

/** How a default or a generation expression comes to its column.
 *  'folded': stated with the column, unless a loop must be broken; 'within': a part of CREATE TABLE that cannot be taken out of it, be it
 *  stated or inherited; 'apart': by a statement of its own. */
export type DefaultTreatment = 'folded' | 'within' | 'apart';

/** True where the parents' generation expression is the column's own: it is then not stated again (before 16 it could not be). */
export function inheritsExpression(table: Table, { attgenerated, default: own, parents }: Column): boolean {
  if (attgenerated === undefined || own === undefined || parents === undefined || !inherits(table)) return false;
  return parents.generated.length === 1 && parents.generated[0] === own.expression;
}

/** @param version of the server: from 17 a generation expression can be set later */
export function treatDefault(table: Table, column: Column, version: number): DefaultTreatment {
  if (column.attgenerated === undefined) return isPrinted(table, column) ? 'folded' : 'apart';
  if (inheritsExpression(table, column) || version < 170000) return 'within';
  return isPrinted(table, column) ? 'folded' : 'apart';
}

/** How a check or not-null constraint comes to its table.
 *  'stated': with CREATE TABLE (a check can be taken out where a loop must be broken); 'late': before the rows, when certain children are
 *  there; 'post-data': after the rows, for it does not hold for them or need not; 'validate': from the parents after the rows, where it
 *  is not valid, but here it is; 'inherited': from the parents, nothing is to be done. */
export type ConstraintTreatment = 'stated' | 'late' | 'post-data' | 'validate' | 'inherited';

/** The parents' constraints that are valid, and so are there before the rows. */
export function provenParents({ parents = [] }: Constraint): NonNullable<Constraint['parents']> {
  return parents.filter(({ convalidated }) => convalidated);
}

export function treatConstraint(table: Table, constraint: Constraint): ConstraintTreatment {
  const { conislocal, convalidated, parents = [], late = [] } = constraint;
  const own = conislocal || (table.parents.length === 0 && table.partition === null);
  if (!convalidated) return own ? 'post-data' : 'inherited';
  if (late.length > 0) return own ? 'late' : 'inherited';
  if (own) return 'stated';
  const unproven = parents.length > 0 && parents.every((parent) => !parent.convalidated);
  if (unproven && parents.some((parent) => parent.conname === constraint.conname)) return 'validate';
  // It gets the name of a parent's that is there before the rows. One that comes later cannot give its name, and nobody can rename it.
  if (parents.some((parent) => !parent.convalidated) && !provenParents(constraint).some(({ conname }) => conname === constraint.conname)) {
    return 'stated';
  }
  // A partition must have every valid constraint of its parent before it can be attached; they merge then.
  return table.partition !== null ? 'stated' : 'inherited';
}

/** The NOT NULL to state with a column, by the constraint's name from 18 on. Before, it is the table's own unless a parent has it. */
export function statedNotNull(table: Table, column: Column, version: number): { readonly constraint?: Constraint } | null {
  if (version < 180000) {
    const above = column.parents?.attnotnull ?? false;
    // ALTER TABLE ... INHERIT wants it, also where the child has dropped it since (alter.ts does so again).
    return inherits(table) ? (column.attnotnull && !above ? {} : null) : column.attnotnull || (table.reordered && above) ? {} : null;
  }
  const constraint = table.constraints.find(({ contype, attname }) => contype === 'n' && attname === column.attname);
  return constraint !== undefined && treatConstraint(table, constraint) === 'stated' ? { constraint } : null;
}
