// CREATE TABLE as schema/kinds/table/create.ts writes it. A default, a check or a collation that is not plain is left out of it; a generated
// column that is not, altogether, since its values are not in an archive. A column of a type that was left out keeps the table out.
// https://www.postgresql.org/docs/current/sql-createtable.html
import { quoteIdentifier } from '../pg/quote.js';
import { clause, inParentheses } from './clause.js';
import { type Cursor, labelOf, type Qualified, sqlOf } from './cursor.js';
import type { ExpressionContext } from './expression.js';
import { checkColumn, type Relation } from './scope.js';
import { checkSubject, constraintState, type Reading, storageParameters } from './statement.js';
import { NotAdmitted } from './tokens.js';
import { collationName, typeName } from './types.js';

/** An item of the list in parentheses; text undefined: left out. */
interface Item {
  readonly column?: string;
  readonly text: string | undefined;
}

export function createTable(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  cursor.expect('CREATE');
  const unlogged = cursor.accept('UNLOGGED') ? 'UNLOGGED ' : '';
  cursor.expect('TABLE');
  const table = scope.inSchema(cursor.qualified());
  checkSubject(subject, table);
  const of = cursor.accept('OF') ? ` OF ${typeName(cursor, scope)}` : '';
  const { items, parents, relation } = body(reading, { table, typed: of !== '' });
  const partitioned = cursor.accept('PARTITION', 'BY') ? ` PARTITION BY ${partitionKey(reading, relation)}` : '';
  const parameters = storageParameters(reading, table);
  cursor.end();
  scope.addRelation(table, relation);
  const texts = items.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const list = texts.length > 0 ? ` (${texts.join(', ')})` : of === '' ? ' ()' : '';
  const inherits = parents.length === 0 ? '' : ` INHERITS (${parents.map(sqlOf).join(', ')})`;
  return `CREATE ${unlogged}TABLE ${sqlOf(table)}${of}${list}${inherits}${partitioned}${parameters}`;
}

function columnsOf(items: readonly Item[], parents: readonly Relation[]): ReadonlySet<string> | undefined {
  if (parents.some(({ columns }) => columns === undefined)) return undefined;
  const own = items.flatMap(({ column, text }) => (column !== undefined && text !== undefined ? [column] : []));
  return new Set([...parents.flatMap(({ columns }) => [...(columns ?? [])]), ...own]);
}

interface Body {
  readonly items: readonly Item[];
  readonly parents: readonly Qualified[];
  readonly relation: Relation;
}

/** More passes than a table can need that somebody made to be used. */
const passLimit = 5;

/** The list and INHERITS. Read again where a column was left out, until nothing that is kept uses one that is not. */
function body(reading: Reading, { table, typed }: { readonly table: Qualified; readonly typed: boolean }): Body {
  const { cursor, scope } = reading;
  const start = cursor.at;
  const told = scope.parts.length;
  let columns: ReadonlySet<string> | undefined;
  for (let pass = 1; pass <= passLimit; pass++) {
    cursor.at = start;
    scope.parts.splice(told);
    if (!typed && !cursor.isSymbol('(')) throw cursor.unexpected();
    const items = cursor.isSymbol('(') ? cursor.list(() => item(reading, { table, columns, typed }), { empty: true }) : [];
    const parents = cursor.accept('INHERITS') ? cursor.list(() => cursor.qualified()) : [];
    const known = typed
      ? undefined
      : columnsOf(
          items,
          parents.map((parent) => scope.relation(parent)),
        );
    if (known?.size === columns?.size) return { items, parents, relation: { columns: known, table: true } };
    columns = known;
  }
  throw new NotAdmitted('its columns use each other');
}

interface Within {
  readonly table: Qualified;
  readonly columns: ReadonlySet<string> | undefined;
  /** CREATE TABLE OF: types are not said. */
  readonly typed: boolean;
}

function item(reading: Reading, within: Within): Item {
  return reading.cursor.isWord('CONSTRAINT') ? { text: tableConstraint(reading, within) } : column(reading, within);
}

/** `CONSTRAINT "c" CHECK (...)`, or the table form of a NOT NULL; undefined: left out. */
export function tableConstraint({ cursor, scope }: Reading, { table, columns }: Pick<Within, 'table' | 'columns'>): string | undefined {
  cursor.expect('CONSTRAINT');
  const name = cursor.name();
  const named = `CONSTRAINT ${quoteIdentifier(name)}`;
  if (cursor.accept('NOT', 'NULL')) {
    const of = cursor.name();
    checkColumn({ columns }, of);
    return `${named} NOT NULL ${quoteIdentifier(of)}${constraintState(cursor)}`;
  }
  cursor.expect('CHECK');
  const check = inParentheses(cursor, { scope, columns });
  const state = constraintState(cursor);
  if (check.text !== undefined) return `${named} CHECK ${check.text}${state}`;
  scope.leaveOutConstraint(name);
  scope.leaveOut({ kind: 'check', name: `${labelOf(table)}: ${name}`, reason: check.reason, sql: check.sql });
  return undefined;
}

function column(reading: Reading, { table, columns, typed }: Within): Item {
  const { cursor, scope } = reading;
  const name = cursor.name();
  const parts = [quoteIdentifier(name)];
  if (typed) {
    cursor.expect('WITH', 'OPTIONS');
    parts.push('WITH OPTIONS');
  } else {
    parts.push(columnType(reading, name));
    const collation = columnCollation(reading, `${labelOf(table)}.${name}`);
    if (collation !== undefined) parts.push(collation);
  }
  const context = { scope, columns };
  if (cursor.accept('GENERATED', 'ALWAYS', 'AS')) {
    const generated = generation(reading, { name: `${labelOf(table)}.${name}`, context });
    const rest = notNull(cursor);
    return { column: name, text: generated === undefined ? undefined : [...parts, generated, ...rest].join(' ') };
  }
  if (cursor.accept('DEFAULT')) {
    const own = clause(cursor, { ...context, columns: new Set(), sequences: true }, endsColumn);
    if (own.text === undefined) scope.leaveOut({ kind: 'default', name: `${labelOf(table)}.${name}`, reason: own.reason, sql: own.sql });
    else parts.push('DEFAULT', own.text);
  }
  return { column: name, text: [...parts, ...notNull(cursor)].join(' ') };
}

function columnType({ cursor, scope }: Reading, name: string): string {
  try {
    return typeName(cursor, scope);
  } catch (error) {
    if (error instanceof NotAdmitted) throw new NotAdmitted(`its column ${name}: ${error.message}`);
    throw error;
  }
}

/** Without it the values are the same, and no two of them are equal that were not. */
export function columnCollation({ cursor, scope }: Reading, name: string): string | undefined {
  if (!cursor.accept('COLLATE')) return undefined;
  const start = cursor.at;
  try {
    return `COLLATE ${collationName(cursor)}`;
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error;
    scope.leaveOut({ kind: 'collation of column', name, reason: error.message, sql: cursor.textFrom(start) });
    return undefined;
  }
}

/** `(...) STORED`; undefined: left out, and the column with it. */
function generation({ cursor, scope }: Reading, { name, context }: { name: string; context: ExpressionContext }): string | undefined {
  // Where another statement follows with the true expression: without that one the column would be wrong.
  const placeholder = cursor.isWord('NULL', 1) && cursor.isSymbol('::', 2) && !scope.allows('expressions');
  const { text, reason, sql } = inParentheses(cursor, context);
  const stored = cursor.acceptOf(['STORED', 'VIRTUAL']);
  if (stored === undefined) throw cursor.unexpected();
  if (text !== undefined && !placeholder) return `GENERATED ALWAYS AS ${text} ${stored}`;
  const why = placeholder ? 'its expression calls something that uses the table itself' : reason;
  scope.leaveOut({ kind: 'generated column', name, reason: why, sql });
  return undefined;
}

function endsColumn(cursor: Cursor): boolean {
  if (cursor.isSymbol(',') || cursor.isSymbol(')') || cursor.peek() === undefined) return true;
  return cursor.isWord('CONSTRAINT') || (cursor.isWord('NOT') && cursor.isWord('NULL', 1));
}

function notNull(cursor: Cursor): readonly string[] {
  const name = cursor.accept('CONSTRAINT') ? [`CONSTRAINT ${cursor.identifier()}`] : [];
  if (!cursor.accept('NOT', 'NULL')) {
    if (name.length > 0) throw cursor.unexpected();
    return [];
  }
  return [...name, 'NOT NULL', ...(cursor.accept('NO', 'INHERIT') ? ['NO INHERIT'] : [])];
}

/** Of columns; an expression keeps the partitioned table out, and its partitions are tables by themselves. */
function partitionKey(reading: Reading, relation: Relation): string {
  const { cursor, scope } = reading;
  const way = cursor.acceptOf(['RANGE', 'LIST', 'HASH']);
  if (way === undefined) throw cursor.unexpected();
  if (scope.mistrust !== undefined) throw new NotAdmitted(scope.mistrust);
  const ends = (at: Cursor): boolean => at.isSymbol(',') || at.isSymbol(')');
  const keys = cursor.list(() => {
    if (cursor.peek()?.kind !== 'name' || cursor.isSymbol('(', 1) || cursor.isSymbol('.', 1)) {
      const key = clause(cursor, { scope, columns: relation.columns }, ends);
      if (key.text === undefined) throw new NotAdmitted(`it is partitioned by an expression: ${key.reason}`);
      return `(${key.text})`;
    }
    const name = cursor.name();
    checkColumn(relation, name);
    const collation = cursor.accept('COLLATE') ? ` COLLATE ${collationName(cursor)}` : '';
    if (!ends(cursor)) throw new NotAdmitted('it is partitioned by an operator class of its own');
    return `${quoteIdentifier(name)}${collation}`;
  });
  return `${way} (${keys.join(', ')})`;
}
