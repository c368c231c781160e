// Row security policies. Whether row security is on is a property of the table.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isUserRelation } from '../relation-sql.js';

const row = z.object({
  oid: z.number(),
  polname: z.string(),
  polrelid: z.number(),
  polcmd: z.enum(['*', 'r', 'a', 'w', 'd']),
  polpermissive: z.boolean(),
  /** Null for PUBLIC. */
  roles: z.array(z.string()).nullable(),
  polqual: z.string().nullable(),
  polwithcheck: z.string().nullable(),
  nspname: z.string(),
  relname: z.string(),
});

const commands = { '*': null, r: 'SELECT', a: 'INSERT', w: 'UPDATE', d: 'DELETE' } as const;

export const policy = defineKind<z.infer<typeof row>>({
  name: 'policy',
  only: ['pg_policy'],
  query: () => `SELECT p.oid, p.polname, p.polrelid, p.polcmd, p.polpermissive,
    CASE WHEN 0 <> ALL (p.polroles) THEN ARRAY(SELECT pg_get_userbyid(u.oid)::text FROM unnest(p.polroles) WITH ORDINALITY AS u(oid, place)
      ORDER BY u.place) END AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS polqual, pg_get_expr(p.polwithcheck, p.polrelid) AS polwithcheck, n.nspname, c.relname
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${isUserRelation('c', 'n')}
  ORDER BY p.oid`,
  row,
  objects(row) {
    const own = key('pg_policy', row.oid);
    const table = qualifiedName(row.nspname, row.relname);
    const name = quoteIdentifier(row.polname);
    const command = commands[row.polcmd];
    const parts = [
      `CREATE POLICY ${name} ON ${table}`,
      ...(row.polpermissive ? [] : ['AS RESTRICTIVE']),
      ...(command === null ? [] : [`FOR ${command}`]),
      ...(row.roles === null ? [] : [`TO ${row.roles.map(quoteIdentifier).join(', ')}`]),
      ...(row.polqual === null ? [] : [`USING (${row.polqual})`]),
      ...(row.polwithcheck === null ? [] : [`WITH CHECK (${row.polwithcheck})`]),
    ];
    return [
      {
        key: own,
        kind: 'policy',
        schema: row.nspname,
        name: row.polname,
        parent: key('pg_class', row.polrelid),
        steps: [
          {
            key: own,
            facet: 'definition',
            section: 'post-data',
            statements: () => [parts.join(' ')],
            ...(row.roles === null ? {} : { roles: row.roles }),
          },
        ],
        ddl: `POLICY ${name} ON ${table}`,
      },
    ];
  },
});
