// ALTER TABLE as schema/kinds writes it before and after the rows, but for constraints with an index and foreign keys (keys.ts): settings of
// columns, defaults and checks that come by themselves, parents and partitions, identity columns.
// https://www.postgresql.org/docs/current/sql-altertable.html
import { quoteIdentifier } from '../pg/quote.js';
import { clause, inParentheses } from './clause.js';
import { tableConstraint } from './create-table.js';
import { type Cursor, labelOf, type Qualified, sqlOf } from './cursor.js';
import { sequenceOptions } from './sequence.js';
import { checkParent, checkSubject, type Reading } from './statement.js';
import { NotAdmitted } from './tokens.js';

/** `ALTER TABLE [ONLY] name`, of a table that is there. */
export function alteredTable({ cursor, scope }: Reading): { readonly table: Qualified; readonly text: string } {
  cursor.expect('ALTER', 'TABLE');
  const only = cursor.accept('ONLY') ? 'ONLY ' : '';
  const table = cursor.qualified();
  if (!scope.relation(table).table) throw new NotAdmitted('its SQL alters what is no table');
  return { table, text: `ALTER TABLE ${only}${sqlOf(table)}` };
}

/** A step of a table after its CREATE. */
export function alterTable(reading: Reading): string | undefined {
  const { cursor, scope, subject } = reading;
  const { table, text } = alteredTable(reading);
  if (cursor.accept('ATTACH', 'PARTITION')) {
    const partition = cursor.qualified();
    checkSubject(subject, partition);
    refuseOthers(scope.relation(table).columns, scope.relation(partition).columns);
    const bound = partitionBound(cursor);
    cursor.end();
    scope.addPartition(partition);
    return `${text} ATTACH PARTITION ${sqlOf(partition)} ${bound}`;
  }
  checkSubject(subject, table);
  if (cursor.accept('INHERIT')) {
    const parent = cursor.qualified();
    scope.relation(parent);
    cursor.end();
    return `${text} INHERIT ${sqlOf(parent)}`;
  }
  if (cursor.accept('SET', 'ACCESS', 'METHOD')) {
    scope.leaveOut({
      kind: 'access method',
      name: labelOf(table),
      reason: 'it is one of the server, by its name only',
      sql: cursor.name(),
    });
    cursor.end();
    return undefined;
  }
  const force = cursor.acceptOf(['FORCE', 'ENABLE']);
  if (force !== undefined) {
    cursor.expect('ROW', 'LEVEL', 'SECURITY');
    cursor.end();
    const reason = 'without its policies, which name roles and run expressions, it would hide the rows';
    scope.leaveOut({ kind: 'row security', name: labelOf(table), reason, sql: cursor.text });
    return undefined;
  }
  if (cursor.accept('REPLICA', 'IDENTITY')) {
    const identity = cursor.acceptOf(['NOTHING', 'FULL']);
    if (identity === undefined) throw cursor.unexpected();
    cursor.end();
    return `${text} REPLICA IDENTITY ${identity}`;
  }
  const actions: string[] = [];
  do actions.push(...columnAction(reading, table));
  while (cursor.acceptSymbol(','));
  cursor.end();
  return actions.length === 0 ? undefined : `${text} ${actions.join(', ')}`;
}

/** A partition without a column that the whole has, or the other way round, cannot be one: a generated column was left out of one of them. */
function refuseOthers(whole: ReadonlySet<string> | undefined, partition: ReadonlySet<string> | undefined): void {
  if (whole === undefined || partition === undefined) return;
  if (whole.size !== partition.size || [...whole].some((name) => !partition.has(name)))
    throw new NotAdmitted('a column of it, or of the whole, is left out');
}

function partitionBound(cursor: Cursor): string {
  if (cursor.accept('DEFAULT')) return 'DEFAULT';
  cursor.expect('FOR', 'VALUES');
  const values = (): string => `(${cursor.list(() => boundValue(cursor)).join(', ')})`;
  if (cursor.accept('IN')) return `FOR VALUES IN ${values()}`;
  if (cursor.accept('FROM')) {
    const from = values();
    cursor.expect('TO');
    return `FOR VALUES FROM ${from} TO ${values()}`;
  }
  cursor.expect('WITH');
  cursor.symbol('(');
  cursor.expect('modulus');
  const modulus = cursor.integer();
  cursor.symbol(',');
  cursor.expect('remainder');
  const remainder = cursor.integer();
  cursor.symbol(')');
  return `FOR VALUES WITH (modulus ${modulus}, remainder ${remainder})`;
}

function boundValue(cursor: Cursor): string {
  const word = cursor.acceptOf(['MINVALUE', 'MAXVALUE', 'NULL', 'true', 'false']);
  if (word !== undefined) return word;
  if (cursor.peek()?.kind === 'string') return cursor.string();
  const sign = cursor.acceptSymbol('-') ? '-' : '';
  const token = cursor.peek();
  if (token?.kind !== 'number') throw cursor.unexpected();
  return `${sign}${cursor.take().text}`;
}

/** One `ALTER COLUMN ...`; nothing where it is left out. */
function columnAction({ cursor, scope }: Reading, table: Qualified): readonly string[] {
  cursor.expect('ALTER', 'COLUMN');
  const start = cursor.at;
  const name = cursor.name();
  const known = scope.relation(table).columns?.has(name) ?? true;
  const column = `ALTER COLUMN ${quoteIdentifier(name)}`;
  let action: string | undefined;
  if (cursor.accept('DROP', 'DEFAULT')) action = 'DROP DEFAULT';
  else if (cursor.accept('SET', 'NOT', 'NULL')) action = 'SET NOT NULL';
  else if (cursor.accept('DROP', 'NOT', 'NULL')) action = 'DROP NOT NULL';
  else if (cursor.accept('SET', 'STATISTICS')) action = `SET STATISTICS ${cursor.integer()}`;
  else if (cursor.accept('SET', 'STORAGE')) action = `SET STORAGE ${oneOf(cursor, ['PLAIN', 'EXTERNAL', 'EXTENDED', 'MAIN'])}`;
  else if (cursor.accept('SET', 'COMPRESSION')) action = `SET COMPRESSION ${oneOf(cursor, ['pglz', 'lz4'])}`;
  else if (cursor.accept('SET') && cursor.isSymbol('(')) {
    // They change what the planner believes.
    cursor.list(() => {
      cursor.name();
      cursor.symbol('=');
      cursor.string();
    });
    const reason = 'options of columns change how the server plans';
    scope.leaveOut({ kind: 'column option', name: `${labelOf(table)}.${name}`, reason, sql: cursor.textFrom(start) });
  } else throw cursor.unexpected();
  return known && action !== undefined ? [`${column} ${action}`] : [];
}

function oneOf(cursor: Cursor, words: readonly string[]): string {
  const found = cursor.acceptOf(words);
  if (found === undefined) throw cursor.unexpected();
  return found;
}

/** `... ALTER COLUMN "c" SET DEFAULT expression`, or SET EXPRESSION AS of a generated column. */
export function setDefault(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  const { table, text } = alteredTable(reading);
  checkParent(subject, table);
  cursor.expect('ALTER', 'COLUMN');
  const name = cursor.name();
  scope.column(table, name);
  cursor.expect('SET');
  const generated = cursor.accept('EXPRESSION', 'AS');
  if (!generated) cursor.expect('DEFAULT');
  const { columns } = scope.relation(table);
  const value = generated
    ? inParentheses(cursor, { scope, columns })
    : clause(cursor, { scope, columns: new Set(), sequences: true }, (at) => at.peek() === undefined);
  cursor.end();
  if (value.text === undefined) throw new NotAdmitted(value.reason);
  return `${text} ALTER COLUMN ${quoteIdentifier(name)} SET ${generated ? 'EXPRESSION AS' : 'DEFAULT'} ${value.text}`;
}

/** A check or not-null that is added by itself, or validated. */
export function addCheck(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  const { table, text } = alteredTable(reading);
  checkParent(subject, table);
  if (cursor.accept('VALIDATE', 'CONSTRAINT')) {
    const name = cursor.name();
    scope.refuseConstraint(name);
    cursor.end();
    return `${text} VALIDATE CONSTRAINT ${quoteIdentifier(name)}`;
  }
  cursor.expect('ADD');
  const before = scope.parts.length;
  const added = tableConstraint(reading, { table, columns: scope.relation(table).columns });
  cursor.end();
  if (added !== undefined) return `${text} ADD ${added}`;
  // The whole step is it: told as such.
  throw new NotAdmitted(scope.parts.splice(before)[0]?.reason ?? 'its expression is not plain');
}

/** `ALTER TABLE name ALTER COLUMN "c" ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME ... )` */
export function addIdentity(reading: Reading): string {
  const { cursor, scope, subject } = reading;
  const { table, text } = alteredTable(reading);
  checkParent(subject, table);
  cursor.expect('ALTER', 'COLUMN');
  const name = cursor.name();
  scope.column(table, name);
  cursor.expect('ADD', 'GENERATED');
  const when = cursor.accept('ALWAYS') ? 'ALWAYS' : 'BY DEFAULT';
  if (when === 'BY DEFAULT') cursor.expect('BY', 'DEFAULT');
  cursor.expect('AS', 'IDENTITY');
  cursor.symbol('(');
  cursor.expect('SEQUENCE', 'NAME');
  const sequence = scope.inSchema(cursor.qualified());
  checkSubject(subject, sequence);
  const options = sequenceOptions(cursor);
  cursor.symbol(')');
  cursor.end();
  scope.addSequence(sequence);
  return `${text} ALTER COLUMN ${quoteIdentifier(name)} ADD GENERATED ${when} AS IDENTITY (SEQUENCE NAME ${sqlOf(sequence)}${options})`;
}
