// Names of types, as format_type prints them: those of pg_catalog whose input does nothing but read a value, and those of the archive that
// were admitted themselves. Each is written so that it means the same with any search_path.
// https://www.postgresql.org/docs/current/datatype.html
import { quoteIdentifier } from '../pg/quote.js';
import { type Cursor, checkSchema, labelOf, sqlOf } from './cursor.js';
import type { Scope } from './scope.js';
import { NotAdmitted } from './tokens.js';

const ranges = ['int4', 'int8', 'num', 'ts', 'tstz', 'date'];

/** Without regclass, aclitem and their like: reading one of those looks a name up, which may be of what is left out. */
const builtIn: ReadonlySet<string> = new Set([
  ...['text', 'bytea', 'char', 'name', 'bpchar', 'varchar', 'bit', 'varbit', 'bool', 'uuid', 'xml', 'json', 'jsonb', 'jsonpath'],
  ...['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'money', 'oid', 'xid', 'xid8', 'cid', 'tid', 'pg_lsn'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'inet', 'cidr', 'macaddr', 'macaddr8'],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'tsvector', 'tsquery', 'txid_snapshot', 'pg_snapshot'],
  ...['int2vector', 'oidvector', 'refcursor'],
  ...ranges.flatMap((word) => [`${word}range`, `${word}multirange`]),
]);

const intervalFields = ['year', 'month', 'day', 'hour', 'minute', 'second'];

/** A type with its modifiers and brackets. @throws NotAdmitted */
export function typeName(cursor: Cursor, scope: Scope): string {
  const base = cursor.peek()?.kind === 'name' ? namedType(cursor, scope) : spelledType(cursor);
  let brackets = '';
  while (cursor.isSymbol('[') && cursor.isSymbol(']', 1)) {
    cursor.at += 2;
    brackets += '[]';
  }
  return `${base}${brackets}`;
}

function namedType(cursor: Cursor, scope: Scope): string {
  if (cursor.isSymbol('.', 1)) {
    const schema = cursor.name();
    cursor.symbol('.');
    if (schema === 'pg_catalog') return builtInType(cursor.name());
    const type = { schema: checkSchema(schema), name: cursor.name() };
    if (!scope.hasType(type)) throw new NotAdmitted(`type ${labelOf(type)} is left out, or not in the archive`);
    return sqlOf(type);
  }
  return builtInType(cursor.name());
}

function builtInType(name: string): string {
  if (!builtIn.has(name)) throw new NotAdmitted(`type ${name} is not one of those that are known to be safe`);
  return `"pg_catalog".${quoteIdentifier(name)}`;
}

/** Types whose names SQL has words for. */
function spelledType(cursor: Cursor): string {
  const plain = cursor.acceptOf(['bigint', 'integer', 'smallint', 'real', 'boolean', 'json']);
  if (plain !== undefined) return plain;
  if (cursor.accept('double', 'precision')) return 'double precision';
  if (cursor.accept('numeric')) return `numeric${modifier(cursor)}`;
  if (cursor.accept('character')) return `character${cursor.accept('varying') ? ' varying' : ''}${modifier(cursor)}`;
  if (cursor.accept('bit')) return `bit${cursor.accept('varying') ? ' varying' : ''}${modifier(cursor)}`;
  if (cursor.accept('interval')) return interval(cursor);
  const time = cursor.acceptOf(['timestamp', 'time']);
  if (time === undefined) throw cursor.unexpected();
  const precision = modifier(cursor);
  const zone = cursor.acceptOf(['with', 'without']);
  if (zone === undefined) throw cursor.unexpected();
  cursor.expect('time', 'zone');
  return `${time}${precision} ${zone} time zone`;
}

function modifier(cursor: Cursor): string {
  return cursor.isSymbol('(') ? `(${cursor.list(() => cursor.integer()).join(', ')})` : '';
}

function interval(cursor: Cursor): string {
  const from = cursor.acceptOf(intervalFields);
  const to = from !== undefined && cursor.accept('to') ? cursor.acceptOf(intervalFields) : undefined;
  return `interval${from === undefined ? '' : ` ${from}`}${to === undefined ? '' : ` to ${to}`}${modifier(cursor)}`;
}

/** A collation that the server brings along, by its name or by `pg_catalog` and its name. @throws NotAdmitted */
export function collationName(cursor: Cursor): string {
  const first = cursor.name();
  if (!cursor.acceptSymbol('.')) return `"pg_catalog".${quoteIdentifier(first)}`;
  const name = cursor.name();
  if (first !== 'pg_catalog') throw new NotAdmitted(`collation ${first}.${name} is left out`);
  return `"pg_catalog".${quoteIdentifier(name)}`;
}
