// Expressions as pg_get_expr prints them: column names, literals, casts, and the functions and operators of functions.ts. Whatever else there
// is in one makes it code, which is left out with the clause that it stands in. Functions are written with their schema, so that they
// are those of pg_catalog; operators are, since the search path of a restore is empty.
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import { Cursor, sqlOf } from './cursor.js';
import { safeForms, safeFunctions, safeOperators, safeValues } from './functions.js';
import type { Scope } from './scope.js';
import { NotAdmitted } from './tokens.js';
import { collationName, typeName } from './types.js';

export interface ExpressionContext {
  readonly scope: Scope;
  /** What bare names may be. Undefined: any. */
  readonly columns?: ReadonlySet<string> | undefined;
  /** VALUE is one: the expression is a domain's. */
  readonly domain?: boolean;
  /** nextval() of a sequence of the archive may be called: a default. */
  readonly sequences?: boolean;
}

/** How deep parentheses may go: deeper than people write, and far from the end of any stack. */
const depthLimit = 100;

/** One expression, to where it ends. @throws NotAdmitted */
export function expression(cursor: Cursor, context: ExpressionContext): string {
  if (context.scope.mistrust !== undefined) throw new NotAdmitted(context.scope.mistrust);
  cursor.depth += 1;
  if (cursor.depth > depthLimit) throw new NotAdmitted('its expression is nested too deeply');
  const parts = [operand(cursor, context)];
  for (let sign = between(cursor); sign !== undefined; sign = between(cursor)) parts.push(sign, operand(cursor, context));
  cursor.depth -= 1;
  return parts.join(' ');
}

/** What stands between two values, if anything does. */
function between(cursor: Cursor): string | undefined {
  const logic = cursor.acceptOf(['AND', 'OR']);
  if (logic !== undefined) return logic;
  if (cursor.accept('IS', 'DISTINCT', 'FROM')) return 'IS DISTINCT FROM';
  if (cursor.accept('IS', 'NOT', 'DISTINCT', 'FROM')) return 'IS NOT DISTINCT FROM';
  const token = cursor.peek();
  if (token?.kind !== 'symbol' || [')', ',', ']', '('].includes(token.text)) return undefined;
  if (!safeOperators.has(token.text)) throw new NotAdmitted(`its expression uses ${token.text}, which is not one of the plain operators`);
  cursor.take();
  const many = cursor.acceptOf(['ANY', 'ALL']);
  return many === undefined ? token.text : `${token.text} ${many}`;
}

function operand(cursor: Cursor, context: ExpressionContext): string {
  let signs = '';
  for (;;) {
    if (cursor.accept('NOT')) signs += 'NOT ';
    else if (cursor.acceptSymbol('-')) signs += '- ';
    else break;
  }
  let text = primary(cursor, context);
  for (let more = after(cursor, context); more !== undefined; more = after(cursor, context)) text += more;
  return `${signs}${text}`;
}

/** What follows a value: a cast, a subscript, a test. */
function after(cursor: Cursor, context: ExpressionContext): string | undefined {
  if (cursor.acceptSymbol('::')) {
    // Where the archive has casts of its own, one of them may be meant: many leave no trace in what an expression depends on.
    if (context.scope.hasCasts) throw new NotAdmitted('its expression may use a cast of the archive, which is left out');
    return `::${typeName(cursor, context.scope)}`;
  }
  if (cursor.acceptSymbol('[')) {
    const inside = expression(cursor, context);
    cursor.symbol(']');
    return `[${inside}]`;
  }
  // A name after a dot may be a column of a composite, or any function of one argument.
  if (cursor.isSymbol('.')) throw new NotAdmitted('its expression selects a field, which may be a call');
  if (cursor.accept('COLLATE')) return ` COLLATE ${collationName(cursor)}`;
  if (cursor.accept('AT', 'TIME', 'ZONE')) return ` AT TIME ZONE ${operand(cursor, context)}`;
  if (!cursor.isWord('IS') || cursor.isWord('DISTINCT', 1) || cursor.isWord('DISTINCT', 2)) return undefined;
  cursor.take();
  const not = cursor.accept('NOT') ? 'NOT ' : '';
  const state = cursor.acceptOf(['NULL', 'TRUE', 'FALSE', 'UNKNOWN']);
  if (state === undefined) throw cursor.unexpected();
  return ` IS ${not}${state}`;
}

function primary(cursor: Cursor, context: ExpressionContext): string {
  const token = cursor.peek();
  if (token?.kind === 'string') return cursor.string();
  if (token?.kind === 'number') return cursor.take().text;
  // As it is written here: read again, it is the same.
  if (token?.kind === 'name' && token.text === 'pg_catalog' && cursor.isSymbol('.', 1) && cursor.isSymbol('(', 3)) {
    cursor.at += 2;
    return call(cursor, context);
  }
  if (token?.kind === 'name') return cursor.isSymbol('(', 1) ? call(cursor, context) : reference(cursor, context);
  if (cursor.acceptSymbol('(')) {
    const inside = expression(cursor, context);
    cursor.symbol(')');
    return `(${inside})`;
  }
  const value = cursor.acceptOf(safeValues);
  if (value !== undefined) return value;
  if (context.domain && cursor.accept('VALUE')) return 'VALUE';
  const form = cursor.acceptOf(safeForms);
  if (form !== undefined) return `${form}(${cursor.list(() => expression(cursor, context)).join(', ')})`;
  if (cursor.accept('ARRAY')) return array(cursor, context);
  if (cursor.accept('EXTRACT')) return extract(cursor, context);
  if (cursor.accept('CASE')) return choice(cursor, context);
  throw token?.kind === 'word'
    ? new NotAdmitted(`its expression uses ${token.text.slice(0, 63)}, which is not one of the plain ones`)
    : cursor.unexpected();
}

function reference(cursor: Cursor, { columns }: ExpressionContext): string {
  const name = cursor.name();
  if (cursor.isSymbol('.')) throw new NotAdmitted(`its expression calls something in schema ${name}, or selects a field`);
  if (columns !== undefined && !columns.has(name))
    throw new NotAdmitted(`its expression uses ${name}, which is no column of it, or is left out`);
  return quoteIdentifier(name);
}

function call(cursor: Cursor, context: ExpressionContext): string {
  const name = cursor.name();
  if (name === 'nextval' && context.sequences) return nextval(cursor, context);
  if (!safeFunctions.has(name)) throw new NotAdmitted(`its expression calls ${name}(), which is not one of the plain functions`);
  const values = cursor.list(() => expression(cursor, context), { empty: true });
  return `"pg_catalog".${quoteIdentifier(name)}(${values.join(', ')})`;
}

/** The sequence is named by a string that is read as SQL itself. */
function nextval(cursor: Cursor, { scope }: ExpressionContext): string {
  cursor.symbol('(');
  const token = cursor.take();
  if (token.kind !== 'string') throw cursor.unexpected();
  const sequence = sequenceIn(token.text, scope);
  cursor.symbol('::');
  if (cursor.isSymbol('.', 1) && cursor.name() === 'pg_catalog') cursor.symbol('.');
  if (cursor.name() !== 'regclass') throw cursor.unexpected();
  cursor.symbol(')');
  return `"pg_catalog"."nextval"(${sequence}::"pg_catalog"."regclass")`;
}

/** The literal that names a sequence of the archive. @throws NotAdmitted */
export function sequenceIn(text: string, scope: Scope): string {
  const inside = new Cursor(text);
  const sequence = scope.sequence(inside.qualified());
  inside.end();
  return quoteLiteral(sqlOf(sequence));
}

function array(cursor: Cursor, context: ExpressionContext): string {
  cursor.symbol('[');
  const items: string[] = [];
  if (!cursor.isSymbol(']')) {
    do items.push(expression(cursor, context));
    while (cursor.acceptSymbol(','));
  }
  cursor.symbol(']');
  return `ARRAY[${items.join(', ')}]`;
}

const fields = [
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'second',
  'epoch',
  'dow',
  'isodow',
  'doy',
  'week',
  'quarter',
  'isoyear',
  'decade',
];

function extract(cursor: Cursor, context: ExpressionContext): string {
  cursor.symbol('(');
  const field = cursor.acceptOf(fields);
  if (field === undefined) throw cursor.unexpected();
  cursor.expect('FROM');
  const value = expression(cursor, context);
  cursor.symbol(')');
  return `EXTRACT(${field} FROM ${value})`;
}

function choice(cursor: Cursor, context: ExpressionContext): string {
  const parts = ['CASE'];
  if (!cursor.isWord('WHEN')) parts.push(expression(cursor, context));
  while (cursor.accept('WHEN')) {
    const condition = expression(cursor, context);
    cursor.expect('THEN');
    parts.push(`WHEN ${condition} THEN ${expression(cursor, context)}`);
  }
  if (cursor.accept('ELSE')) parts.push(`ELSE ${expression(cursor, context)}`);
  cursor.expect('END');
  return [...parts, 'END'].join(' ');
}
