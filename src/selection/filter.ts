// Filter files of pg_dump and pg_restore (--filter): text in, lists of patterns out. Pure; who reads the file is in app. What a pattern
// matches is pattern.ts's matter.
// See "--filter" in https://www.postgresql.org/docs/current/app-pgdump.html
import { TidemarkError } from '../model/errors.js';

/** Lists of patterns by the name of the option that each line stands for. */
export type FilterList =
  | 'tables'
  | 'tablesAndChildren'
  | 'excludeTables'
  | 'excludeTablesAndChildren'
  | 'excludeTableData'
  | 'excludeTableDataAndChildren'
  | 'schemas'
  | 'excludeSchemas'
  | 'extensions'
  | 'excludeExtensions'
  | 'includeForeignData';

export type Filter = Partial<Readonly<Record<FilterList, readonly string[]>>>;

type Command = 'include' | 'exclude';

/** What each kind of object means after each command; null where the other command alone makes sense. */
const types: ReadonlyMap<string, Readonly<Record<Command, FilterList | null>>> = new Map(
  Object.entries({
    table: { include: 'tables', exclude: 'excludeTables' },
    table_and_children: { include: 'tablesAndChildren', exclude: 'excludeTablesAndChildren' },
    table_data: { include: null, exclude: 'excludeTableData' },
    table_data_and_children: { include: null, exclude: 'excludeTableDataAndChildren' },
    schema: { include: 'schemas', exclude: 'excludeSchemas' },
    extension: { include: 'extensions', exclude: 'excludeExtensions' },
    foreign_data: { include: 'includeForeignData', exclude: null },
  } as const),
);

/** Kinds that pg_dump and pg_restore know and we cannot do, with the reason. */
const refused: ReadonlyMap<string, string> = new Map(
  Object.entries({
    function: 'functions are not chosen by name: they come with what needs them',
    index: 'indexes are not chosen by name: they come with their tables',
    trigger: 'triggers are not chosen by name: they come with their tables',
  }),
);

interface Reader {
  readonly text: string;
  /** What messages call it. */
  readonly name: string;
  at: number;
  line: number;
}

/** Reads `include|exclude TYPE PATTERN`, one a line; `#` begins a comment outside of double quotes, and a quoted name may go on over lines.
 *  @throws TidemarkError USAGE naming file and line */
export function parseFilter(text: string, name: string): Filter {
  const reader: Reader = { text, name, at: 0, line: 1 };
  const lists: { [list in FilterList]?: string[] } = {};
  for (; reader.at < text.length; reader.at += 1, reader.line += 1) {
    const words = /^[^\S\n]*(\w*)(?:[^\S\n]+(\w*))?/.exec(text.slice(reader.at, endOfLine(reader)));
    const [head = '', command = '', type = ''] = words ?? [];
    reader.at += head.length;
    // Nothing, or a comment.
    if (command === '' && /^(?:#|\s|$)/.test(text.slice(reader.at, reader.at + 1))) {
      reader.at = endOfLine(reader);
      continue;
    }
    const list = listOf(reader, command.toLowerCase(), type.toLowerCase());
    const pattern = readPattern(reader);
    if (pattern === '') throw wrong(reader, 'the pattern is missing');
    lists[list] = [...(lists[list] ?? []), pattern];
  }
  return lists;
}

function endOfLine({ text, at }: Reader): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function listOf(reader: Reader, command: string, type: string): FilterList {
  if (command !== 'include' && command !== 'exclude') throw wrong(reader, 'a line begins with include or exclude');
  if (type === '') throw wrong(reader, 'the type of object is missing');
  const why = refused.get(type);
  if (why !== undefined) throw wrong(reader, `${command} ${type} cannot be: ${why}`);
  const known = types.get(type);
  if (known === undefined) throw wrong(reader, `there is no type ${type}: it is one of ${[...types.keys()].join(', ')}`);
  const list = known[command];
  if (list === null && command === 'include') throw wrong(reader, `${type} can only be excluded: rows come with their table`);
  if (list === null) throw wrong(reader, `${type} can only be included: without a word such rows stay away`);
  return list;
}

/** The rest of the line up to a comment, and further where a quoted name has newlines. White space is one space, none around dots. */
function readPattern(reader: Reader): string {
  const { text } = reader;
  const pieces: string[] = [];
  while (reader.at < text.length && !'\n#'.includes(text[reader.at] ?? '')) {
    if (text[reader.at] === '"') pieces.push(readQuoted(reader));
    else {
      const [plain = ''] = /^[^"#\n]*/.exec(text.slice(reader.at)) ?? [];
      reader.at += plain.length;
      pieces.push(plain.replaceAll(/\s+/g, ' ').replaceAll(/ ?\. ?/g, '.'));
    }
  }
  reader.at = endOfLine(reader);
  return pieces.join('').trim();
}

/** With its quotes: pattern.ts reads them again. */
function readQuoted(reader: Reader): string {
  const [quoted] = /^"(?:[^"]|"")*"/.exec(reader.text.slice(reader.at)) ?? [];
  if (quoted === undefined) throw wrong(reader, 'a double quote is not closed');
  reader.at += quoted.length;
  reader.line += quoted.split('\n').length - 1;
  return quoted;
}

function wrong({ name, line }: Reader, why: string): TidemarkError {
  return new TidemarkError('USAGE', `read the filter ${name}, line ${line}: ${why}`, {
    hint: 'a line is: include|exclude table|table_and_children|table_data|table_data_and_children|schema|extension|foreign_data PATTERN',
  });
}
