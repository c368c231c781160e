// Procedural languages that were made by themselves. Those of an extension come with it, those of initdb (internal, c, sql) are
// everywhere; privileges on them are the facets' matter.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { routineName } from '../operator-sql.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  lanname: z.string(),
  owner: z.string(),
  lanpltrusted: z.boolean(),
  handler: z.string(),
  inline: z.string().nullable(),
  validator: z.string().nullable(),
});

export const language = defineKind({
  name: 'language',
  only: ['pg_language'],
  row,
  query: () => `
    SELECT l.oid, l.lanname, pg_get_userbyid(l.lanowner) AS owner, l.lanpltrusted, ${routineName('l.lanplcallfoid')} AS handler,
           ${routineName('l.laninline')} AS inline, ${routineName('l.lanvalidator')} AS validator
      FROM pg_language l
     WHERE l.lanispl AND l.oid >= ${firstNormalOid} AND ${isNotMember('pg_language', 'l.oid')}
     ORDER BY l.oid`,
  objects({ oid, lanname, owner, lanpltrusted, handler, inline, validator }) {
    const self = key('pg_language', oid);
    const ddl = `LANGUAGE ${quoteIdentifier(lanname)}`;
    // Always with its functions, also where they belong to an extension or to the server (plpgsql's under another name): without them
    // the server takes CREATE LANGUAGE for CREATE EXTENSION.
    const create = [
      `CREATE ${lanpltrusted ? 'TRUSTED ' : ''}${ddl} HANDLER ${handler}`,
      ...(inline === null ? [] : [`INLINE ${inline}`]),
      ...(validator === null ? [] : [`VALIDATOR ${validator}`]),
    ].join(' ');
    return [
      {
        key: self,
        kind: 'language',
        name: lanname,
        ddl,
        grant: ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
