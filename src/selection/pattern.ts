// The name patterns of psql and pg_dump as regular expressions of JavaScript. It reads one pattern at a time; what a pattern is
// matched against, and what follows from a match, is in select.ts.
// See "Patterns" in https://www.postgresql.org/docs/current/app-psql.html
import { TidemarkError } from '../model/errors.js';

/** A pattern for relations. Both expressions match whole names only. */
export interface Pattern {
  /** Absent: every schema. */
  readonly schema?: RegExp;
  readonly name: RegExp;
  /** Names the children of what it matches, too: partitions and tables that inherit. */
  readonly children?: boolean;
  /** As the user wrote it. */
  readonly text: string;
}

export interface PatternOptions {
  /** The database that is read: the only one that may stand before the schema. */
  readonly database?: string;
  /** As in `Pattern`. */
  readonly children?: boolean;
}

/** One dotted part: as an expression, and with quotes and folding resolved but nothing else. */
interface Part {
  readonly source: string;
  readonly literal: string;
}

/** Reads a pattern for tables, views, materialized views, sequences and foreign tables: `name`, `schema.name`,
 *  `database.schema.name`. Letters A to Z are folded unless in double quotes; `*` is any characters, `?` one; `|`, `+`, `()`, `{m,n}`,
 *  `^`, `[...]` and `\d \s \w` are those of regular expressions; `$` is itself; in double quotes everything is itself.
 *  A pattern without a schema matches in every schema. There pg_dump differs: it looks at the search_path only, and would leave
 *  out, without a word, a table that the role's search_path does not show.
 *  @throws TidemarkError USAGE where the pattern cannot be read, or names another database */
export function parsePattern(text: string, { database, children }: PatternOptions = {}): Pattern {
  const [name, schema] = parts(text, { database, most: 2 });
  return {
    ...(schema === undefined ? {} : { schema: expression(schema, text) }),
    name: expression(name, text),
    ...(children ? { children } : {}),
    text,
  };
}

/** Reads a pattern for schemas: `schema` or `database.schema`; its `name` is what the schema's name has to match.
 *  @throws TidemarkError USAGE as parsePattern does */
export function parseSchemaPattern(text: string, { database }: PatternOptions = {}): Pattern {
  const [name] = parts(text, { database, most: 1 });
  return { name: expression(name, text), text };
}

/** Reads a pattern for names without a schema: of extensions.
 *  @throws TidemarkError USAGE where the pattern cannot be read */
export function parseExtensionPattern(text: string): Pattern {
  const [name, ...outer] = split(text).reverse();
  if (name === undefined || outer.length > 0) throw unreadable(text, 'it has too many dotted names');
  return { name: expression(name, text), text };
}

function unreadable(text: string, why: string, hint = 'quote special characters: "Name", "schema"."a.b"'): TidemarkError {
  return new TidemarkError('USAGE', `read the pattern ${text}: ${why}`, { hint });
}

/** The dotted parts, last first, without the database. */
function parts(text: string, { database, most }: { database: string | undefined; most: number }): [Part, Part?] {
  const [name, ...outer] = split(text).reverse();
  if (name === undefined || outer.length > most) throw unreadable(text, 'it has too many dotted names');
  if (outer.length < most) return outer[0] === undefined ? [name] : [name, outer[0]];
  const named = outer[most - 1]?.literal;
  if (named !== database) {
    throw unreadable(text, `${named} is not the database that is read`, 'leave the database name out of the pattern');
  }
  return outer[0] === undefined || most === 1 ? [name] : [name, outer[0]];
}

function expression(part: Part, text: string): RegExp {
  try {
    return new RegExp(`^(?:${part.source})$`, 'su');
  } catch {
    throw unreadable(text, 'it is not a valid regular expression');
  }
}

/** Where the reader stands; `at` moves. */
interface Reader {
  readonly text: string;
  readonly characters: readonly string[];
  at: number;
}

function split(text: string): Part[] {
  const reader: Reader = { text, characters: [...text], at: 0 };
  const found: Part[] = [];
  let source = '';
  let literal = '';
  const add = (expression: string, character: string) => {
    source += expression;
    literal += character;
  };
  for (; reader.at < reader.characters.length; reader.at++) {
    const character = reader.characters[reader.at] ?? '';
    if (character === '"') for (const quoted of readQuoted(reader)) add(literally(quoted), quoted);
    else if (character === '.') {
      found.push({ source, literal });
      source = literal = '';
    } else if (character === '[') add(readBrackets(reader), character);
    else if (character === '\\') add(readEscape(reader), character);
    else if (character === '{') add(readBound(reader), character);
    else if (character === '*') add('.*', character);
    else if (character === '?') add('.', character);
    else if ('|+()^'.includes(character)) add(character, character);
    else add(literally(fold(character)), fold(character));
  }
  found.push({ source, literal });
  return found;
}

/** Only A to Z, as the server folds identifiers in multibyte encodings. */
function fold(character: string): string {
  return character >= 'A' && character <= 'Z' ? character.toLowerCase() : character;
}

function literally(character: string): string {
  return '\\^$.*+?()[]{}|/'.includes(character) ? `\\${character}` : character;
}

/** From the opening quote to the closing one, where the reader is left. A doubled quote is one. */
function readQuoted(reader: Reader): string[] {
  const quoted: string[] = [];
  for (reader.at++; reader.at < reader.characters.length; reader.at++) {
    const character = reader.characters[reader.at] ?? '';
    if (character === '"') {
      if (reader.characters[reader.at + 1] !== '"') return quoted;
      reader.at++;
    }
    quoted.push(character);
  }
  throw unreadable(reader.text, 'a double quote is not closed');
}

const named: Readonly<Record<string, string>> = {
  alpha: '\\p{L}',
  digit: '\\p{Nd}',
  alnum: '\\p{L}\\p{N}',
  lower: '\\p{Ll}',
  upper: '\\p{Lu}',
  space: '\\s',
  blank: ' \\t',
  punct: '\\p{P}\\p{S}',
  cntrl: '\\p{Cc}',
  xdigit: '0-9a-fA-F',
};
const shorthand: Readonly<Record<string, string>> = { d: '\\p{Nd}', s: '\\s', w: '\\p{L}\\p{N}_' };

/** A bracket expression. `[]` is itself, as psql has it for array types; `]` right after the opening is a member. */
function readBrackets(reader: Reader): string {
  const { text, characters } = reader;
  if (characters[reader.at + 1] === ']') {
    reader.at++;
    return '\\[\\]';
  }
  let source = '[';
  reader.at++;
  if (characters[reader.at] === '^') {
    source += '^';
    reader.at++;
  }
  for (let first = true; reader.at < characters.length; reader.at++, first = false) {
    const character = characters[reader.at] ?? '';
    if (character === ']' && !first) return `${source}]`;
    if (character === '.') throw unreadable(text, 'a dot in brackets has to be in double quotes');
    if (character === '"') source += readQuoted(reader).map(member).join('');
    else if (character === '\\') source += readMemberEscape(reader);
    else if (character === '[' && characters[reader.at + 1] === ':') source += readNamed(reader);
    else if (character === '-') source += first || characters[reader.at + 1] === ']' ? '\\-' : '-';
    else source += member(fold(character));
  }
  throw unreadable(text, 'a bracket is not closed');
}

function member(character: string): string {
  return '\\^$.*+?()[]{}|/-'.includes(character) ? `\\${character}` : character;
}

/** `[:alpha:]` and its like, within brackets. */
function readNamed(reader: Reader): string {
  const end = reader.characters.indexOf(']', reader.at);
  const found = /^\[:([a-z]+):$/.exec(reader.characters.slice(reader.at, end).join(''));
  const source = named[found?.[1] ?? ''];
  if (end < 0 || source === undefined) throw unreadable(reader.text, 'it names a character class that does not exist');
  reader.at = end;
  return source;
}

function readMemberEscape(reader: Reader): string {
  const character = reader.characters[++reader.at];
  if (character === undefined) throw unreadable(reader.text, 'it ends in a backslash');
  if (!/[A-Za-z0-9]/.test(character)) return member(character);
  const source = shorthand[character];
  if (source === undefined) throw unreadable(reader.text, `the escape \\${character} is not known`);
  return source;
}

function readEscape(reader: Reader): string {
  return `[${readMemberEscape(reader)}]`;
}

/** `{2}`, `{2,}`, `{2,3}`; any other `{` is itself. */
function readBound(reader: Reader): string {
  const found = /^\{\d+(,\d*)?\}/.exec(reader.characters.slice(reader.at).join(''))?.[0];
  if (found === undefined) return '\\{';
  reader.at += found.length - 1;
  return found;
}
