// Extended statistics objects. What ANALYZE gathered for them is data and is not carried.
import * as z from 'zod';
import { qualifiedName } from '../../pg/quote.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  stxname: z.string(),
  stxrelid: z.number(),
  stxstattarget: z.number().nullable(),
  rolname: z.string(),
  definition: z.string(),
});

export const statistics = defineKind<z.infer<typeof row>>({
  name: 'statistics',
  only: ['pg_statistic_ext'],
  query: () => `SELECT s.oid, n.nspname, s.stxname, s.stxrelid, s.stxstattarget, pg_get_userbyid(s.stxowner) AS rolname,
    pg_get_statisticsobjdef(s.oid) AS definition
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE ${isUserSchema('n')} AND ${isNotMember('pg_statistic_ext', 's.oid')} AND ${isNotMember('pg_class', 's.stxrelid')}
  ORDER BY s.oid`,
  row,
  objects(row) {
    const own = key('pg_statistic_ext', row.oid);
    const ddl = `STATISTICS ${qualifiedName(row.nspname, row.stxname)}`;
    const steps: StepDraft[] = [{ key: own, facet: 'definition', section: 'post-data', statements: () => [row.definition] }];
    // The default is -1 before PostgreSQL 17 and null since; 0 is a target like any other.
    if (row.stxstattarget !== null && row.stxstattarget >= 0) {
      const statement = `ALTER ${ddl} SET STATISTICS ${row.stxstattarget}`;
      steps.push({ key: `${own}/target`, facet: 'definition', section: 'post-data', needs: [own], statements: () => [statement] });
    }
    return [
      {
        key: own,
        kind: 'statistics',
        schema: row.nspname,
        name: row.stxname,
        parent: key('pg_class', row.stxrelid),
        steps,
        ddl,
        owner: row.rolname,
      },
    ];
  },
});
