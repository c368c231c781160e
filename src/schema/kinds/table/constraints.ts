// Check and not-null constraints as objects, so that they can have comments, be taken out of CREATE TABLE where a loop must be broken,
// and come after the rows where they are not valid. Primary keys and the like are kinds of their own.
import type { Section } from '../../../model/catalog.js';
import { qualifiedName, quoteIdentifier } from '../../../pg/quote.js';
import type { Key, ObjectDraft, StepDraft } from '../../kind.js';
import { constraintClause } from './create.js';
import type { Constraint, Table } from './row.js';
import { constraintKey, inheritKey, provenParents, tableKey, treatConstraint } from './shape.js';

/** Steps by treatment. The separate form has no ONLY, so that it reaches the children, where it merges with what they have. */
function steps(table: Table, constraint: Constraint): readonly StepDraft[] {
  const treatment = treatConstraint(table, constraint);
  // Part of CREATE TABLE for good.
  if (treatment === 'stated' && constraint.contype === 'n') return [];
  const self = constraintKey(constraint);
  const parent = tableKey(table);
  const name = qualifiedName(table.nspname, table.relname);
  const add = [`ALTER TABLE ${name} ADD ${constraintClause(constraint)}`];
  const above = (constraint.parents ?? []).map(constraintKey);
  const step = (section: Section, needs: readonly Key[], statements: readonly string[]): StepDraft => {
    return { key: self, facet: 'definition', section, needs, statements: () => statements };
  };
  switch (treatment) {
    case 'stated':
      return [{ inlineInto: parent, ...step('pre-data', [parent], add) }];
    case 'late':
      return [step('pre-data', [parent, ...(constraint.late ?? []).map(inheritKey)], add)];
    case 'post-data':
      return [step('post-data', [parent], add)];
    case 'validate': {
      // Without ONLY, too: where it is valid, it is valid in all that is below.
      const validate = `ALTER TABLE ${name} VALIDATE CONSTRAINT ${quoteIdentifier(constraint.conname)}`;
      return [step('post-data', [parent, ...above], [validate])];
    }
    case 'inherited': {
      // Nothing to run; but a comment on it can only be made when the parents' constraint is there.
      const section = constraint.convalidated ? 'pre-data' : 'post-data';
      const needs = constraint.convalidated ? provenParents(constraint).map(constraintKey) : above;
      return needs.length === 0 ? [] : [step(section, [parent, ...needs], [])];
    }
  }
}

export interface TableConstraints {
  readonly objects: readonly ObjectDraft[];
  /** Those that are part of the table and nothing else: not-nulls, nearly as many as columns. */
  readonly within: readonly Key[];
}

/** The check and not-null constraints of a table. */
export function tableConstraints(table: Table): TableConstraints {
  const name = qualifiedName(table.nspname, table.relname);
  const objects: ObjectDraft[] = [];
  const within: Key[] = [];
  for (const constraint of table.constraints) {
    const own = steps(table, constraint);
    if (own.length === 0 && !constraint.commented) {
      within.push(constraintKey(constraint));
      continue;
    }
    objects.push({
      key: constraintKey(constraint),
      kind: constraint.contype === 'c' ? 'check' : 'not-null',
      schema: table.nspname,
      name: constraint.conname,
      parent: tableKey(table),
      steps: own,
      ddl: `CONSTRAINT ${quoteIdentifier(constraint.conname)} ON ${name}`,
    });
  }
  return { objects, within };
}
