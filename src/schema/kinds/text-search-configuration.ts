// Text search configurations with their mappings. Tokens are numbers in the catalog; only their parser knows what ALTER TEXT SEARCH
// CONFIGURATION calls them. All dictionaries of a token go into one ADD MAPPING, in the order in which they are asked.
// See https://www.postgresql.org/docs/current/sql-altertsconfig.html
import * as z from 'zod';
import { TidemarkError } from '../../model/errors.js';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const dictionary = z.object({ nspname: z.string(), dictname: z.string() });

const mapping = z.object({
  maptokentype: z.number(),
  /** Absent in what the parser says of itself: its library is another one than that which the mapping was made with. */
  alias: z.string().optional(),
  /** By `mapseqno`. */
  dictionaries: z.array(dictionary),
});

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  cfgname: z.string(),
  owner: z.string(),
  parser: z.object({ nspname: z.string(), prsname: z.string() }),
  /** By `maptokentype`. */
  mappings: z.array(mapping),
});

function addMapping({ alias, maptokentype, dictionaries }: z.infer<typeof mapping>, ddl: string): string {
  if (alias === undefined) {
    throw new TidemarkError('UNSUPPORTED_OBJECT', `read ${ddl}: its parser does not know its token type ${maptokentype}`, {
      hint: 'remove the row from pg_ts_config_map, or install the library of the parser that the mapping was made with',
    });
  }
  const names = dictionaries.map(({ nspname, dictname }) => qualifiedName(nspname, dictname));
  return `ALTER ${ddl} ADD MAPPING FOR ${quoteIdentifier(alias)} WITH ${names.join(', ')}`;
}

export const textSearchConfiguration = defineKind({
  name: 'text search configuration',
  only: ['pg_ts_config'],
  row,
  query: () => `
    SELECT c.oid, n.nspname, c.cfgname, pg_get_userbyid(c.cfgowner) AS owner,
           json_build_object('nspname', pn.nspname, 'prsname', p.prsname) AS parser,
           coalesce((SELECT json_agg(json_strip_nulls(json_build_object(
                              'maptokentype', m.maptokentype,
                              'alias', (SELECT k.alias FROM ts_token_type(c.cfgparser) k WHERE k.tokid = m.maptokentype),
                              'dictionaries', m.dictionaries)) ORDER BY m.maptokentype)
                       FROM (SELECT g.maptokentype, json_agg(json_build_object('nspname', dn.nspname, 'dictname', d.dictname)
                                                             ORDER BY g.mapseqno) AS dictionaries
                               FROM pg_ts_config_map g
                               JOIN pg_ts_dict d ON d.oid = g.mapdict
                               JOIN pg_namespace dn ON dn.oid = d.dictnamespace
                              WHERE g.mapcfg = c.oid
                              GROUP BY g.maptokentype) m), '[]') AS mappings
      FROM pg_ts_config c
      JOIN pg_namespace n ON n.oid = c.cfgnamespace
      JOIN pg_ts_parser p ON p.oid = c.cfgparser
      JOIN pg_namespace pn ON pn.oid = p.prsnamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_ts_config', 'c.oid')}
     ORDER BY c.oid`,
  objects({ oid, nspname, cfgname, owner, parser, mappings }) {
    const self = key('pg_ts_config', oid);
    const ddl = `TEXT SEARCH CONFIGURATION ${qualifiedName(nspname, cfgname)}`;
    const create = `CREATE ${ddl} (PARSER = ${qualifiedName(parser.nspname, parser.prsname)})`;
    const statements = [create, ...mappings.map((mapped) => addMapping(mapped, ddl))];
    return [
      {
        key: self,
        kind: 'text search configuration',
        schema: nspname,
        name: cfgname,
        ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => statements }],
      },
    ];
  },
});
