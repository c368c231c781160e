// An expression within a statement that is worth having without it: a default, a check. What is not plain is passed over to where it ends,
// and left out, or taken as it is where that was allowed. Either way parentheses keep it where it stands.
import type { Cursor } from './cursor.js';
import { type ExpressionContext, expression } from './expression.js';
import { NotAdmitted } from './tokens.js';

export interface Clause {
  /** Undefined: left out. */
  readonly text: string | undefined;
  readonly reason: string;
  /** As the archive has it. */
  readonly sql: string;
}

/** An expression that ends where `ends` says so, outside of parentheses. */
export function clause(cursor: Cursor, context: ExpressionContext, ends: (cursor: Cursor) => boolean): Clause {
  const start = cursor.at;
  const depth = cursor.depth;
  let reason = '';
  try {
    const text = expression(cursor, context);
    if (!ends(cursor)) throw cursor.unexpected();
    return { text, reason, sql: cursor.textFrom(start) };
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error;
    reason = error.message;
  }
  cursor.at = start;
  cursor.depth = depth;
  skip(cursor, ends);
  const sql = cursor.textFrom(start);
  return { text: context.scope.allows('expressions') ? `(${sql})` : undefined, reason, sql };
}

/** `( expression )`, with the parentheses. */
export function inParentheses(cursor: Cursor, context: ExpressionContext): Clause {
  cursor.symbol('(');
  const inside = clause(cursor, context, (at) => at.isSymbol(')'));
  cursor.symbol(')');
  return inside.text === undefined ? inside : { ...inside, text: `(${inside.text})` };
}

const opening: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** Takes tokens to where the expression ends. What is opened within it must be closed within it. */
function skip(cursor: Cursor, ends: (cursor: Cursor) => boolean): void {
  const open: string[] = [];
  do {
    const { kind, text } = cursor.take();
    if (kind !== 'symbol') continue;
    const closing = opening[text];
    if (closing !== undefined) open.push(closing);
    else if ((text === ')' || text === ']') && open.pop() !== text) throw new NotAdmitted('its SQL has brackets that do not match');
  } while (cursor.peek() !== undefined && !(open.length === 0 && ends(cursor)));
  if (open.length > 0) throw new NotAdmitted('its SQL has brackets that do not match');
}
