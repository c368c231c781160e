// Operators. Commutator and negator point at each other, whichever is made first: the server makes a shell of the one that is not there
// yet, and the later CREATE OPERATOR fills it in. A shell that nobody filled in comes with the operator that names it.
// See https://www.postgresql.org/docs/current/xoper-optimization.html
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { operatorName, routineName } from '../operator-sql.js';
import { firstNormalOid, isNotMember, isUserSchema } from '../ours.js';

/** Commutator or negator. */
const partner = z.object({ oid: z.number(), oprnamespace: z.number(), name: z.string() });

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  oprname: z.string(),
  owner: z.string(),
  /** Null for a prefix operator. */
  lefttype: z.string().nullable(),
  righttype: z.string(),
  oprcanmerge: z.boolean(),
  oprcanhash: z.boolean(),
  /** Null for a shell. */
  code: z.string().nullable(),
  commutator: partner.nullable(),
  negator: partner.nullable(),
  rest: z.string().nullable(),
  join: z.string().nullable(),
  /** An operator that names this one: of a shell. */
  namer: z.number().nullable(),
  /** Operators that must be there first, for the sake of the links. */
  after: z.array(z.number()),
});

type Operator = z.infer<typeof row>;

function options({ code, lefttype, righttype, commutator, negator, rest, join, oprcanhash, oprcanmerge }: Operator): string {
  const list: string[] = [];
  const put = (option: string, value: string | null | undefined) => {
    if (value != null) list.push(`${option} = ${value}`);
  };
  put('FUNCTION', code);
  put('LEFTARG', lefttype);
  put('RIGHTARG', righttype);
  put('COMMUTATOR', commutator?.name);
  put('NEGATOR', negator?.name);
  put('RESTRICT', rest);
  put('JOIN', join);
  if (oprcanhash) list.push('HASHES');
  if (oprcanmerge) list.push('MERGES');
  return list.join(', ');
}

function partnerColumn(link: string): string {
  return `(SELECT json_build_object('oid', x.oid::int8, 'oprnamespace', x.oprnamespace::int8, 'name', ${operatorName('x.oid')})
              FROM pg_operator x WHERE x.oid = ${link})`;
}

/** A link that is not answered can only be made while the other operator is a shell: later the server answers it, or refuses it since 17
 *  where the other has answered somebody else. So what is named without naming back comes after its namers, and its own partner after
 *  it. Only operators whose own links are answered wait, so that none can wait for itself. */
const links = `
  links AS MATERIALIZED (
    SELECT o.oid, x.oid AS other, o.oid = CASE l.link WHEN 'c' THEN x.oprcom ELSE x.oprnegate END AS answered
      FROM pg_operator o
     CROSS JOIN LATERAL (VALUES ('c', o.oprcom), ('n', o.oprnegate)) l (link, other)
      JOIN pg_operator x ON x.oid = l.other AND x.oid <> o.oid
     WHERE o.oid >= ${firstNormalOid} AND x.oid >= ${firstNormalOid} AND o.oprcode <> 0 AND x.oprcode <> 0),
  vain AS (SELECT oid, other FROM links WHERE NOT answered),
  named AS (SELECT other AS oid, oid AS namer FROM vain WHERE other NOT IN (SELECT oid FROM vain)),
  waiting AS (
    SELECT oid, namer AS first FROM named
     UNION
    SELECT l.oid, l.other FROM links l
     WHERE l.answered AND l.other IN (SELECT oid FROM named) AND l.oid NOT IN (SELECT oid FROM vain UNION SELECT oid FROM named))`;

/** Its function may need a primary key: then the operator, too, comes after the rows. */
const late = { cost: 7, early: null } as const;

export const operator = defineKind({
  name: 'operator',
  only: ['pg_operator'],
  row,
  query: () => `
    WITH ${links}
    SELECT o.oid, n.nspname, o.oprname, pg_get_userbyid(o.oprowner) AS owner,
           CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END AS lefttype, format_type(o.oprright, NULL) AS righttype,
           o.oprcanmerge, o.oprcanhash, ${routineName('o.oprcode')} AS code, ${partnerColumn('o.oprcom')} AS commutator,
           ${partnerColumn('o.oprnegate')} AS negator, ${routineName('o.oprrest')} AS rest, ${routineName('o.oprjoin')} AS join,
           namer.oid AS namer, ARRAY(SELECT w.first FROM waiting w WHERE w.oid = o.oid ORDER BY w.first) AS after
      FROM pg_operator o
      JOIN pg_namespace n ON n.oid = o.oprnamespace
      LEFT JOIN LATERAL (
        SELECT min(x.oid) AS oid FROM pg_operator x
         WHERE o.oprcode = 0 AND x.oprcode <> 0 AND o.oid IN (x.oprcom, x.oprnegate) AND ${isNotMember('pg_operator', 'x.oid')}) namer ON true
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_operator', 'o.oid')} AND (o.oprcode <> 0 OR namer.oid IS NOT NULL)
     ORDER BY o.oid`,
  objects(operator) {
    const { oid, nspname, oprname, owner, lefttype, righttype, code, namer, after } = operator;
    const self = key('pg_operator', oid);
    const types = `${lefttype ?? 'NONE'}, ${righttype}`;
    // Operators are not quoted: no character of theirs could be in a name.
    const bare = `${quoteIdentifier(nspname)}.${oprname}`;
    const ddl = `OPERATOR ${bare} (${types})`;
    const draft = { key: self, kind: 'operator', schema: nspname, name: `${oprname} (${types})`, ddl, owner };
    if (code === null && namer !== null) {
      // Its namer makes it; for --clean it has to be dropped by itself.
      const made = key('pg_operator', namer);
      const step = { key: self, facet: 'definition', section: 'pre-data', needs: [made], statements: () => [], split: late } as const;
      return [{ ...draft, parent: made, drop: ddl, steps: [step] }];
    }
    const partners = [operator.commutator, operator.negator].filter((other) => other !== null && other.oid !== oid);
    const steps: StepDraft[] = [
      {
        key: self,
        facet: 'definition',
        section: 'pre-data',
        needs: [
          ...partners.flatMap((other) => (other === null ? [] : [key('pg_namespace', other.oprnamespace)])),
          ...after.map((first) => key('pg_operator', first)),
        ],
        statements: () => [`CREATE OPERATOR ${bare} (${options(operator)})`],
        split: late,
      },
    ];
    if (partners.length > 0) {
      // Nothing to run: whoever selects one of them gets the others, not shells of them.
      const needs = partners.flatMap((other) => (other === null ? [] : [key('pg_operator', other.oid)]));
      steps.push({ key: `${self}/partners`, facet: 'definition', section: 'pre-data', needs, statements: () => [] });
    }
    return [{ ...draft, steps }];
  },
});
