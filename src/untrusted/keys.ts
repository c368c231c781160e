// Primary keys, unique constraints, foreign keys and indexes as schema/kinds writes them, over columns and plain expressions, with the operator
// classes that the server brings along. Exclusion constraints and keys WITHOUT OVERLAPS are left out.
// https://www.postgresql.org/docs/current/sql-createindex.html
import { quoteIdentifier } from '../pg/quote.js';
import { alteredTable } from './alter-table.js';
import { clause, inParentheses } from './clause.js';
import { type Cursor, type Qualified, sqlOf } from './cursor.js';
import type { ExpressionContext } from './expression.js';
import { safeOperatorClasses } from './functions.js';
import { checkParent, checkSubject, constraintState, deferral, type Reading, storageParameters } from './statement.js';
import { NotAdmitted } from './tokens.js';
import { collationName } from './types.js';

/** A constraint with an index under it, and what is done to that index afterwards. */
export function key(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  if (cursor.isWord('DO')) throw new NotAdmitted('its SQL is a block of code');
  if (cursor.isWord('INDEX', 1)) return alterIndex(reading);
  const { table, text } = alteredTable(reading);
  checkParent(subject, table);
  const marked = markIndex(reading, table);
  if (marked !== undefined) return `${text} ${marked}`;
  cursor.expect('ADD', 'CONSTRAINT');
  const name = { schema: table.schema, name: cursor.name() };
  checkSubject(subject, name);
  if (cursor.isWord('EXCLUDE')) throw new NotAdmitted('it is an exclusion constraint, which names operators');
  const sort = cursor.accept('PRIMARY', 'KEY') ? 'PRIMARY KEY' : 'UNIQUE';
  if (sort === 'UNIQUE') cursor.expect('UNIQUE');
  const nulls = nullsNotDistinct(cursor);
  const columns = cursor.list(() => {
    const column = quoteIdentifier(scope.column(table, cursor.name()));
    if (cursor.isWord('WITHOUT')) throw new NotAdmitted('it is a key WITHOUT OVERLAPS, which needs an extension');
    return column;
  });
  const included = including(reading, table);
  const parameters = storageParameters(reading, name);
  const deferred = deferral(cursor);
  cursor.end();
  scope.addIndex(name, table);
  const definition = `${sort}${nulls} (${columns.join(', ')})${included}${parameters}${deferred}`;
  return `${text} ADD CONSTRAINT ${quoteIdentifier(name.name)} ${definition}`;
}

function nullsNotDistinct(cursor: Cursor): string {
  return cursor.accept('NULLS', 'NOT', 'DISTINCT') ? ' NULLS NOT DISTINCT' : '';
}

function including({ cursor, scope }: Reading, table: Qualified): string {
  if (!cursor.accept('INCLUDE')) return '';
  return ` INCLUDE (${cursor.list(() => quoteIdentifier(scope.column(table, cursor.name()))).join(', ')})`;
}

/** `CLUSTER ON "i"`, `REPLICA IDENTITY USING INDEX "i"`; undefined: neither. */
function markIndex({ cursor, scope }: Reading, { schema }: Qualified): string | undefined {
  const words = [['CLUSTER', 'ON'] as const, ['REPLICA', 'IDENTITY', 'USING', 'INDEX'] as const].find((each) => cursor.accept(...each));
  if (words === undefined) return undefined;
  const index = scope.index({ schema, name: cursor.name() });
  cursor.end();
  return `${words.join(' ')} ${quoteIdentifier(index.name)}`;
}

/** ATTACH PARTITION, or the statistics targets of its columns. */
function alterIndex({ cursor, scope, subject }: Reading): string {
  cursor.expect('ALTER', 'INDEX');
  const index = scope.index(cursor.qualified());
  const text = `ALTER INDEX ${sqlOf(index)}`;
  if (cursor.accept('ATTACH', 'PARTITION')) {
    const partition = scope.indexOfPartition(cursor.qualified());
    checkSubject(subject, partition);
    cursor.end();
    return `${text} ATTACH PARTITION ${sqlOf(partition)}`;
  }
  checkSubject(subject, index);
  if (cursor.isWord('DEPENDS')) throw new NotAdmitted('it belongs to an extension');
  const targets: string[] = [];
  do {
    cursor.expect('ALTER', 'COLUMN');
    const column = cursor.integer();
    cursor.expect('SET', 'STATISTICS');
    targets.push(`ALTER COLUMN ${column} SET STATISTICS ${cursor.integer()}`);
  } while (cursor.acceptSymbol(','));
  cursor.end();
  return `${text} ${targets.join(', ')}`;
}

const methods: ReadonlySet<string> = new Set(['btree', 'hash', 'gin', 'gist', 'spgist', 'brin']);

export function index(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  if (cursor.isWord('ALTER')) {
    if (cursor.isWord('INDEX', 1)) return alterIndex(reading);
    const { table, text } = alteredTable(reading);
    checkParent(subject, table);
    const marked = markIndex(reading, table);
    if (marked === undefined) throw cursor.unexpected();
    return `${text} ${marked}`;
  }
  cursor.expect('CREATE');
  const unique = cursor.accept('UNIQUE') ? 'UNIQUE ' : '';
  cursor.expect('INDEX');
  const bare = cursor.name();
  cursor.expect('ON');
  const only = cursor.accept('ONLY') ? 'ONLY ' : '';
  const table = cursor.qualified();
  const name = { schema: table.schema, name: bare };
  checkParent(subject, table);
  checkSubject(subject, name);
  const relation = scope.relation(table);
  cursor.expect('USING');
  const method = cursor.name();
  if (!methods.has(method)) throw new NotAdmitted(`it uses the access method ${method}, which the server does not bring along`);
  const context = { scope, columns: relation.columns };
  const parts = cursor.list(() => part(cursor, context));
  const included = including(reading, table);
  const nulls = nullsNotDistinct(cursor);
  const parameters = storageParameters(reading, name);
  const where = cursor.accept('WHERE') ? ` WHERE ${needed(cursor, context, (at) => at.peek() === undefined)}` : '';
  cursor.end();
  scope.addIndex(name, table);
  const definition = `(${parts.join(', ')})${included}${nulls}${parameters}${where}`;
  return `CREATE ${unique}INDEX ${quoteIdentifier(bare)} ON ${only}${sqlOf(table)} USING "${method}" ${definition}`;
}

/** An expression that the index is nothing without. */
function needed(cursor: Cursor, context: ExpressionContext, ends: (cursor: Cursor) => boolean): string {
  const { text, reason } = clause(cursor, context, ends);
  if (text === undefined) throw new NotAdmitted(reason);
  return text;
}

function endsPart(cursor: Cursor): boolean {
  if (['COLLATE', 'ASC', 'DESC', 'NULLS'].some((word) => cursor.isWord(word))) return true;
  if (cursor.isSymbol(',') || cursor.isSymbol(')')) return true;
  return cursor.peek()?.kind === 'name' && !cursor.isSymbol('.', -1);
}

/** A column or an expression, and how it is sorted. */
function part(cursor: Cursor, context: ExpressionContext): string {
  const isColumn = cursor.peek()?.kind === 'name' && !cursor.isSymbol('(', 1) && !cursor.isSymbol('.', 1);
  const text = isColumn ? columnOf(cursor, context) : expressionOf(cursor, context);
  const collation = cursor.accept('COLLATE') ? ` COLLATE ${collationName(cursor)}` : '';
  const operators = operatorClass(cursor);
  const order = cursor.acceptOf(['ASC', 'DESC']);
  const nulls = cursor.accept('NULLS') ? ` NULLS ${cursor.accept('FIRST') ? 'FIRST' : last(cursor)}` : '';
  return `${text}${collation}${operators}${order === undefined ? '' : ` ${order}`}${nulls}`;
}

function last(cursor: Cursor): string {
  cursor.expect('LAST');
  return 'LAST';
}

/** All but calls stand in parentheses. */
function expressionOf(cursor: Cursor, context: ExpressionContext): string {
  if (!cursor.isSymbol('(')) return `(${needed(cursor, context, endsPart)})`;
  const { text, reason } = inParentheses(cursor, context);
  if (text === undefined) throw new NotAdmitted(reason);
  return text;
}

function columnOf(cursor: Cursor, { columns }: ExpressionContext): string {
  const name = cursor.name();
  if (columns !== undefined && !columns.has(name)) throw new NotAdmitted(`column ${name} is left out, or not there`);
  return quoteIdentifier(name);
}

function operatorClass(cursor: Cursor): string {
  if (cursor.peek()?.kind !== 'name') return '';
  if (cursor.isSymbol('.', 1) && cursor.peek()?.text === 'pg_catalog') cursor.at += 2;
  const name = cursor.name();
  if (cursor.isSymbol('.') || !safeOperatorClasses.has(name)) throw new NotAdmitted(`it uses the operator class ${name}`);
  return ` "pg_catalog".${quoteIdentifier(name)}`;
}

const actions = ['CASCADE', 'RESTRICT', 'SET NULL', 'SET DEFAULT', 'NO ACTION'] as const;

export function foreignKey(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  const { table, text } = alteredTable(reading);
  checkParent(subject, table);
  cursor.expect('ADD', 'CONSTRAINT');
  const name = cursor.name();
  checkSubject(subject, { schema: table.schema, name });
  cursor.expect('FOREIGN', 'KEY');
  const columns = (of: Qualified): string =>
    cursor
      .list(() => {
        if (cursor.isWord('PERIOD')) throw new NotAdmitted('it refers to a key WITHOUT OVERLAPS');
        return quoteIdentifier(scope.column(of, cursor.name()));
      })
      .join(', ');
  const own = columns(table);
  cursor.expect('REFERENCES');
  const target = cursor.qualified();
  if (!scope.relation(target).table) throw new NotAdmitted('it refers to what is no table');
  const theirs = columns(target);
  const match = cursor.accept('MATCH', 'FULL') ? ' MATCH FULL' : '';
  let on = '';
  while (cursor.accept('ON')) {
    const event = cursor.acceptOf(['UPDATE', 'DELETE']);
    const action = actions.find((words) => cursor.accept(...words.split(' ')));
    if (event === undefined || action === undefined) throw cursor.unexpected();
    on += ` ON ${event} ${action}${cursor.isSymbol('(') ? ` (${columns(table)})` : ''}`;
  }
  const state = `${deferral(cursor)}${constraintState(cursor)}`;
  cursor.end();
  const definition = `FOREIGN KEY (${own}) REFERENCES ${sqlOf(target)} (${theirs})${match}${on}${state}`;
  return `${text} ADD CONSTRAINT ${quoteIdentifier(name)} ${definition}`;
}
