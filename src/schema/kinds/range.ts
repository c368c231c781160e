// Range types. What CREATE TYPE ... AS RANGE makes besides (multirange type, constructor functions, the cast between them) becomes
// objects without steps, so that dependencies, comments and privileges find them. A canonical function needs a shell of the type first.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key, type ObjectDraft } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

const constructorRow = z.object({
  oid: z.number(),
  nspname: z.string(),
  proname: z.string(),
  arguments: z.string(),
  /** Of the multirange type, not of the range type. */
  many: z.boolean(),
});

type Constructor = z.infer<typeof constructorRow>;

const multirangeRow = z.object({ oid: z.number(), nspname: z.string(), typname: z.string(), typarray: z.number() });

const row = typeRow.extend({
  subtype: z.string(),
  /** Qualified; null where the default of the subtype serves. */
  opclass: z.string().nullable(),
  collation: z.string().nullable(),
  canonical: z.string().nullable(),
  diff: z.string().nullable(),
  multirange: multirangeRow,
  constructors: z.array(constructorRow),
  casts: z.array(z.number()),
});

type Range = z.infer<typeof row>;

function createRange(range: Range): string {
  const { subtype, opclass, collation, canonical, diff, multirange } = range;
  const options = [`subtype = ${subtype}`, `multirange_type_name = ${qualifiedName(multirange.nspname, multirange.typname)}`];
  if (opclass !== null) options.push(`subtype_opclass = ${opclass}`);
  if (collation !== null) options.push(`collation = ${collation}`);
  if (canonical !== null) options.push(`canonical = ${canonical}`);
  if (diff !== null) options.push(`subtype_diff = ${diff}`);
  return `CREATE TYPE ${typeName(range)} AS RANGE (${options.join(', ')})`;
}

/** Whoever renames or moves a type leaves its constructor functions where they were: what calls them goes on to find them. The server
 *  makes all of them in the schema of the range type, those of the multirange, too. */
function placeConstructor(range: Range, { nspname, proname, arguments: types, many }: Constructor): readonly string[] {
  const made = many ? range.multirange.typname : range.typname;
  const statements: string[] = [];
  if (proname !== made) {
    statements.push(`ALTER FUNCTION ${qualifiedName(range.nspname, made)}(${types}) RENAME TO ${quoteIdentifier(proname)}`);
  }
  if (nspname !== range.nspname) {
    statements.push(`ALTER FUNCTION ${qualifiedName(range.nspname, proname)}(${types}) SET SCHEMA ${quoteIdentifier(nspname)}`);
  }
  return statements;
}

/** Made by the range's own statement. Privileges and owner of a multirange type follow its range type from 17 on, and cannot be set. */
function multirangeObject(range: Range): ObjectDraft {
  const { oid, nspname, typname, typarray } = range.multirange;
  return {
    key: key('pg_type', oid),
    kind: 'multirange',
    schema: nspname,
    name: typname,
    parent: typeKey(range),
    also: typarray === 0 ? [] : [key('pg_type', typarray)],
    ddl: `TYPE ${qualifiedName(nspname, typname)}`,
    steps: [],
  };
}

function constructorObject(range: Range, { oid, nspname, proname, arguments: types }: Constructor): ObjectDraft {
  const ddl = `FUNCTION ${qualifiedName(nspname, proname)}(${types})`;
  return {
    key: key('pg_proc', oid),
    kind: 'function',
    schema: nspname,
    name: `${proname}(${types})`,
    parent: typeKey(range),
    ddl,
    grant: ddl,
    steps: [],
  };
}

export const range = defineKind({
  name: 'range',
  only: ['pg_type:r'],
  row,
  query: () => `
    SELECT ${typeColumns}, format_type(r.rngsubtype, NULL) AS subtype,
           CASE WHEN NOT o.opcdefault THEN quote_ident(onsp.nspname) || '.' || quote_ident(o.opcname) END AS opclass,
           quote_ident(cn.nspname) || '.' || quote_ident(co.collname) AS collation,
           CASE WHEN r.rngcanonical::oid <> 0 THEN r.rngcanonical::text END AS canonical,
           CASE WHEN r.rngsubdiff::oid <> 0 THEN r.rngsubdiff::text END AS diff,
           (SELECT json_build_object('oid', m.oid::int8, 'nspname', mn.nspname, 'typname', m.typname, 'typarray', m.typarray::int8)
              FROM pg_type m JOIN pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = r.rngmultitypid) AS multirange,
           coalesce((SELECT json_agg(json_build_object('oid', p.oid::int8, 'nspname', pn.nspname, 'proname', p.proname,
                                                       'arguments', pg_get_function_identity_arguments(p.oid),
                                                       'many', p.prorettype = r.rngmultitypid) ORDER BY p.oid)
                       FROM pg_proc p JOIN pg_namespace pn ON pn.oid = p.pronamespace
                      WHERE p.oid IN (SELECT d.objid FROM pg_depend d
                                       WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_type'::regclass
                                         AND d.refobjid IN (t.oid, r.rngmultitypid) AND d.deptype = 'i')), '[]') AS constructors,
           ARRAY(SELECT x.oid FROM pg_cast x WHERE x.castsource = t.oid AND x.casttarget = r.rngmultitypid) AS casts
      ${typesOfUser({
        joins: `JOIN pg_range r ON r.rngtypid = t.oid
      JOIN pg_type s ON s.oid = r.rngsubtype
      JOIN pg_opclass o ON o.oid = r.rngsubopc
      JOIN pg_namespace onsp ON onsp.oid = o.opcnamespace
      LEFT JOIN pg_collation co ON co.oid = r.rngcollation AND r.rngcollation <> s.typcollation
      LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace`,
      })} AND t.typtype = 'r'
     ORDER BY t.oid`,
  objects(range) {
    const self = typeKey(range);
    const early = { statements: [`CREATE TYPE ${typeName(range)}`], needs: [key('pg_namespace', range.typnamespace)] };
    return [
      {
        ...typeDraft(range, { kind: 'range', also: range.casts.map((oid) => key('pg_cast', oid)) }),
        steps: [
          {
            key: self,
            facet: 'definition',
            section: 'pre-data',
            statements: () => [createRange(range), ...range.constructors.flatMap((made) => placeConstructor(range, made))],
            ...(range.canonical === null ? {} : { split: { cost: 1, early } }),
          },
        ],
      },
      multirangeObject(range),
      ...range.constructors.map((made) => constructorObject(range, made)),
    ];
  },
});
