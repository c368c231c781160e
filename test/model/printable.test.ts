// What a terminal is given of text from elsewhere.
import { expect, test } from 'vitest';
import { printable, printableLines } from '#dist/model/printable.js';

test('what drives a terminal, turns text around or is no text is escaped', () => {
  expect(printable('a\x1b[2J\n\t\r\u009b\u202e\u2028b')).toBe('a\\u001b[2J\\n\\t\\r\\u009b\\u202e\\u2028b');
  expect(printable('caf\udce9 \udc80 \ud800')).toBe('caf\\xe9 \\x80 \\ud800');
  for (const text of ['plain', 'caf\u00e9', '\u65e5\u672c', '\u{1f600}', '\\']) expect(printable(text)).toBe(text);
});

test('lines stay lines where there are several', () => {
  expect(printableLines('a\n\tb\x1b\r')).toBe('a\n\tb\\u001b\\r');
});
