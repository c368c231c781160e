// The options of foreign data wrappers, servers, user mappings, foreign tables and their columns: `text[]` of name=value in the catalogs,
// `OPTIONS ("name" 'value')` in SQL. What they mean is the wrapper's matter; its validator looks at them when they are restored.
import * as z from 'zod';
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';

/** Pairs of name and value. */
export const genericOptions = z.array(z.tuple([z.string(), z.string()]));

export type GenericOptions = z.infer<typeof genericOptions>;

/** SQL expression: the options as JSON pairs, by name. Not split here: a value may have any character, `=` among them.
 *  @param options expression of type text[], may be NULL */
export function optionsSql(options: string): string {
  return (
    `coalesce((SELECT json_agg(json_build_array(o.option_name, coalesce(o.option_value, '')) ORDER BY o.option_name COLLATE "C") ` +
    `FROM pg_options_to_table(${options}) o), '[]')`
  );
}

/** ` OPTIONS (...)`, or nothing where there are none. */
export function optionsClause(options: GenericOptions): string {
  if (options.length === 0) return '';
  return ` OPTIONS (${options.map(([name, value]) => `${quoteIdentifier(name)} ${quoteLiteral(value)}`).join(', ')})`;
}
