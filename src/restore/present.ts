// Objects that were not asked for but come along because chosen ones need them (a schema, a type, a function of a default): into a
// database that has them already they are not made again. Whether they are the same there is not looked at.
import type { Catalog, CatalogObject } from '../model/catalog.js';
import type { Session } from '../pg/session.js';

interface Lookup {
  /** What the object's DROP statement begins with. */
  readonly word: string;
  /** Condition that the target has it, over the rest of that statement as `name`. */
  readonly found: string;
  /** For routines, whose DROP statement has names and modes of arguments that these functions do not read. */
  readonly byTypes?: true;
  /** For what has two names instead of one: gives them as `name` and `other`. Double quotes hold anything. */
  readonly parts?: RegExp;
}

const qualified = (catalog: string, prefix: string): string =>
  `EXISTS (SELECT FROM ${catalog} c JOIN pg_namespace n ON n.oid = c.${prefix}namespace
            WHERE ARRAY[n.nspname::text, c.${prefix}name::text] = parse_ident(name))`;

const bare = (catalog: string, column: string): string =>
  `EXISTS (SELECT FROM ${catalog} c WHERE ARRAY[c.${column}::text] = parse_ident(name))`;

const byMethod = (catalog: string, prefix: string): Pick<Lookup, 'found' | 'parts'> => ({
  found: `EXISTS (SELECT FROM ${catalog} c JOIN pg_namespace n ON n.oid = c.${prefix}namespace JOIN pg_am a ON a.oid = c.${prefix}method
                   WHERE ARRAY[n.nspname::text, c.${prefix}name::text] = parse_ident(name) AND ARRAY[a.amname::text] = parse_ident(other))`,
  parts: /^((?:"[^"]*"|[^"])*?) USING (.*)$/s,
});

/** The functions to_reg* read exactly the form that names have in a DROP statement. */
const lookups: readonly Lookup[] = [
  { word: 'SCHEMA', found: 'to_regnamespace(name) IS NOT NULL' },
  { word: 'TYPE', found: qualified('pg_type', 'typ') },
  { word: 'DOMAIN', found: qualified('pg_type', 'typ') },
  { word: 'FUNCTION', found: 'to_regprocedure(name) IS NOT NULL', byTypes: true },
  { word: 'PROCEDURE', found: 'to_regprocedure(name) IS NOT NULL', byTypes: true },
  { word: 'AGGREGATE', found: 'to_regprocedure(name) IS NOT NULL', byTypes: true },
  { word: 'SEQUENCE', found: 'to_regclass(name) IS NOT NULL' },
  { word: 'COLLATION', found: 'to_regcollation(name) IS NOT NULL' },
  {
    word: 'CAST',
    found: 'EXISTS (SELECT FROM pg_cast c WHERE c.castsource = to_regtype(name) AND c.casttarget = to_regtype(other))',
    parts: /^\(((?:"[^"]*"|[^"])*?) AS (.*)\)$/s,
  },
  {
    word: 'TRANSFORM',
    found: `EXISTS (SELECT FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
                     WHERE t.trftype = to_regtype(name) AND ARRAY[l.lanname::text] = parse_ident(other))`,
    parts: /^FOR ((?:"[^"]*"|[^"])*?) LANGUAGE (.*)$/s,
  },
  { word: 'CONVERSION', found: qualified('pg_conversion', 'con') },
  { word: 'TEXT SEARCH PARSER', found: qualified('pg_ts_parser', 'prs') },
  { word: 'TEXT SEARCH TEMPLATE', found: qualified('pg_ts_template', 'tmpl') },
  { word: 'TEXT SEARCH DICTIONARY', found: qualified('pg_ts_dict', 'dict') },
  { word: 'TEXT SEARCH CONFIGURATION', found: qualified('pg_ts_config', 'cfg') },
  { word: 'OPERATOR CLASS', ...byMethod('pg_opclass', 'opc') },
  { word: 'OPERATOR FAMILY', ...byMethod('pg_opfamily', 'opf') },
  // Without what is only a shell, made because another operator names it.
  { word: 'OPERATOR', found: 'EXISTS (SELECT FROM pg_operator o WHERE o.oid = to_regoperator(name) AND o.oprcode <> 0)' },
  { word: 'ACCESS METHOD', found: bare('pg_am', 'amname') },
  { word: 'LANGUAGE', found: bare('pg_language', 'lanname') },
  { word: 'FOREIGN DATA WRAPPER', found: bare('pg_foreign_data_wrapper', 'fdwname') },
  { word: 'SERVER', found: bare('pg_foreign_server', 'srvname') },
];

/** Of these objects the ones that the target has, by id. */
export async function findPresent(session: Session, catalog: Catalog, candidates: readonly CatalogObject[]): Promise<ReadonlySet<number>> {
  const present = new Set<number>();
  for (const { word, found, ...lookup } of lookups) {
    const objects = candidates.filter(({ drop }) => lookups.find((one) => drop?.startsWith(`${one.word} `))?.word === word);
    if (objects.length === 0) continue;
    const names = objects.map((object) => namesOf(object, lookup, object.drop?.slice(word.length + 1) ?? ''));
    const rows = await session.query<{ found: boolean }>(
      `SELECT ${found} AS found FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (name, other, place) ORDER BY place`,
      [names.map(([name]) => name), names.map(([, other]) => other)],
    );
    for (const [at, { id }] of objects.entries()) if (rows[at]?.found) present.add(id);
  }
  // What belongs to one of them is there with it.
  for (const object of catalog.objects) if (object.parent !== undefined && present.has(object.parent)) present.add(object.id);
  return present;
}

function namesOf(
  object: CatalogObject,
  { byTypes, parts }: Pick<Lookup, 'byTypes' | 'parts'>,
  text: string,
): readonly [name: string, other: string] {
  if (byTypes) return [routineName(object, text), ''];
  const found = parts?.exec(text);
  return found ? [found[1] ?? '', found[2] ?? ''] : [text, ''];
}

/** `"s"."f"(integer, text)`: the quoted name as the DROP statement has it, the types as the object's name has them. */
function routineName({ name }: CatalogObject, text: string): string {
  const quoted = /^(?:"(?:[^"]|"")*"\.)?"((?:[^"]|"")*)"/.exec(text);
  const bare = quoted?.[1]?.replaceAll('""', '"') ?? '';
  return `${quoted?.[0] ?? ''}${name.slice(bare.length).replace(/^\(\*\)$/, '()')}`;
}
