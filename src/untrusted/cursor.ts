// Walks over the tokens of one statement: what every grammar of this folder is made of. Names are checked where they are read, so that none
// gets by: what the server would cut off, and schemas that are not the archive's own.
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import { NotAdmitted, type Token, tokenize } from './tokens.js';

/** An object in a schema. */
export interface Qualified {
  readonly schema: string;
  readonly name: string;
}

/** The same text as SQL has it: also what names are compared by. */
export function sqlOf({ schema, name }: Qualified): string {
  return qualifiedName(schema, name);
}

/** For people. */
export function labelOf({ schema, name }: Qualified): string {
  return `${schema}.${name}`;
}

/** NAMEDATALEN - 1: the server cuts off what is longer, and then it is another name. */
const nameBytes = 63;

/** @throws NotAdmitted */
export function checkName(name: string): string {
  if (Buffer.byteLength(name) > nameBytes) throw new NotAdmitted(`a name of it is longer than ${nameBytes} bytes`);
  // Scripts that others make of the database would carry them into terminals and psql (CVE-2025-8715).
  if (/\p{Control}/u.test(name)) throw new NotAdmitted('a name of it has control characters');
  return name;
}

/** @throws NotAdmitted for a schema that only the server, or tidemark, has objects in */
export function checkSchema(schema: string): string {
  if (/^(?:pg_|tidemark_)/i.test(schema) || schema === 'information_schema')
    throw new NotAdmitted(`it is in schema ${schema}, or names it, which no archive has objects in`);
  return checkName(schema);
}

export class Cursor {
  readonly text: string;
  readonly #tokens: readonly Token[];
  at = 0;
  /** How many parentheses are open in what is being read. */
  depth = 0;

  /** @throws NotAdmitted */
  constructor(text: string) {
    this.text = text;
    this.#tokens = tokenize(text);
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.at + ahead];
  }

  take(): Token {
    const token = this.peek();
    if (token === undefined) throw new NotAdmitted('its SQL ends too early');
    this.at += 1;
    return token;
  }

  isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'word' && token.text === text;
  }

  isSymbol(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'symbol' && token.text === text;
  }

  /** Takes these words if all of them come next. */
  accept(...words: readonly string[]): boolean {
    if (!words.every((text, ahead) => this.isWord(text, ahead))) return false;
    this.at += words.length;
    return true;
  }

  /** Takes one of these words; undefined: another one comes. */
  acceptOf<Word extends string>(words: readonly Word[]): Word | undefined {
    const found = words.find((text) => this.isWord(text));
    if (found !== undefined) this.at += 1;
    return found;
  }

  acceptSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.at += 1;
    return true;
  }

  expect(...words: readonly string[]): void {
    if (!this.accept(...words)) throw this.unexpected();
  }

  symbol(text: string): void {
    if (!this.acceptSymbol(text)) throw this.unexpected();
  }

  end(): void {
    if (this.peek() !== undefined) throw this.unexpected();
  }

  unexpected(): NotAdmitted {
    const token = this.peek();
    if (token === undefined) return new NotAdmitted('its SQL ends too early');
    const shown = token.kind === 'string' ? 'a string' : token.text.slice(0, 63);
    return new NotAdmitted(`its SQL is not that of a plain object (at ${shown})`);
  }

  /** A quoted name, as it is. */
  name(): string {
    const token = this.peek();
    if (token?.kind !== 'name') throw this.unexpected();
    this.at += 1;
    return checkName(token.text);
  }

  /** A quoted name, quoted again. */
  identifier(): string {
    return quoteIdentifier(this.name());
  }

  qualified(): Qualified {
    const schema = this.name();
    this.symbol('.');
    return { schema: checkSchema(schema), name: this.name() };
  }

  string(): string {
    const token = this.peek();
    if (token?.kind !== 'string') throw this.unexpected();
    this.at += 1;
    return quoteLiteral(token.text);
  }

  /** A whole number, with its sign. */
  integer(): string {
    const sign = this.acceptSymbol('-') ? '-' : '';
    const token = this.peek();
    if (token?.kind !== 'number' || !/^[0-9]{1,19}$/.test(token.text)) throw this.unexpected();
    this.at += 1;
    return `${sign}${token.text}`;
  }

  /** `( item, item )`; nothing between them where `empty` allows it. */
  list<Item>(item: () => Item, { empty = false }: { readonly empty?: boolean } = {}): Item[] {
    this.symbol('(');
    const items: Item[] = [];
    if (empty && this.acceptSymbol(')')) return items;
    do items.push(item());
    while (this.acceptSymbol(','));
    this.symbol(')');
    return items;
  }

  /** The text of the tokens from `start` on that were taken, written anew. */
  textFrom(start: number): string {
    return this.#tokens.slice(start, this.at).map(textOf).join(' ');
  }
}

function textOf({ kind, text }: Token): string {
  if (kind === 'name') return quoteIdentifier(text);
  return kind === 'string' ? quoteLiteral(text) : text;
}
