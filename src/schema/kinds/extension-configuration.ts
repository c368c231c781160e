// Tables and sequences of extensions whose contents are the user's, as the extension's script has said with pg_extension_config_dump(). The
// extension makes them, and here they have no step of their own: rows are copied like those of other tables, and sequences get their
// values from facets/sequence-values.ts.
// https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES
import * as z from 'zod';
import { qualifiedName } from '../../pg/quote.js';
import { defineKind, type Key, key } from '../kind.js';

const row = z.object({
  oid: z.number(),
  extension: z.number(),
  relkind: z.enum(['r', 'S']),
  nspname: z.string(),
  relname: z.string(),
});

/** Not the key of its catalog row: that one is a member of the extension, and what depends on it depends on the extension. */
export function configurationKey(oid: number): Key {
  return key('configuration', oid);
}

export const extensionConfiguration = defineKind<z.infer<typeof row>>({
  name: 'extension table',
  only: ['pg_extension'],
  row,
  query: () => `SELECT c.oid, e.oid AS extension, c.relkind, n.nspname, c.relname
  FROM pg_extension e
  CROSS JOIN LATERAL unnest(e.extconfig) AS configuration (relation)
  JOIN pg_class c ON c.oid = configuration.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'S')
  ORDER BY c.oid`,
  objects({ oid, extension, relkind, nspname, relname }) {
    const [kind, word] = relkind === 'S' ? ['extension sequence', 'SEQUENCE'] : ['extension table', 'TABLE'];
    const ddl = `${word} ${qualifiedName(nspname, relname)}`;
    return [{ key: configurationKey(oid), kind, schema: nspname, name: relname, parent: key('pg_extension', extension), steps: [], ddl }];
  },
});
