// Entries of a table of contents as lines, and what a list leaves of a catalog.
import { expect, test } from 'vitest';
import { entryOfRows, entryOfStep, entryText, keepListed } from '#dist/selection/toc.js';
import { catalogOf } from './catalog-of.js';

const catalog = catalogOf([
  { kind: 'schema', name: 'app' },
  {
    kind: 'table',
    name: 'app.a',
    needs: ['app'],
    more: [
      ['comment on a', 'comment'],
      ['alter a', 'definition'],
    ],
  },
  { kind: 'index', name: 'app.a_key', parent: 'app.a', needs: ['app.a'] },
  { kind: 'table', name: 'app.two\n\tlines', needs: ['app', 'app.a'] },
]);
const steps = catalog.steps.map((step) => entryText(entryOfStep(catalog, step)));
const rows = catalog.tables.map((table) => entryText(entryOfRows(catalog, table)));
const all = [...steps, ...rows].map((entry) => `phase\t${entry}`);
const keep = (lines: readonly string[], end = '\n') => keepListed(catalog, { text: lines.join(end), name: 'l' });

test('an entry is one line', () => {
  expect(steps).toEqual([
    'definition\tschema\tapp',
    'definition\ttable\tapp.a',
    'definition\tindex\tapp.a: a_key',
    'definition\ttable\tapp.two\\n\\tlines',
    'comment\ttable\tapp.a',
    'definition\ttable\tapp.a',
  ]);
  expect(rows).toEqual(['rows\ttable\tapp.a', 'rows\ttable\tapp.two\\n\\tlines']);
});

test('the whole list, in any order, is the whole catalog', () => {
  expect(keep(all)).toEqual(catalog);
  expect(keep(['; a list', '', ...all.toReversed().map((line) => `${line}\t12`), '  '], '\r\n')).toEqual(catalog);
});

test('what is not in the list is not done; the rest keeps its order', () => {
  const kept = keep(
    all.map((line) => (line.includes('definition\ttable\tapp.a') || line.includes('rows\ttable\tapp.a') ? `;${line}` : line)),
  );
  expect(kept.steps.map(({ statements, needs }) => [statements[0], needs])).toEqual([
    ['make app', []],
    ['make app.a_key', [0]],
    ['make app.two\n\tlines', [0]],
    ['comment on a', [0]],
  ]);
  expect(kept.objects).toEqual(catalog.objects);
  expect(kept.tables.map(({ withoutData }) => withoutData)).toEqual(['excluded', undefined]);
});

test('rows alone can be listed', () => {
  const kept = keep([`rows\t${rows[0]}\t12`]);
  expect(kept.steps).toEqual([]);
  expect(kept.tables.map(({ withoutData }) => withoutData)).toEqual([undefined, 'excluded']);
});

test.each(['phase\tdefinition\ttable\tapp.b', 'app.a', '12; 0 0 TABLE app a postgres'])(
  'a line that is no entry is refused: %j',
  (line) => {
    expect(() => keep([...all.slice(0, 2), line])).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining('read the list l, line 3: the archive has no such entry'),
      }),
    );
  },
);

test('no two names give the same line', () => {
  const alike = catalogOf([
    { kind: 'table', name: 'a.b' },
    { kind: 'constraint', name: 'a.c: d', parent: 'a.b' },
  ]);
  const [first, constraint] = alike.objects;
  if (first === undefined || constraint === undefined) throw new Error('objects of the sample are missing');
  const named = (schema: string, name: string): string =>
    entryText(entryOfRows({ objects: [{ ...first, schema, name }] }, { ...(alike.tables[0] as (typeof alike.tables)[number]), object: 0 }));
  expect(named('a', 'b.c')).toBe('rows\ttable\ta.b.c');
  expect(named('a.b', 'c')).toBe('rows\ttable\t"a.b".c');
  expect(named('"a', 'b')).toBe('rows\ttable\t"""a".b');
  expect([named('a', '\n'), named('a', '\\n')]).toEqual(['rows\ttable\ta.\\n', 'rows\ttable\ta.\\\\n']);
  const below = (table: string, name: string): string => {
    const objects = [
      { ...first, name: table },
      { ...constraint, id: 1, name, parent: 0 },
    ];
    return entryText(entryOfStep({ objects }, { ...(alike.steps[0] as (typeof alike.steps)[number]), object: 1 }));
  };
  expect(below('b: c', 'd')).not.toBe(below('b', 'c: d'));
});
