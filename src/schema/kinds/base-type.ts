// Base types: types over functions of their own for input and output. The functions name the type, the type names the functions; a
// shell breaks that loop. pg_get_* has nothing for them, the statement is put together from pg_type.
import * as z from 'zod';
import { quoteLiteral } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

const alignments = { c: 'char', s: 'int2', i: 'int4', d: 'double' } as const;
const storages = { p: 'plain', e: 'external', x: 'extended', m: 'main' } as const;

const row = typeRow.extend({
  typinput: z.string(),
  typoutput: z.string(),
  typreceive: z.string().nullable(),
  typsend: z.string().nullable(),
  typmodin: z.string().nullable(),
  typmodout: z.string().nullable(),
  typanalyze: z.string().nullable(),
  typsubscript: z.string().nullable(),
  /** In bytes; -1 for a varlena. */
  typlen: z.number(),
  typbyval: z.boolean(),
  typalign: z.enum(['c', 's', 'i', 'd']),
  typstorage: z.enum(['p', 'e', 'x', 'm']),
  typcategory: z.string(),
  typispreferred: z.boolean(),
  typdelim: z.string(),
  collatable: z.boolean(),
  element: z.string().nullable(),
  typdefault: z.string().nullable(),
});

const optionalFunctions = ['typreceive', 'typsend', 'typmodin', 'typmodout', 'typanalyze', 'typsubscript'] as const;

function createType(type: z.infer<typeof row>): string {
  const options = [
    `INPUT = ${type.typinput}`,
    `OUTPUT = ${type.typoutput}`,
    `INTERNALLENGTH = ${type.typlen === -1 ? 'VARIABLE' : type.typlen}`,
  ];
  const put = (option: string, value: string | null) => {
    if (value !== null) options.push(`${option} = ${value}`);
  };
  put('RECEIVE', type.typreceive);
  put('SEND', type.typsend);
  put('TYPMOD_IN', type.typmodin);
  put('TYPMOD_OUT', type.typmodout);
  put('ANALYZE', type.typanalyze);
  put('SUBSCRIPT', type.typsubscript);
  if (type.typbyval) options.push('PASSEDBYVALUE');
  put('ALIGNMENT', alignments[type.typalign]);
  put('STORAGE', storages[type.typstorage]);
  put('CATEGORY', quoteLiteral(type.typcategory));
  if (type.typispreferred) options.push('PREFERRED = true');
  put('DELIMITER', quoteLiteral(type.typdelim));
  put('ELEMENT', type.element);
  put('DEFAULT', type.typdefault);
  if (type.collatable) options.push('COLLATABLE = true');
  return `CREATE TYPE ${typeName(type)} (${options.join(', ')})`;
}

export const baseType = defineKind({
  name: 'base-type',
  only: ['pg_type:b'],
  row,
  // Array types are base types in pg_type, too: those that their element calls its array type.
  query: () => `
    SELECT ${typeColumns}, t.typinput::text, t.typoutput::text,
           ${optionalFunctions.map((column) => `CASE WHEN t.${column}::oid <> 0 THEN t.${column}::text END AS ${column}`).join(', ')},
           t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred, t.typdelim, t.typcollation <> 0 AS collatable,
           CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END AS element,
           coalesce(pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::regclass), quote_literal(t.typdefault)) AS typdefault
      ${typesOfUser()} AND t.typtype = 'b'
       AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
     ORDER BY t.oid`,
  objects(type) {
    const self = typeKey(type);
    const early = { statements: [`CREATE TYPE ${typeName(type)}`], needs: [key('pg_namespace', type.typnamespace)] };
    return [
      {
        ...typeDraft(type, { kind: 'base-type' }),
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [createType(type)], split: { cost: 1, early } }],
      },
    ];
  },
});
