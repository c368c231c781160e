// Schemas. `public` is in every database that a snapshot is restored into, so it is never created; only its owner, comment and
// privileges are carried. Schemas of an extension come with it, but the user's objects inside them are read by their own kinds.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  /** 0: the source has no schema of this name, and the target must not have it either. */
  oid: z.number(),
  nspname: z.string(),
  owner: z.string(),
});

/** Owner of `public` since PostgreSQL 15. */
const databaseOwner = 'pg_database_owner';

export const schema = defineKind({
  name: 'schema',
  row,
  query: () => `
    SELECT n.oid, n.nspname, pg_get_userbyid(n.nspowner) AS owner
      FROM pg_namespace n
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_namespace', 'n.oid')}
     UNION ALL
    SELECT 0, 'public', '${databaseOwner}'
     WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'public')
     ORDER BY 1`,
  objects({ oid, nspname, owner }) {
    const self = key('pg_namespace', oid);
    const ddl = `SCHEMA ${quoteIdentifier(nspname)}`;
    const isPublic = nspname === 'public';
    const steps: StepDraft[] = [];
    if (oid === 0) {
      // Not its own key: with --clean there is nothing to be dropped and made again.
      const drop = `DROP SCHEMA IF EXISTS ${quoteIdentifier(nspname)}`;
      steps.push({ key: `${self}/absent`, facet: 'definition', section: 'pre-data', statements: () => [drop] });
    } else if (!isPublic) {
      steps.push({ key: self, facet: 'definition', section: 'pre-data', statements: () => [`CREATE ${ddl}`] });
    }
    // The default owner of public differs between versions, and is right already in any new database. Before 15 it was the bootstrap
    // superuser, a role like any other to a newer target: carried, as pg_dump does.
    const builtIn = isPublic && owner === databaseOwner;
    return [{ key: self, kind: 'schema', name: nspname, steps, ddl, grant: ddl, ...(builtIn ? {} : { owner }) }];
  },
});
