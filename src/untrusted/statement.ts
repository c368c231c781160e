// What every grammar of a statement gets and gives: the tokens, what was admitted before, and the object that the step is of, so that a
// statement makes what the list of objects says, and nothing of another name.
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import { type Cursor, labelOf, type Qualified } from './cursor.js';
import type { Scope } from './scope.js';
import { NotAdmitted } from './tokens.js';

export interface Subject {
  readonly schema: string | undefined;
  readonly name: string;
  /** The table that an index, constraint, default or sequence of a column belongs to. */
  readonly parent: Qualified | undefined;
}

export interface Reading {
  readonly cursor: Cursor;
  readonly scope: Scope;
  readonly subject: Subject;
}

/** Reads a whole statement, and gives it written anew; undefined: it is only a setting, and not needed. @throws NotAdmitted */
export type Grammar = (reading: Reading) => string | undefined;

/** @throws NotAdmitted where the statement is about something else than the step's object */
export function checkSubject(subject: Subject, { schema, name }: { readonly schema?: string; readonly name: string }): void {
  if (subject.name !== name || subject.schema !== schema) throw anotherObject();
}

/** @throws NotAdmitted where the statement is about another table than that of the step's object */
export function checkParent({ parent }: Subject, table: Qualified): void {
  if (parent?.schema !== table.schema || parent.name !== table.name) throw anotherObject();
}

function anotherObject(): NotAdmitted {
  return new NotAdmitted('its SQL is about another object than the one that it is listed as');
}

/** ` WITH ("fillfactor"='70')`: what is only about storage is kept, the rest left out and told. */
export function storageParameters({ cursor, scope }: Reading, owner: Qualified): string {
  if (!cursor.accept('WITH')) return '';
  const kept: string[] = [];
  cursor.list(() => {
    const start = cursor.at;
    const name = cursor.name();
    const toast = cursor.acceptSymbol('.') ? `${name}.` : '';
    const parameter = `${toast}${toast === '' ? name : cursor.name()}`;
    let value: string | undefined;
    if (cursor.acceptSymbol('=')) {
      value = cursor.take().text;
    }
    if (plainParameters.has(parameter) && value !== undefined && /^(?:[0-9]{1,5}|on|off|true|false)$/.test(value)) {
      kept.push(`${quoteIdentifier(parameter)}=${quoteLiteral(value)}`);
      return;
    }
    const reason = 'storage parameters other than the fill factor change how the server works';
    scope.leaveOut({ kind: 'storage parameter', name: `${labelOf(owner)}: ${parameter}`, reason, sql: cursor.textFrom(start) });
  });
  return kept.length === 0 ? '' : ` WITH (${kept.join(', ')})`;
}

const plainParameters: ReadonlySet<string> = new Set([
  'fillfactor',
  'deduplicate_items',
  'toast_tuple_target',
  'fastupdate',
  'pages_per_range',
]);

/** ` DEFERRABLE INITIALLY DEFERRED`, or a part of it, or nothing. */
export function deferral(cursor: Cursor): string {
  if (!cursor.accept('DEFERRABLE')) return '';
  return cursor.accept('INITIALLY', 'DEFERRED') ? ' DEFERRABLE INITIALLY DEFERRED' : ' DEFERRABLE';
}

/** ` NO INHERIT NOT VALID`: what may follow a constraint. */
export function constraintState(cursor: Cursor): string {
  const parts = [
    cursor.accept('NO', 'INHERIT') ? ' NO INHERIT' : '',
    cursor.accept('NOT', 'VALID') ? ' NOT VALID' : '',
    cursor.accept('NOT', 'ENFORCED') ? ' NOT ENFORCED' : '',
  ];
  return parts.join('');
}
