// Patterns as psql reads them, by table and by property: quoted names match themselves, globs match as a glob does.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Pattern, parsePattern, parseSchemaPattern } from '#dist/selection/pattern.js';

function matches({ schema, name }: Pattern, relation: readonly [schema: string, name: string]): boolean {
  return name.test(relation[1]) && (schema === undefined || schema.test(relation[0]));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

describe('a pattern', () => {
  test.each([
    // pattern, names that match, names that do not
    ['events', ['events'], ['Events', 'events2', 'my_events', 'events\n']],
    ['EVENTS', ['events'], ['EVENTS']],
    ['"EVENTS"', ['EVENTS'], ['events']],
    ['Ev"En"Ts', ['evEnts'], ['events']],
    ['ÄB', ['Äb'], ['äb']],
    ['event*', ['event', 'events', 'event\ns'], ['even']],
    ['*', ['', 'a', '"', 'ü😀'], []],
    ['event?', ['events', 'event😀'], ['event', 'eventss']],
    ['"event*"', ['event*'], ['events']],
    ['a|b*', ['a', 'b', 'bc'], ['ab', 'ac']],
    ['(a|b)c', ['ac', 'bc'], ['a', 'c']],
    ['a+', ['a', 'aaa'], ['', 'a+']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{2,}', ['aa', 'aaaa'], ['a']],
    ['a{1,2}', ['a', 'aa'], ['aaa']],
    ['a{b}', ['a{b}'], ['ab']],
    ['a$b', ['a$b'], ['a', 'ab']],
    ['a$', ['a$'], ['a']],
    ['^a', ['a'], ['^a']],
    ['t[0-9]', ['t0', 't9'], ['t', 'ta', 't10']],
    ['t[^0-9]', ['ta'], ['t0']],
    ['t[A-C]', ['ta', 'tc'], ['tA', 'td']],
    ['t["A"-]', ['tA', 't-'], ['ta', 't"']],
    ['t[]', ['t[]'], ['t']],
    ['t[^]]', ['ta'], ['t]']],
    ['t[[:digit:]_]', ['t1', 't_'], ['ta', 't:']],
    ['t[*?]', ['t*', 't?'], ['t', 'ta']],
    ['t\\d', ['t1'], ['td', 't']],
    ['t\\*', ['t*'], ['tt']],
    ['t\\w+', ['t1_ä'], ['t', 't-']],
    ['t]}', ['t]}'], ['t']],
    ['a/b-c', ['a/b-c'], ['abc']],
    ['""', [''], ['a']],
    ['a""b', ['ab'], ['a"b']],
    ['"a""b"', ['a"b'], ['ab']],
  ])('%s', (text, hits, misses) => {
    const pattern = parsePattern(text);
    expect(pattern.text).toBe(text);
    expect(pattern.schema).toBeUndefined();
    expect(hits.filter((name) => !matches(pattern, ['any', name]))).toEqual([]);
    expect(misses.filter((name) => matches(pattern, ['any', name]))).toEqual([]);
  });

  test('with a schema looks at both', () => {
    const pattern = parsePattern('App*."a.b"');
    expect(matches(pattern, ['app_1', 'a.b'])).toBe(true);
    expect(matches(pattern, ['App', 'a.b'])).toBe(false);
    expect(matches(pattern, ['app', 'b'])).toBe(false);
  });

  test('may name the database that is read, and no other', () => {
    const pattern = parsePattern('Chain.public.blocks', { database: 'chain' });
    expect(matches(pattern, ['public', 'blocks'])).toBe(true);
    expect(matches(pattern, ['chain', 'blocks'])).toBe(false);
    expect(() => parsePattern('other.public.blocks', { database: 'chain' })).toThrow(/other is not the database/);
    expect(() => parsePattern('chain.public.blocks')).toThrow(/chain is not the database/);
    expect(() => parsePattern('chain*.public.blocks', { database: 'chain1' })).toThrow(/is not the database/);
  });

  test.each([
    ['a.b.c.d', 'too many dotted names'],
    ['"a', 'double quote is not closed'],
    ['[a', 'bracket is not closed'],
    ['[a.b]', 'dot in brackets'],
    ['(a', 'not a valid regular expression'],
    ['+a', 'not a valid regular expression'],
    ['a\\', 'ends in a backslash'],
    ['a\\y', 'escape \\y'],
    ['[[:nothing:]]', 'character class'],
    ['[b-a]', 'not a valid regular expression'],
  ])('%s is refused', (text, why) => {
    expect(() => parsePattern(text, { database: 'a' })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(why), hint: expect.any(String) }),
    );
  });

  test('for schemas has no second part but the database', () => {
    expect(parseSchemaPattern('App').name.test('app')).toBe(true);
    expect(parseSchemaPattern('chain.app', { database: 'chain' }).name.test('app')).toBe(true);
    expect(() => parseSchemaPattern('a.app', { database: 'chain' })).toThrow(/a is not the database/);
    expect(() => parseSchemaPattern('chain.a.app', { database: 'chain' })).toThrow(/too many/);
  });
});

const anyName = fc.string({ unit: fc.constantFrom(...'aA."\'*?[]{}()|+^$\\/- \n😀é:0'), maxLength: 8 });

describe('for all names', () => {
  test('quotes make a pattern of a name that matches it alone', () => {
    fc.assert(
      fc.property(anyName, anyName, anyName, (schema, name, other) => {
        const pattern = parsePattern(`${quoted(schema)}.${quoted(name)}`);
        expect(matches(pattern, [schema, name])).toBe(true);
        expect(matches(pattern, [schema, other])).toBe(other === name);
        expect(matches(pattern, [other, name])).toBe(other === schema);
      }),
    );
  });

  test('stars and question marks match as in a glob', () => {
    const glob = fc.string({ unit: fc.constantFrom(...'ab_*?'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom(...'ab_'), maxLength: 8 });
    fc.assert(
      fc.property(glob, name, (text, relation) => {
        expect(parsePattern(text).name.test(relation)).toBe(globMatches([...text], [...relation]));
      }),
    );
  });
});

function globMatches([first, ...glob]: readonly string[], name: readonly string[]): boolean {
  if (first === undefined) return name.length === 0;
  if (first === '*') return globMatches(glob, name) || (name.length > 0 && globMatches(['*', ...glob], name.slice(1)));
  return name.length > 0 && (first === '?' || first === name[0]) && globMatches(glob, name.slice(1));
}
