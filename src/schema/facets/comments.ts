// COMMENT ON, for whatever pg_description has a row for and a kind has claimed. Comments on members of extensions come with the
// extension; rows whose object is gone exist in real databases, and both map to nothing here. Comments on databases, roles and
// tablespaces are in pg_shdescription, which is not the schema's matter.
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { type FacetContext, type FacetReader, type FacetResult, key, type ObjectDraft } from '../kind.js';

interface Row extends Record<string, unknown> {
  readonly classid: string;
  readonly objoid: number;
  readonly objsubid: number;
  readonly description: string;
  /** What to call it where it is only a part of an object: an index behind a constraint, the row type of a table, the rule of a view. */
  readonly part: string | null;
}

/** Catalogs by name, from pg_class: a regclass would be printed in quotes. */
const query = `
  SELECT k.relname AS classid, d.objoid, d.objsubid, d.description,
         coalesce('INDEX ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
                  'TYPE ' || quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
                  'RULE ' || quote_ident(r.rulename) || ' ON ' || quote_ident(vn.nspname) || '.' || quote_ident(v.relname)) AS part
    FROM pg_description d
    JOIN pg_class k ON k.oid = d.classoid
    LEFT JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND c.relkind IN ('i', 'I')
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_type t ON d.classoid = 'pg_type'::regclass AND t.oid = d.objoid
    LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_rewrite r ON d.classoid = 'pg_rewrite'::regclass AND r.oid = d.objoid
    LEFT JOIN pg_class v ON v.oid = r.ev_class
    LEFT JOIN pg_namespace vn ON vn.oid = v.relnamespace
   WHERE d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass
   ORDER BY k.relname, d.objoid, d.objsubid`;

/** The comment that initdb gives the schema public. */
const standardPublic = 'standard public schema';

function isPublic({ kind, name, key }: ObjectDraft): boolean {
  return kind === 'schema' && name === 'public' && !key.endsWith(':0');
}

/** What COMMENT ON calls it, or nothing where it is no object of ours. */
function target(row: Row, object: ObjectDraft): string | undefined {
  if (row.objsubid !== 0) {
    const column = object.columns?.get(row.objsubid);
    if (column === undefined) return undefined;
    return `COLUMN ${qualifiedName(object.schema, object.name)}.${quoteIdentifier(column)}`;
  }
  if (key(row.classid, row.objoid) === object.key) return object.ddl;
  return row.part ?? undefined;
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
    const name = object && target(row, object);
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
