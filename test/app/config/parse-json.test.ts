// JSON files: the line of what is wrong, and none of what stands there.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '#dist/app/config/parse-json.js';

test('what JSON.parse takes is taken, and is the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('what JSON.parse refuses is refused', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '\n',
    '"',
    '\\',
    'nul',
    '\u00a0',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join('');
      expect(outcome(() => parseJson(text))).toEqual(outcome(() => JSON.parse(text)));
    }),
    { numRuns: 3000 },
  );
});

/** A key that comes twice is the one thing that we refuse and JSON.parse does not. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    return /comes twice/.test((error as Error).message) ? { value: expect.anything() } : 'refused';
  }
}

describe('the line', () => {
  test.each([
    ['', 'line 1: the file is empty'],
    [' \n', 'line 2: the file is empty'],
    ['{\n  "a": 1\n  "password": "hunter2"\n}', 'line 3: a comma or } must stand here'],
    ['{\n  "a": 1,\n}', 'line 3: another key must stand here, as a comma comes before'],
    ['[1,\n2,\n]', 'line 3: another value must stand here, as a comma comes before'],
    ['{\n  a: 1\n}', 'line 2: a key in double quotes must stand here'],
    ['{\n  "a" 1\n}', 'line 2: a colon must stand here'],
    ['{\n  "a": \'hunter2\'\n}', 'line 2: a value must stand here: text in double quotes, a number, true, false, null, { or ['],
    ['{\n  "a": hunter2\n}', 'line 2: a value must stand here: text in double quotes, a number, true, false, null, { or ['],
    ['{\n  "a": "hunter2\n}', 'line 2: this text does not end on its line, or has a \\ that means nothing'],
    ['{\n  "a": [1, 2', 'line 2: a comma or ] must stand here, and the file ends'],
    ['{} \n {}', 'line 2: something follows after the end'],
    ['{\n  // hunter2\n}', 'line 2: JSON has no comments: a tidemark.config.mjs may have some'],
    ['{\n  "a": 1,\n  "b": { "a": 1 },\n  "\\u0061": 2\n}', 'line 4: the key "a" comes twice'],
    ['['.repeat(200), 'line 1: it is nested too deeply'],
  ])('%j', (text, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });
});

test('a byte order mark is no matter', () => {
  expect(parseJson('\uFEFF{"a":[1,{"b":null}]}')).toEqual({ a: [1, { b: null }] });
});
