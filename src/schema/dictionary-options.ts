// Options of a text search dictionary, as pg_ts_dict.dictinitoption keeps them: `language = 'english', "Odd" = E'a\\b', n = 5`. Pure:
// reads the text and writes it again, so that nothing from a catalog is pasted into a statement. What the options mean is known to the
// dictionary's template alone; the one that names another dictionary (thesaurus) is read here as well.
// See https://www.postgresql.org/docs/current/sql-createtsdictionary.html
import { TidemarkError } from '../model/errors.js';
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';

export interface DictionaryOption {
  readonly name: string;
  readonly value: string;
  /** False: it stood without quotes, and the server keeps it so if it is a number. */
  readonly quoted: boolean;
}

const separator = /[\s,]*/y;
const optionName = /(?:"((?:[^"]|"")*)"|([^\s"=,]+))\s*=\s*/y;
const optionValue = /(?:[eE]?'((?:[^'\\]|''|\\.)*)'|"((?:[^"]|"")*)"|([^\s'",]+))/sy;
/** Numbers of every form that a server from 14 to 18 reads, signs included; nothing else may stay without quotes. */
const number = /^[+-]?(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)$/;

/** Reads options. The server doubles backslashes and quotes in values.
 *  @throws TidemarkError UNSUPPORTED_OBJECT where the text is none that a server writes
 *  @param dictionary for the message */
export function parseDictionaryOptions(text: string, dictionary: string): readonly DictionaryOption[] {
  const options: DictionaryOption[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (take(separator); at < text.length; take(separator)) {
    const name = take(optionName);
    const value = name && take(optionValue);
    if (!value) {
      throw new TidemarkError('UNSUPPORTED_OBJECT', `read the options of ${dictionary}: they cannot be told apart after ${at} characters`, {
        hint: 'set them again with ALTER TEXT SEARCH DICTIONARY',
        details: { options: text },
      });
    }
    const [, single, double, bare] = value;
    options.push({
      name: name[1]?.replaceAll('""', '"') ?? name[2] ?? '',
      value: single?.replaceAll("''", "'").replaceAll(/\\(.)/gs, '$1') ?? double?.replaceAll('""', '"') ?? bare ?? '',
      quoted: bare === undefined,
    });
  }
  return options;
}

/** An option as CREATE TEXT SEARCH DICTIONARY takes it. */
export function formatDictionaryOption({ name, value, quoted }: DictionaryOption): string {
  return `${quoteIdentifier(name)} = ${!quoted && number.test(value) ? value : quoteLiteral(value)}`;
}

/** The dictionary that the server's template `thesaurus` asks for its words; a string to pg_depend, and there before it all the same. */
export function thesaurusSource(options: readonly DictionaryOption[]): { readonly schema?: string; readonly name: string } | undefined {
  const value = options.find(({ name }) => name === 'dictionary')?.value;
  if (value === undefined) return undefined;
  const parts = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s".]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare?.toLowerCase(),
  );
  const [name, schema] = parts.reverse();
  return name === undefined ? undefined : { name, ...(schema === undefined ? {} : { schema }) };
}
