// Schemas, and types that are only values: enums, composites, domains. Comments on whatever was admitted. Ranges are not among them: making
// one makes functions of the archive's choice of names.
import { quoteIdentifier } from '../pg/quote.js';
import { clause, inParentheses } from './clause.js';
import { columnCollation } from './create-table.js';
import { type Cursor, checkSchema, labelOf, type Qualified, sqlOf } from './cursor.js';
import type { ExpressionContext } from './expression.js';
import { checkSubject, constraintState, type Reading } from './statement.js';
import { NotAdmitted } from './tokens.js';
import { typeName } from './types.js';

export function createSchema({ cursor, scope, subject }: Reading): string {
  if (cursor.isWord('DROP')) throw new NotAdmitted('its SQL drops something');
  cursor.expect('CREATE', 'SCHEMA');
  const name = checkSchema(cursor.name());
  checkSubject(subject, { name });
  cursor.end();
  scope.addSchema(name);
  return `CREATE SCHEMA ${quoteIdentifier(name)}`;
}

export function createEnum(reading: Reading): string {
  const { cursor, scope } = reading;
  const type = madeType(reading);
  cursor.expect('ENUM');
  const labels = cursor.list(() => cursor.string(), { empty: true });
  cursor.end();
  scope.addType(type);
  return `CREATE TYPE ${sqlOf(type)} AS ENUM (${labels.join(', ')})`;
}

/** `CREATE TYPE name AS` */
function madeType({ cursor, scope, subject }: Reading): Qualified {
  cursor.expect('CREATE', 'TYPE');
  const type = scope.inSchema(cursor.qualified());
  checkSubject(subject, type);
  cursor.expect('AS');
  return type;
}

export function createComposite(reading: Reading): string {
  const { cursor, scope } = reading;
  const type = madeType(reading);
  const attributes = cursor.list(
    () => {
      const name = cursor.name();
      const collation = [typeName(cursor, scope), columnCollation(reading, `${labelOf(type)}.${name}`)];
      return [quoteIdentifier(name), ...collation.filter((part) => part !== undefined)].join(' ');
    },
    { empty: true },
  );
  cursor.end();
  scope.addType(type);
  return `CREATE TYPE ${sqlOf(type)} AS (${attributes.join(', ')})`;
}

export function createDomain(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  cursor.expect('CREATE', 'DOMAIN');
  const domain = scope.inSchema(cursor.qualified());
  checkSubject(subject, domain);
  cursor.expect('AS');
  const parts = [`CREATE DOMAIN ${sqlOf(domain)} AS ${typeName(cursor, scope)}`];
  const collation = columnCollation(reading, labelOf(domain));
  if (collation !== undefined) parts.push(collation);
  if (cursor.accept('DEFAULT')) {
    const own = clause(cursor, defaultContext(reading), endsDefault);
    if (own.text === undefined) scope.leaveOut({ kind: 'default', name: `domain ${labelOf(domain)}`, reason: own.reason, sql: own.sql });
    else parts.push(`DEFAULT ${own.text}`);
  }
  while (cursor.peek() !== undefined) {
    const constraint = domainConstraint(reading, domain);
    if (constraint !== undefined) parts.push(constraint);
  }
  scope.addType(domain);
  return parts.join(' ');
}

function defaultContext({ scope }: Reading): ExpressionContext {
  return { scope, columns: new Set(), sequences: true };
}

function endsDefault(cursor: Cursor): boolean {
  return cursor.peek() === undefined || cursor.isWord('CONSTRAINT') || (cursor.isWord('NOT') && cursor.isWord('NULL', 1));
}

function domainConstraint({ cursor, scope }: Reading, domain: Qualified): string | undefined {
  const name = cursor.accept('CONSTRAINT') ? cursor.name() : undefined;
  const named = name === undefined ? '' : `CONSTRAINT ${quoteIdentifier(name)} `;
  if (cursor.accept('NOT', 'NULL')) return `${named}NOT NULL`;
  cursor.expect('CHECK');
  const check = inParentheses(cursor, { scope, columns: new Set(), domain: true });
  const state = constraintState(cursor);
  if (check.text !== undefined) return `${named}CHECK ${check.text}${state}`;
  if (name !== undefined) scope.leaveOutConstraint(name);
  scope.leaveOut({ kind: 'check', name: `domain ${labelOf(domain)}: ${name ?? ''}`, reason: check.reason, sql: check.sql });
  return undefined;
}

/** A default or a constraint that comes by itself. */
export function alterDomain(reading: Reading): string {
  const { cursor, scope } = reading;
  cursor.expect('ALTER', 'DOMAIN');
  const domain = cursor.qualified();
  if (!scope.hasType(domain)) throw new NotAdmitted(`domain ${labelOf(domain)} is left out, or not in the archive`);
  if (cursor.accept('SET', 'DEFAULT')) {
    const own = clause(cursor, defaultContext(reading), endsDefault);
    cursor.end();
    if (own.text === undefined) throw new NotAdmitted(own.reason);
    return `ALTER DOMAIN ${sqlOf(domain)} SET DEFAULT ${own.text}`;
  }
  cursor.expect('ADD');
  const before = scope.parts.length;
  const constraint = domainConstraint(reading, domain);
  cursor.end();
  if (constraint === undefined) throw new NotAdmitted(scope.parts.splice(before)[0]?.reason ?? 'its expression is not plain');
  return `ALTER DOMAIN ${sqlOf(domain)} ADD ${constraint}`;
}

/** On what was admitted: the caller knows, by the step's object. */
export function comment(reading: Reading): string {
  const { cursor } = reading;
  cursor.expect('COMMENT', 'ON');
  const on = commented(reading);
  cursor.expect('IS');
  const text = cursor.accept('NULL') ? 'NULL' : cursor.string();
  cursor.end();
  return `COMMENT ON ${on} IS ${text}`;
}

const inSchemas = ['TABLE', 'TYPE', 'DOMAIN', 'SEQUENCE', 'INDEX'] as const;

function commented({ cursor, scope }: Reading): string {
  if (cursor.accept('SCHEMA')) {
    const name = checkSchema(cursor.name());
    return `SCHEMA ${quoteIdentifier(name)}`;
  }
  if (cursor.accept('COLUMN')) {
    const relation = cursor.qualified();
    cursor.symbol('.');
    const column = cursor.name();
    if (scope.hasRelation(relation)) scope.column(relation, column);
    return `COLUMN ${sqlOf(relation)}.${quoteIdentifier(column)}`;
  }
  if (cursor.accept('CONSTRAINT')) {
    const name = cursor.name();
    scope.refuseConstraint(name);
    cursor.expect('ON');
    const domain = cursor.accept('DOMAIN') ? 'DOMAIN ' : '';
    return `CONSTRAINT ${quoteIdentifier(name)} ON ${domain}${sqlOf(cursor.qualified())}`;
  }
  const word = cursor.acceptOf(inSchemas);
  if (word === undefined) throw cursor.unexpected();
  return `${word} ${sqlOf(cursor.qualified())}`;
}
