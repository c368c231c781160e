// Splits one SQL statement of an archive into tokens, and knows only what statements for plain tables are made of: no comments, no dollar
// quotes, no E'', U&"" or parameters, no semicolon. What it does not know it refuses. What is sent to a server is written anew from the
// tokens, with blanks between them, so nothing hangs on the server's lexer seeing the text as this one does. Pure.
// https://www.postgresql.org/docs/current/sql-syntax-lexical.html

/** A word stands as it was written; of a quoted name or a string this is what it says, without quotes. */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'symbol';
  readonly text: string;
}

/** Why SQL of an archive is not run: the reason is for people. */
export class NotAdmitted extends Error {
  override readonly name = 'NotAdmitted';
}

/** A statement of a plain table with 1,600 columns has a tenth of this. In UTF-16 units. */
export const statementLimit = 1 << 20;

const blanks = /[ \t\n]+/y;
const number = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.$])/y;
const word = /[A-Za-z_][A-Za-z0-9_]*(?![$'"&\u0080-\uffff])/y;
const operator = /[-+*/<>=~!@#%^&|?]+/y;
const punctuation = /::|[()[\],.]/y;

/** @throws NotAdmitted */
export function tokenize(text: string): readonly Token[] {
  if (text.length > statementLimit) throw new NotAdmitted('its SQL is too long for a plain statement');
  // The server would cut a statement off at NUL; a lone surrogate stands for a byte that is no UTF-8.
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) throw new NotAdmitted('its SQL is not plain text');
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    if (match(blanks) !== undefined) continue;
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      const end = endOfQuoted(text, at, quote);
      const inside = text.slice(at + 1, end).replaceAll(`${quote}${quote}`, quote);
      if (quote === '"' && inside === '') throw new NotAdmitted('a name of it is empty');
      tokens.push({ kind: quote === '"' ? 'name' : 'string', text: inside });
      at = end + 1;
      continue;
    }
    const token = unquoted(match);
    if (token === undefined) throw new NotAdmitted(`its SQL has ${describe(text, at)}, which no plain statement has`);
    tokens.push(token);
  }
  return tokens;
}

/** Where the closing quote is. Not by a pattern: that of a megabyte would need as much of a stack. */
function endOfQuoted(text: string, start: number, quote: string): number {
  for (let at = start + 1; ; ) {
    const end = text.indexOf(quote, at);
    if (end < 0) throw new NotAdmitted('its SQL has a quote that does not end');
    if (text[end + 1] !== quote) return end;
    at = end + 2;
  }
}

function unquoted(match: (pattern: RegExp) => string | undefined): Token | undefined {
  const digits = match(number);
  if (digits !== undefined) return { kind: 'number', text: digits };
  const bare = match(word);
  if (bare !== undefined) return { kind: 'word', text: bare };
  const sign = match(punctuation);
  if (sign !== undefined) return { kind: 'symbol', text: sign };
  const operation = match(operator);
  // Comments begin so; the server's lexer finds them within operators, too.
  if (operation === undefined || operation.includes('--') || operation.includes('/*')) return undefined;
  return { kind: 'symbol', text: operation };
}

function describe(text: string, at: number): string {
  const found = JSON.stringify(text.slice(at, at + 12));
  return text.length > at + 12 ? `${found}...` : found;
}
