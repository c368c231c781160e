// Filter files as pg_dump reads them.
import { describe, expect, test } from 'vitest';
import { parseFilter } from '#dist/selection/filter.js';

test('each line is an option', () => {
  const text = `# what we want
include table events
  INCLUDE Table_And_Children app.parent   # with its children
exclude table app . old
exclude table_and_children gone*
exclude table_data jobs# no room is needed

exclude table_data_and_children log\r
include schema app
exclude schema "Odd"
include extension hstore
exclude extension pg_*
include table blocks`;
  expect(parseFilter(text, 'f')).toEqual({
    tables: ['events', 'blocks'],
    tablesAndChildren: ['app.parent'],
    excludeTables: ['app.old'],
    excludeTablesAndChildren: ['gone*'],
    excludeTableData: ['jobs'],
    excludeTableDataAndChildren: ['log'],
    schemas: ['app'],
    excludeSchemas: ['"Odd"'],
    extensions: ['hstore'],
    excludeExtensions: ['pg_*'],
  });
});

test.each([
  ['', {}],
  ['\n \t\n#\n   # a\n', {}],
  ['include table "a # b"."c ""d"" . e" # f', { tables: ['"a # b"."c ""d"" . e"'] }],
  ['include table "two\nlines"\ninclude table b', { tables: ['"two\nlines"', 'b'] }],
  ['include table a   b\t c', { tables: ['a b c'] }],
  ['include table ""', { tables: ['""'] }],
  ['include foreign_data s*', { includeForeignData: ['s*'] }],
])('%j', (text, filter) => {
  expect(parseFilter(text, 'f')).toEqual(filter);
});

describe('refuses', () => {
  test.each([
    ['frob table x', 1, 'a line begins with include or exclude'],
    ['include table a\n\nincludetable x', 3, 'a line begins with include or exclude'],
    ['+ table x', 1, 'a line begins with include or exclude'],
    ['include', 1, 'the type of object is missing'],
    ['include # table x', 1, 'the type of object is missing'],
    ['include table', 1, 'the pattern is missing'],
    ['include table  # x\ninclude table y', 1, 'the pattern is missing'],
    ['include tables x', 1, 'there is no type tables'],
    ['include constructor x', 1, 'there is no type constructor'],
    ['include table_data x', 1, 'table_data can only be excluded'],
    ['exclude foreign_data x', 1, 'foreign_data can only be included'],
    ['exclude trigger x', 1, 'exclude trigger cannot be'],
    ['include table "a\nb"\ninclude table "c', 3, 'a double quote is not closed'],
  ])('%j', (text, line, why) => {
    expect(() => parseFilter(text, 'some file')).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(`^read the filter some file, line ${line}: ${why}`) }),
    );
  });
});
