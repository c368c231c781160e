// Reads filter files and adds what they say to the patterns of the options. The form of a file is selection/filter.ts's matter.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { TidemarkError } from '../model/errors.js';
import { type FilterList, parseFilter } from '../selection/filter.js';
import type { ContentOptions } from './common-options.js';

/** The options with the patterns of their filter files behind their own.
 *  @throws TidemarkError FILE_ERROR, USAGE naming file and line */
export async function withFilters<Options extends ContentOptions & { readonly includeForeignData?: readonly string[] }>(
  options: Options,
): Promise<Options> {
  let whole = options;
  for (const file of options.filterFiles ?? []) {
    const filter = parseFilter(await readText('filter', file), file === '-' ? 'from standard input' : file);
    const added = (Object.keys(filter) as FilterList[]).map((list) => [list, [...(whole[list] ?? []), ...(filter[list] ?? [])]]);
    whole = { ...whole, ...Object.fromEntries(added) };
  }
  return whole;
}

/** @throws TidemarkError FILE_ERROR */
export async function readText(what: string, file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new TidemarkError('FILE_ERROR', `read the ${what} ${file}: ${(error as Error).message}`, { cause: error });
  }
}
