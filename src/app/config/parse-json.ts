// Reads JSON files, and says at which line one is wrong. JSON.parse itself does not always know the place, and repeats what stands there,
// which may be a password.
import { TidemarkError } from '../../model/errors.js';

/** Refuses an object that has a key twice, too: JSON.parse would silently take the last.
 *  @throws TidemarkError USAGE: `line 3: ...` */
export function parseJson(text: string): unknown {
  const plain = text.replace(/^\uFEFF/, '');
  new Scanner(plain).document();
  return JSON.parse(plain);
}

const maxDepth = 100;
const scalar = /-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|true|false|null/y;
/** Of control characters only those from DEL on stand for themselves. */
const string = /"(?:[^"\\\p{Control}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const space = /[ \t\r\n]*/y;

/** Walks through a text by the grammar of RFC 8259, and keeps nothing of it. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#space();
    if (this.#at === this.#text.length) this.#refuse('the file is empty');
    this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#refuse('something follows after the end');
  }

  /** Gives nothing, as items that are no members do. */
  #value(depth: number): undefined {
    if (depth > maxDepth) this.#refuse('it is nested too deeply');
    const next = this.#text[this.#at];
    if (next === '{') this.#list('}', 'key', () => this.#member(depth), new Set());
    else if (next === '[') this.#list(']', 'value', () => this.#value(depth + 1), undefined);
    else if (next === '"') this.#string();
    else if (!this.#take(scalar)) this.#refuse('a value must stand here: text in double quotes, a number, true, false, null, { or [');
  }

  /** What stands between brackets, with commas in between. */
  #list(end: '}' | ']', what: 'key' | 'value', item: () => string | undefined, keys: Set<string> | undefined): void {
    this.#at += 1;
    this.#space();
    if (this.#is(end)) return;
    for (;;) {
      const start = this.#at;
      const key = item();
      if (key !== undefined && keys?.has(key)) {
        this.#at = start;
        this.#refuse(`the key ${JSON.stringify(key)} comes twice`);
      }
      if (key !== undefined) keys?.add(key);
      this.#space();
      if (this.#is(end)) return;
      if (!this.#is(',')) this.#refuse(`a comma or ${end} must stand here`);
      this.#space();
      if (this.#text[this.#at] === end) this.#refuse(`another ${what} must stand here, as a comma comes before`);
    }
  }

  #member(depth: number): string {
    const start = this.#at;
    if (this.#text[this.#at] !== '"') this.#refuse('a key in double quotes must stand here');
    this.#string();
    const key = JSON.parse(this.#text.slice(start, this.#at)) as string;
    this.#space();
    if (!this.#is(':')) this.#refuse('a colon must stand here');
    this.#space();
    this.#value(depth + 1);
    return key;
  }

  #string(): void {
    if (!this.#take(string)) this.#refuse('this text does not end on its line, or has a \\ that means nothing');
  }

  #is(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    this.#take(space);
    const ahead = this.#text.slice(this.#at, this.#at + 2);
    if (ahead === '//' || ahead === '/*') this.#refuse('JSON has no comments: a tidemark.config.mjs may have some');
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #refuse(why: string): never {
    const lines = this.#text.slice(0, this.#at).split('\n');
    const ended = this.#at === this.#text.length && this.#text.trim() !== '' ? ', and the file ends' : '';
    throw new TidemarkError('USAGE', `line ${lines.length}: ${why}${ended}`);
  }
}
