// Text from elsewhere (names, messages of servers) made fit for a terminal.

// C0, DEL and C1 drive terminals; line separators and the marks that turn the direction of text make it read as what it is not.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unfit = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Control characters as escapes, so that they never reach the terminal: ESC is `\u001b`. */
export function printable(text: string): string {
  return text.replace(unfit, (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
