// Composite types made by CREATE TYPE ... AS; the row types of tables and views belong to those. The type is the object, its pg_class
// row is the same one: comments on attributes hang on that.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key, nameOf } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

const attribute = z.object({ attnum: z.number(), attname: z.string(), type: z.string(), collation: z.string().nullable() });

const row = typeRow.extend({ typrelid: z.number(), attributes: z.array(attribute) });

export const composite = defineKind({
  name: 'composite',
  only: ['pg_class:c'],
  row,
  // COLLATE only where it differs from the default of the attribute's type.
  query: () => `
    SELECT ${typeColumns}, t.typrelid,
           coalesce((SELECT json_agg(json_build_object(
                              'attnum', a.attnum, 'attname', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                              'collation', quote_ident(cn.nspname) || '.' || quote_ident(co.collname)) ORDER BY a.attnum)
                       FROM pg_attribute a
                       JOIN pg_type at ON at.oid = a.atttypid
                       LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> at.typcollation
                       LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
                      WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS attributes
      ${typesOfUser({ joins: 'JOIN pg_class c ON c.oid = t.typrelid' })} AND t.typtype = 'c' AND c.relkind = 'c'
     ORDER BY t.oid`,
  objects(type) {
    const self = typeKey(type);
    const attributes = type.attributes.map(
      ({ attname, type, collation }) => `${quoteIdentifier(attname)} ${type}${collation === null ? '' : ` COLLATE ${collation}`}`,
    );
    const create = `CREATE TYPE ${typeName(type)} AS (${attributes.join(', ')})`;
    return [
      {
        columnName: nameOf(type.attributes),
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
        // The catalogs say that the class depends on the type, both of which are this object.
        charge: ({ ref }) => (ref === self ? null : self),
        ...typeDraft(type, { kind: 'composite', also: [key('pg_class', type.typrelid)] }),
      },
    ];
  },
});
