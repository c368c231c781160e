// Collations. Where the locale of an ICU collation is stored has moved twice (15, 17). The recorded collation version is not carried:
// it belongs to the library of the server, and the target records its own.
import * as z from 'zod';
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  collname: z.string(),
  owner: z.string(),
  /** c libc, i icu, b builtin */
  collprovider: z.enum(['c', 'i', 'b']),
  collisdeterministic: z.boolean(),
  collcollate: z.string().nullable(),
  collctype: z.string().nullable(),
  /** Of the ICU and builtin providers. */
  locale: z.string().nullable(),
  rules: z.string().nullable(),
});

const providers = { c: 'libc', i: 'icu', b: 'builtin' } as const;

function localeColumn(version: number): string {
  if (version >= 170000) return 'c.colllocale';
  if (version >= 150000) return 'c.colliculocale';
  return `CASE c.collprovider WHEN 'i' THEN c.collcollate::text END`;
}

function definition({ collprovider, collisdeterministic, collcollate, collctype, locale, rules }: z.infer<typeof row>): string {
  const options = [`provider = ${providers[collprovider]}`];
  if (!collisdeterministic) options.push('deterministic = false');
  if (collprovider !== 'c') {
    options.push(`locale = ${quoteLiteral(locale ?? '')}`);
  } else if (collcollate === collctype) {
    options.push(`locale = ${quoteLiteral(collcollate ?? '')}`);
  } else {
    options.push(`lc_collate = ${quoteLiteral(collcollate ?? '')}`, `lc_ctype = ${quoteLiteral(collctype ?? '')}`);
  }
  if (rules !== null) options.push(`rules = ${quoteLiteral(rules)}`);
  return options.join(', ');
}

export const collation = defineKind({
  name: 'collation',
  only: ['pg_collation'],
  row,
  // A collation of another encoding cannot be used in this database nor be created in it again (pg_import_system_collations makes them).
  query: ({ version }) => `
    SELECT c.oid, n.nspname, c.collname, pg_get_userbyid(c.collowner) AS owner, c.collprovider, c.collisdeterministic,
           c.collcollate::text, c.collctype::text, ${localeColumn(version)} AS locale,
           ${version >= 160000 ? 'c.collicurules' : 'NULL'} AS rules
      FROM pg_collation c
      JOIN pg_namespace n ON n.oid = c.collnamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_collation', 'c.oid')}
       AND c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
     ORDER BY c.oid`,
  objects(collation) {
    const { oid, nspname, collname, owner } = collation;
    const self = key('pg_collation', oid);
    const ddl = `COLLATION ${qualifiedName(nspname, collname)}`;
    const create = `CREATE ${ddl} (${definition(collation)})`;
    return [
      {
        key: self,
        kind: 'collation',
        schema: nspname,
        name: collname,
        ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
