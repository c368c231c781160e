import { describe, expect, test } from 'vitest';
import { formatDictionaryOption, parseDictionaryOptions, thesaurusSource } from '#dist/schema/dictionary-options.js';

const parse = (text: string) => parseDictionaryOptions(text, 'TEXT SEARCH DICTIONARY "d"');

describe('options of a dictionary', () => {
  test.each([
    ['', ''],
    [`language = 'english', stopwords = 'english'`, `"language" = 'english', "stopwords" = 'english'`],
    [`"Odd ""name""" = 'it''s "so"'`, `"Odd ""name""" = 'it''s "so"'`],
    [`a = E'c:\\\\d''e\\\\', b = 'f'`, `"a" = 'c:\\d''e\\', "b" = 'f'`],
    [`a = 'x, b = ''y''', "c = d" = ''`, `"a" = 'x, b = ''y''', "c = d" = ''`],
    [
      'a = 5, b = -3.50, c = 1e5, d = .5, e = 0xFF, f = 1_000, g = +1',
      '"a" = 5, "b" = -3.50, "c" = 1e5, "d" = .5, "e" = 0xFF, "f" = 1_000, "g" = +1',
    ],
    [`a = '5'`, `"a" = '5'`],
    [`a = word, b = "a ""word"""`, `"a" = 'word', "b" = 'a "word"'`],
    [`a='1',b = E'2'`, `"a" = '1', "b" = '2'`],
    [`a = '1\n2'`, `"a" = '1\n2'`],
    ['a = 5--x', `"a" = '5--x'`],
    ['a = 5)', `"a" = '5)'`],
    ['a = 5;', `"a" = '5;'`],
  ])('%s', (stored, written) => {
    expect(parse(stored).map(formatDictionaryOption).join(', ')).toBe(written);
  });

  test.each([`a`, `a =`, `a = 'open`, `a = 'b' x`, `= 'b'`, `"a = 'b'`, `a = E'b\\'`, `a = 'b'); DROP TABLE t; --`])(
    'refused: %s',
    (stored) => {
      expect(() => parse(stored)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_OBJECT' }));
    },
  );
});

test.each([
  [`dictfile = 'x', dictionary = 'english_stem'`, { name: 'english_stem' }],
  [`dictionary = 'S.English_Stem'`, { schema: 's', name: 'english_stem' }],
  [`dictionary = '"My ""schema"""."a.b"'`, { schema: 'My "schema"', name: 'a.b' }],
  [`"Dictionary" = 'x'`, undefined],
])('what a thesaurus is built on: %s', (stored, source) => {
  expect(thesaurusSource(parse(stored))).toEqual(source);
});
