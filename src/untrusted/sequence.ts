// Sequences as schema/kinds/sequence writes them, and their values.
// https://www.postgresql.org/docs/current/sql-createsequence.html

import { quoteIdentifier } from '../pg/quote.js';
import { type Cursor, sqlOf } from './cursor.js';
import { sequenceIn } from './expression.js';
import { checkSubject, type Reading } from './statement.js';

/** ` START WITH 1 INCREMENT BY 1 ...` */
export function sequenceOptions(cursor: Cursor): string {
  const parts: string[] = [];
  for (;;) {
    if (cursor.accept('START', 'WITH')) parts.push(`START WITH ${cursor.integer()}`);
    else if (cursor.accept('INCREMENT', 'BY')) parts.push(`INCREMENT BY ${cursor.integer()}`);
    else if (cursor.accept('NO', 'MINVALUE')) parts.push('NO MINVALUE');
    else if (cursor.accept('NO', 'MAXVALUE')) parts.push('NO MAXVALUE');
    else if (cursor.accept('MINVALUE')) parts.push(`MINVALUE ${cursor.integer()}`);
    else if (cursor.accept('MAXVALUE')) parts.push(`MAXVALUE ${cursor.integer()}`);
    else if (cursor.accept('CACHE')) parts.push(`CACHE ${cursor.integer()}`);
    else if (cursor.accept('CYCLE')) parts.push('CYCLE');
    else return parts.map((part) => ` ${part}`).join('');
  }
}

export function createSequence({ cursor, scope, subject }: Reading): string {
  cursor.expect('CREATE');
  const unlogged = cursor.accept('UNLOGGED') ? 'UNLOGGED ' : '';
  cursor.expect('SEQUENCE');
  const sequence = scope.inSchema(cursor.qualified());
  checkSubject(subject, sequence);
  cursor.expect('AS');
  const type = cursor.acceptOf(['bigint', 'integer', 'smallint']);
  if (type === undefined) throw cursor.unexpected();
  const options = sequenceOptions(cursor);
  cursor.end();
  scope.addSequence(sequence);
  return `CREATE ${unlogged}SEQUENCE ${sqlOf(sequence)} AS ${type}${options}`;
}

/** OWNED BY a column, or whether it is logged. */
export function alterSequence({ cursor, scope, subject }: Reading): string {
  cursor.expect('ALTER', 'SEQUENCE');
  const sequence = scope.sequence(cursor.qualified());
  checkSubject(subject, sequence);
  if (cursor.accept('SET')) {
    const state = cursor.acceptOf(['LOGGED', 'UNLOGGED']);
    if (state === undefined) throw cursor.unexpected();
    cursor.end();
    return `ALTER SEQUENCE ${sqlOf(sequence)} SET ${state}`;
  }
  cursor.expect('OWNED', 'BY');
  const table = cursor.qualified();
  cursor.symbol('.');
  const column = scope.column(table, cursor.name());
  cursor.end();
  return `ALTER SEQUENCE ${sqlOf(sequence)} OWNED BY ${sqlOf(table)}.${quoteIdentifier(column)}`;
}

/** `SELECT pg_catalog.setval('"s"."q"'::pg_catalog.regclass, 42, true)` */
export function setValue({ cursor, scope }: Reading): string {
  cursor.expect('SELECT', 'pg_catalog');
  cursor.symbol('.');
  cursor.expect('setval');
  cursor.symbol('(');
  const name = cursor.take();
  if (name.kind !== 'string') throw cursor.unexpected();
  const sequence = sequenceIn(name.text, scope);
  cursor.symbol('::');
  cursor.expect('pg_catalog');
  cursor.symbol('.');
  cursor.expect('regclass');
  cursor.symbol(',');
  const value = cursor.integer();
  cursor.symbol(',');
  const called = cursor.acceptOf(['true', 'false']);
  if (called === undefined) throw cursor.unexpected();
  cursor.symbol(')');
  cursor.end();
  return `SELECT pg_catalog.setval(${sequence}::pg_catalog.regclass, ${value}, ${called})`;
}
