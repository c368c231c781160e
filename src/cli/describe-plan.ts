// A restore's plan as lines for people: what a dry run prints.
import type { RestoreResult } from '../app/restore/restore-snapshot.js';
import { printable } from '../model/printable.js';
import { formatCounted } from '../model/units.js';

type Plan = RestoreResult['plan'];
type Action = Plan[number];

/** One line for each action, statements and tables below it. */
export function describePlan(plan: Plan): string[] {
  return plan.flatMap((action) => [head(action), ...detail(action).map((line) => `  ${printable(line)}`)]);
}

function head(action: Action): string {
  switch (action.action) {
    case 'drop database':
    case 'create database':
      return `${action.action} ${printable(action.database)}`;
    case 'globals':
      return `globals: ${formatCounted(globalStatements(action).length, 'statement')}`;
    case 'swap':
      return `put ${printable(action.from)} in the place of ${printable(action.to)}`;
    case 'mark':
      return 'mark the database as incomplete';
    case 'unmark':
      return 'take the mark away';
    case 'pre-data':
    case 'large objects':
    case 'post-data':
    case 'values':
    case 'privileges':
    case 'refresh':
      return `${action.action}: ${formatCounted(action.steps.length, 'step')}`;
    default:
      return action.action;
  }
}

function detail(action: Action): string[] {
  switch (action.action) {
    case 'globals':
      return globalStatements(action).map(({ text }) => text);
    case 'drop':
    case 'truncate':
      return action.statements.map(({ text }) => text);
    case 'pre-data':
    case 'large objects':
    case 'post-data':
    case 'values':
    case 'privileges':
    case 'refresh':
      return action.steps.flatMap(({ statements }) => statements);
    case 'database properties':
      return [...action.statements];
    case 'rows':
      return action.loads.map(({ schema, name, rows, staging, table }) => {
        if (table) return `${schema}.${name}: ${formatCounted(rows, 'row')}`;
        return staging === undefined
          ? `planner statistics: ${formatCounted(rows, 'row')}`
          : `large objects: ${formatCounted(rows, 'piece')}`;
      });
    case 'stage statistics':
      return [...action.statements];
    case 'statistics':
      return action.relations.map(({ schema, name }) => `${schema}.${name}`);
    case 'hold autovacuum':
    case 'analyze':
    case 'check foreign keys':
      return action.tables.map(({ schema, name }) => `${schema}.${name}`);
    default:
      return [];
  }
}

/** Passwords are not in them. */
function globalStatements({ statements, tablespaces }: Extract<Action, { action: 'globals' }>): typeof statements {
  return [...statements, ...tablespaces.flatMap(({ create, properties }) => [...create, ...properties])];
}
