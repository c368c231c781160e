// SECURITY LABEL, for whatever pg_seclabel has a row for and a kind has claimed; as with comments, rows whose object is gone map to
// nothing. The target must have loaded the provider of a label, so labels are steps of their own that can be left out. Labels of
// databases, roles and tablespaces are in pg_shseclabel, which is not the schema's matter.
// See https://www.postgresql.org/docs/current/sql-security-label.html
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { type FacetContext, type FacetReader, type FacetResult, key } from '../kind.js';
import { type DescribedRow, describedColumns, describedFrom, describedName } from './described.js';

interface Row extends DescribedRow {
  readonly provider: string;
  readonly label: string;
  /** It came with an extension. */
  readonly member: boolean;
}

const query = `
  SELECT ${describedColumns}, d.provider, d.label,
         EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.objsubid = 0 AND e.deptype = 'e') AS member
    ${describedFrom('pg_seclabel', ', d.provider')}`;

/** Large objects come in groups, whose steps do the same to all of them; a group's labels are one step. */
function largeObjectSteps(rows: readonly Row[], objects: FacetContext['objects']): FacetResult['steps'] {
  if (rows.length === 0) return [];
  const groups = [...new Set(objects.values())].filter(({ oids }) => oids !== undefined);
  return groups.flatMap(({ key: object, oids = [] }) => {
    const mine = rows.filter(({ objoid }) => oids.some(([first, last]) => first <= objoid && objoid <= last));
    if (mine.length === 0) return [];
    const statements = mine.map((row) => statement(row, `LARGE OBJECT ${row.objoid}`));
    const step = { facet: 'security-label', section: 'data', needs: [object], statements: () => statements } as const;
    return [{ object, step: { key: `${object}/labels`, ...step } }];
  });
}

function statement({ provider, label }: Row, name: string): string {
  return `SECURITY LABEL FOR ${quoteIdentifier(provider)} ON ${name} IS ${quoteLiteral(label)}`;
}

async function read({ query: run, objects }: FacetContext): Promise<FacetResult> {
  const steps: FacetResult['steps'][number][] = [];
  let onMembers = 0;
  const rows = await run<Row>(query);
  for (const row of rows) {
    // One that has changed privileges is an object here, too, but what is on it beside them is the extension's matter.
    if (row.member) onMembers += 1;
    const object = row.member ? undefined : objects.get(key(row.classid, row.objoid));
    const name = object && describedName(row, object);
    if (object === undefined || name === undefined) continue;
    const text = statement(row, name);
    steps.push({
      object: object.key,
      step: {
        key: `${object.key}/label-${key(row.classid, row.objoid)}-${row.objsubid}-${row.provider}`,
        facet: 'security-label',
        section: object.steps[0]?.section ?? 'pre-data',
        needs: [object.key],
        statements: () => [text],
      },
    });
  }
  const onLargeObjects = rows.filter(({ classid }) => classid === 'pg_largeobject');
  steps.push(...largeObjectSteps(onLargeObjects, objects));
  const leftOut = { kind: 'security label', name: `${onMembers} of them`, reason: 'they are on members of extensions' };
  return { steps, objects: [], leftOut: onMembers === 0 ? [] : [leftOut] };
}

export const securityLabels: FacetReader = { name: 'security-labels', only: ['pg_seclabel'], read };
