// COMMENT ON, for whatever pg_description has a row for and a kind has claimed. Comments on members of extensions come with the
// extension; rows whose object is gone exist in real databases, and both map to nothing here. Comments on databases, roles and
// tablespaces are in pg_shdescription, which is not the schema's matter.
import { quoteLiteral } from '../../pg/quote.js';
import { type FacetContext, type FacetReader, type FacetResult, key, type ObjectDraft } from '../kind.js';
import { type DescribedRow, describedColumns, describedFrom, describedName } from './described.js';

interface Row extends DescribedRow {
  readonly description: string;
}

const query = `SELECT ${describedColumns}, d.description ${describedFrom('pg_description')}`;

/** The comment that initdb gives the schema public. */
const standardPublic = 'standard public schema';

function isPublic({ kind, name, key }: ObjectDraft): boolean {
  return kind === 'schema' && name === 'public' && !key.endsWith(':0');
}

async function read({ query: run, objects }: FacetContext): Promise<FacetResult> {
  const steps: FacetResult['steps'][number][] = [];
  const commented = new Set<ObjectDraft>();
  const add = (object: ObjectDraft, { word, text }: { word: string; text: string }) => {
    steps.push({
      object: object.key,
      step: {
        key: `${object.key}/${word}`,
        facet: 'comment',
        section: object.steps[0]?.section ?? 'pre-data',
        needs: [object.key],
        statements: () => [`COMMENT ON ${text}`],
      },
    });
  };
  for (const row of await run<Row>(query)) {
    const object = objects.get(key(row.classid, row.objoid));
    const name = object && describedName(row, object);
    if (object === undefined || name === undefined) continue;
    commented.add(object);
    if (isPublic(object) && row.description === standardPublic) continue;
    const part = key(row.classid, row.objoid) === object.key ? '' : `-${key(row.classid, row.objoid)}`;
    const column = row.objsubid === 0 ? '' : `-${row.objsubid}`;
    add(object, { word: `comment${part}${column}`, text: `${name} IS ${quoteLiteral(row.description)}` });
  }
  // A new database has that comment.
  for (const object of objects.values()) {
    if (isPublic(object) && !commented.has(object)) add(object, { word: 'comment', text: `${object.ddl} IS NULL` });
  }
  return { steps, objects: [] };
}

export const comments: FacetReader = { name: 'comments', read };
