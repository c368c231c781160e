// Text search dictionaries. CREATE runs the template's init function, which reads the files that the options name (they must be there on
// the target) and looks up the dictionary that a thesaurus is built on, about which pg_depend knows nothing.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { formatDictionaryOption, parseDictionaryOptions, thesaurusSource } from '../dictionary-options.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const other = z.object({ oid: z.number(), nspname: z.string(), dictname: z.string() });

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  dictname: z.string(),
  owner: z.string(),
  template: z.object({ nspname: z.string(), tmplname: z.string() }),
  dictinitoption: z.string().nullable(),
  /** Of a thesaurus: every dictionary that it may be built on. */
  others: z.array(other),
});

type Dictionary = z.infer<typeof row>;

/** What a thesaurus is built on. A name without a schema was looked up in some search_path: first in pg_catalog, then we take its own
 *  schema before others. */
function basisOf({ others, nspname }: Dictionary, options: ReturnType<typeof parseDictionaryOptions>) {
  const source = thesaurusSource(options);
  const named = others.filter((one) => one.dictname === source?.name && (source.schema === undefined || source.schema === one.nspname));
  const found = ['pg_catalog', nspname].map((schema) => named.find((one) => one.nspname === schema)).find((one) => one) ?? named[0];
  return found && { ...found, hidden: source?.schema === undefined && found.nspname !== 'pg_catalog' };
}

export const textSearchDictionary = defineKind({
  name: 'text search dictionary',
  only: ['pg_ts_dict'],
  row,
  query: () => `
    SELECT d.oid, n.nspname, d.dictname, pg_get_userbyid(d.dictowner) AS owner,
           json_build_object('nspname', tn.nspname, 'tmplname', t.tmplname) AS template, d.dictinitoption,
           CASE WHEN t.tmplname = 'thesaurus' AND tn.nspname = 'pg_catalog'
                THEN (SELECT json_agg(json_build_object('oid', o.oid::int8, 'nspname', bn.nspname, 'dictname', o.dictname) ORDER BY bn.nspname)
                        FROM pg_ts_dict o JOIN pg_namespace bn ON bn.oid = o.dictnamespace WHERE o.oid <> d.oid)
                ELSE '[]' END AS others
      FROM pg_ts_dict d
      JOIN pg_namespace n ON n.oid = d.dictnamespace
      JOIN pg_ts_template t ON t.oid = d.dicttemplate
      JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_ts_dict', 'd.oid')}
     ORDER BY d.oid`,
  objects(dictionary) {
    const { oid, nspname, dictname, owner, template, dictinitoption } = dictionary;
    const self = key('pg_ts_dict', oid);
    const ddl = `TEXT SEARCH DICTIONARY ${qualifiedName(nspname, dictname)}`;
    const options = parseDictionaryOptions(dictinitoption ?? '', ddl);
    const list = [`TEMPLATE = ${qualifiedName(template.nspname, template.tmplname)}`, ...options.map(formatDictionaryOption)];
    const create = `CREATE ${ddl} (${list.join(', ')})`;
    const basis = basisOf(dictionary, options);
    // The option goes as it is, so its name has to be found.
    const statements = basis?.hidden ? [`SET search_path = ${quoteIdentifier(basis.nspname)}`, create, `SET search_path = ''`] : [create];
    const needs = basis === undefined ? [] : [key('pg_ts_dict', basis.oid)];
    return [
      {
        key: self,
        kind: 'text search dictionary',
        schema: nspname,
        name: dictname,
        ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', needs, statements: () => statements }],
      },
    ];
  },
});
