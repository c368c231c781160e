// Text from elsewhere (names, messages of servers) made fit for a terminal.

// C0, DEL and C1 drive terminals; line separators and the marks that turn the direction of text make it read as what it is not.
// Lone surrogates are bytes that are no UTF-8 (byte-text.ts).
const unfit = /[\p{Control}\u200e\u200f\u2028-\u202e\u2066-\u2069\p{Surrogate}]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Control characters as escapes, so that they never reach the terminal: ESC is `\u001b`, a byte that is no UTF-8 `\xe9`. */
export function printable(text: string): string {
  return text.replace(unfit, escaped);
}

/** As `printable`, for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(unfit, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return short[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
}
