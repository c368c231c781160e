// What is admitted of a catalog, without a server: nothing that is hostile, and what is plain as it was.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit } from '#dist/untrusted/admit.js';
import { NotAdmitted, tokenize } from '#dist/untrusted/tokens.js';
import type { Catalog } from '../../src/model/catalog.js';
import { hostile } from './hostile.js';
import { plainCatalog, statementsOf } from './plain.js';
import { type Added, withObjects } from './rewrite.js';

const words =
  /leaks|evil|pg_read_file|lo_import|set_config|pg_sleep|query_to_xml|current_setting|dblink|regproc|CURRENT_USER|repeat|SELECT (?!pg_catalog\.setval\('"public"\."[a-z0-9_]+"'::pg_catalog\.regclass, [0-9]+, (?:true|false)\)$)|DO |;|--|\/\*/;

/** The text without what is in quotes. */
function bare(text: string): string {
  return text.replaceAll(/'(?:[^']|'')*'/g, "''");
}

describe('hostile statements', () => {
  test.each(hostile.map((added, at) => [`${at} ${added.object.kind} ${added.object.name.slice(0, 20)}`, added] as const))(
    '%s',
    (_name, added) => {
      const { catalog, leftOut } = admit(withObjects(plainCatalog, [added]));
      expect(leftOut).not.toEqual([]);
      const more = statementsOf(catalog).slice(statementsOf(plainCatalog).length);
      for (const text of more) expect(bare(text)).not.toMatch(words);
      // What is left of it is a table, a sequence or a domain without it, or nothing.
      for (const text of more) expect(text).toMatch(/^(?:CREATE (?:TABLE|SEQUENCE|DOMAIN) "public"\.|ALTER TABLE .* SET DEFAULT|$)/);
    },
  );

  test('with all that can be allowed, an expression stays within its brackets, and nothing hides in it', () => {
    for (const added of hostile.filter(({ object }) => /^[dgpt][0-9]/.test(object.name))) {
      const { catalog } = admit(withObjects(plainCatalog, [added]), new Set(['expressions', 'functions']));
      for (const text of statementsOf(catalog).slice(statementsOf(plainCatalog).length)) {
        const outside = bare(text).replaceAll(/"(?:[^"]|"")*"/g, '""');
        expect(outside).not.toMatch(/;|--|\/\*|\$|\0/);
        let depth = 0;
        for (const sign of outside.replaceAll(/[^()]/g, '')) {
          depth += sign === '(' ? 1 : -1;
          expect(depth).toBeGreaterThanOrEqual(0);
        }
        expect(depth).toBe(0);
        expect(text).toMatch(/^CREATE (?:TABLE|DOMAIN) "public"\./);
      }
    }
  });

  test('a statement that is no string of Unicode, or far too long, is refused', () => {
    expect(() => tokenize('a\0')).toThrow(NotAdmitted);
    expect(() => tokenize('"\ud800"')).toThrow(NotAdmitted);
    expect(() => tokenize(`'${'x'.repeat(2 ** 20)}'`)).toThrow(NotAdmitted);
  });

  test('rows go into no table but the one that was made', () => {
    const columns = [{ name: 'id', type: 'integer' }];
    const rows = { directory: 'data/1-x', columns, format: 'text' as const };
    const entry = (schema: string, name: string, more: object = {}): Added => ({
      object: { kind: 'table', schema: 'public', name: 'other' },
      steps: [{ statements: ['CREATE TABLE "public"."other" ("id" integer)'] }],
      table: { ...rows, schema, name, ...more },
    });
    const kept = (added: Added) =>
      admit(withObjects(plainCatalog, [added])).catalog.tables.filter(({ directory }) => directory === 'data/1-x').length;
    expect(kept(entry('public', 'other'))).toBe(1);
    expect(kept(entry('pg_catalog', 'pg_proc'))).toBe(0);
    expect(kept(entry('public', 't'))).toBe(0);
    expect(kept(entry('public', 'other', { columns: [{ name: 'id"; x', type: 'integer' }] }))).toBe(0);
    expect(kept(entry('public', 'other', { largeObjects: 1 }))).toBe(0);
    expect(kept(entry('public', 'other', { statistics: true }))).toBe(0);
    expect(kept(entry('public', 'other', { extensionCondition: '' }))).toBe(0);
  });

  test('a catalog that is larger than any that people have is refused', () => {
    const objects = Array.from({ length: 200_001 }, (_, id) => ({ id, kind: 'x', name: 'x' }));
    expect(() => admit({ objects, steps: [], tables: [] })).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID' }));
    expect(() => admit({ ...plainCatalog, textEncoding: 'SJIS' })).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID' }));
  });

  test('objects that hang on each other, 100,000 deep, take no stack', () => {
    const objects = Array.from({ length: 100_000 }, (_, id) => ({ id, kind: 'x', name: 'x', ...(id === 0 ? {} : { parent: id - 1 }) }));
    const steps = [{ id: 0, object: 99_999, section: 'pre-data', facet: 'definition', statements: [''], needs: [] } as const];
    expect(admit({ objects, steps, tables: [] }).leftOut).toHaveLength(1);
  });
});

describe('plain statements', () => {
  test('all are in, and what is written is admitted as it is', () => {
    const once = admit(plainCatalog);
    expect(once.leftOut).toEqual([]);
    expect(once.catalog.steps).toHaveLength(plainCatalog.steps.length);
    const twice = admit(once.catalog);
    expect(statementsOf(twice.catalog)).toEqual(statementsOf(once.catalog));
  });

  test('what is written means what was read: the same tokens but for schemas and brackets', () => {
    const shape = (text: string): string =>
      tokenize(text)
        .filter(({ text, kind }) => !(kind === 'symbol' && ['(', ')', '.'].includes(text)) && !['pg_catalog'].includes(text))
        .map(({ kind, text }) => `${kind} ${text}`)
        .join('\n');
    const written = statementsOf(admit(plainCatalog).catalog);
    expect(written.map(shape)).toEqual(statementsOf(plainCatalog).map(shape));
  });
});

describe('plain statements with something put in', () => {
  const payloads = [
    '"public"."leaks"()',
    '; DROP TABLE x',
    "'",
    '"',
    '--',
    '/*',
    '$$',
    ')',
    '(',
    ', ADD COLUMN "x" integer DEFAULT "public"."leaks"()',
    '::"public"."evil"',
    ' OPERATOR("public".+) ',
    "E'\\'",
    'SELECT',
    '"pg_read_file"(\'x\')',
    '\0',
  ];

  test('is left out, or comes without it', () => {
    const places = plainCatalog.steps.flatMap(({ id, statements }) => statements.map((text, at) => ({ id, at, length: text.length })));
    const spot = fc.record({
      place: fc.constantFrom(...places),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      payload: fc.constantFrom(...payloads),
    });
    fc.assert(
      fc.property(spot, ({ place, part, payload }) => {
        const put = Math.floor(part * place.length);
        const steps = plainCatalog.steps.map((step) => {
          if (step.id !== place.id) return step;
          const statements = step.statements.map((text, at) =>
            at === place.at ? `${text.slice(0, put)}${payload}${text.slice(put)}` : text,
          );
          return { ...step, statements };
        });
        const changed: Catalog = { ...plainCatalog, steps };
        for (const text of statementsOf(admit(changed).catalog)) {
          // Within quotes it is a name or a value like any other.
          const outside = bare(text).replaceAll(/"(?:[^"]|"")*"/g, '""');
          expect(outside).not.toMatch(/SELECT (?!pg_catalog)|;|--|\/\*|\$|OPERATOR|E''|\0|COLUMN "" integer DEFAULT ""\.""\(/);
          expect(bare(text)).not.toMatch(/"(?:leaks|pg_read_file)" ?\(|"evil"/);
          expect(() => tokenize(text)).not.toThrow();
        }
      }),
      { numRuns: 400 },
    );
  });

  test('changed characters are refused, or are read and written the same way twice', () => {
    const all = statementsOf(plainCatalog);
    const change = fc.record({
      at: fc.nat(all.length - 1),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      char: fc.string({ minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(change, ({ at, part, char }) => {
        let index = -1;
        const steps = plainCatalog.steps.map((step) => ({
          ...step,
          statements: step.statements.map((text) => {
            index += 1;
            const put = Math.floor(part * text.length);
            return index === at ? `${text.slice(0, put)}${char}${text.slice(put + 1)}` : text;
          }),
        }));
        const once = admit({ ...plainCatalog, steps });
        expect(statementsOf(admit(once.catalog).catalog)).toEqual(statementsOf(once.catalog));
      }),
      { numRuns: 200 },
    );
  });
});
