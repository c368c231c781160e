// Text search templates: the functions of a sort of dictionaries, of which the one that reads options is optional. They have no owner
// and no privileges.
import * as z from 'zod';
import { qualifiedName } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  tmplname: z.string(),
  tmplinit: z.string().nullable(),
  tmpllexize: z.string(),
});

export const textSearchTemplate = defineKind({
  name: 'text search template',
  only: ['pg_ts_template'],
  row,
  query: () => `
    SELECT t.oid, n.nspname, t.tmplname, CASE WHEN t.tmplinit <> 0 THEN t.tmplinit::text END AS tmplinit, t.tmpllexize::text
      FROM pg_ts_template t
      JOIN pg_namespace n ON n.oid = t.tmplnamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_ts_template', 't.oid')}
     ORDER BY t.oid`,
  objects({ oid, nspname, tmplname, tmplinit, tmpllexize }) {
    const self = key('pg_ts_template', oid);
    const ddl = `TEXT SEARCH TEMPLATE ${qualifiedName(nspname, tmplname)}`;
    const create = `CREATE ${ddl} (${tmplinit === null ? '' : `INIT = ${tmplinit}, `}LEXIZE = ${tmpllexize})`;
    return [
      {
        key: self,
        kind: 'text search template',
        schema: nspname,
        name: tmplname,
        ddl,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
