// ALTER DEFAULT PRIVILEGES: what objects will be given when a role makes them. Those for all schemas are told as the difference from the
// built-in default, which they replace; those for one schema come on top, so they begin with nothing. They are set with the
// privileges, after every object is there, or what the restore makes would be given them.
import type { LeftOut } from '../../model/manifest.js';
import { quoteIdentifier } from '../../pg/quote.js';
import { type FacetContext, type FacetReader, type FacetResult, key, type ObjectDraft } from '../kind.js';
import { allPrivileges, changeAcl, type Exploded, explodedSql, itemsOf, rolesOf } from './acl.js';

interface Row extends Record<string, unknown> {
  readonly oid: number;
  /** Null: there is no such role any more. */
  readonly rolname: string | null;
  readonly defaclnamespace: number;
  readonly nspname: string | null;
  readonly defaclobjtype: string;
  readonly actual: readonly Exploded[];
  readonly base: readonly Exploded[];
}

const words: Readonly<Record<string, string>> = {
  r: 'TABLES',
  S: 'SEQUENCES',
  f: 'FUNCTIONS',
  T: 'TYPES',
  n: 'SCHEMAS',
  L: 'LARGE OBJECTS',
};

/** acldefault() calls a sequence s, and S a foreign server; that of a column is empty. */
const query = `
  SELECT d.oid, r.rolname, d.defaclnamespace, n.nspname, d.defaclobjtype::text AS defaclobjtype, ${explodedSql('d.defaclacl')} AS actual,
         ${explodedSql(`acldefault(CASE WHEN d.defaclnamespace <> 0 THEN 'c' WHEN d.defaclobjtype = 'S' THEN 's' ELSE d.defaclobjtype END,
                               d.defaclrole)`)} AS base
    FROM pg_default_acl d
    LEFT JOIN pg_roles r ON r.oid = d.defaclrole
    LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
   ORDER BY d.oid`;

function draft({ oid, rolname, nspname, defaclobjtype }: Row): ObjectDraft {
  const role = rolname ?? 'a role that does not exist any more';
  const schema = nspname === null ? '' : ` IN SCHEMA ${quoteIdentifier(nspname)}`;
  return {
    key: key('pg_default_acl', oid),
    kind: 'default privileges',
    ...(nspname === null ? {} : { schema: nspname }),
    name: `${words[defaclobjtype]?.toLowerCase()} of ${role}`,
    steps: [],
    ddl: `DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)}${schema} ${words[defaclobjtype]}`,
  };
}

/** The statements, and the roles that they name. */
function change(row: Row, owner: string): { statements: readonly string[]; roles: readonly string[] } {
  const schema = row.nspname === null ? '' : ` IN SCHEMA ${quoteIdentifier(row.nspname)}`;
  const type = row.defaclobjtype === 'S' ? 's' : row.defaclobjtype;
  const made = changeAcl({
    target: { on: `ON ${words[row.defaclobjtype]}`, all: allPrivileges(type), owner },
    base: itemsOf(row.base).items,
    actual: itemsOf(row.actual).items,
  });
  const statements = made.map(({ text }) => `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(owner)}${schema} ${text}`);
  return { statements, roles: [...new Set([owner, ...rolesOf(made, owner)])] };
}

async function read({ query: run }: FacetContext): Promise<FacetResult> {
  const steps: FacetResult['steps'][number][] = [];
  const objects: ObjectDraft[] = [];
  const leftOut: LeftOut[] = [];
  for (const row of await run<Row>(query)) {
    const object = draft(row);
    objects.push(object);
    const gone = [...itemsOf(row.actual).gone].map((oid) => `the role with OID ${oid} does not exist any more`);
    if (row.rolname === null) gone.splice(0, gone.length, 'their role does not exist any more');
    leftOut.push(...gone.map((reason) => ({ kind: object.kind, name: object.ddl, reason })));
    if (row.rolname === null) continue;
    const { statements, roles } = change(row, row.rolname);
    const needs = row.defaclnamespace === 0 ? [] : [key('pg_namespace', row.defaclnamespace)];
    const step = { facet: 'privilege', section: 'post-data', needs, statements: () => statements, roles } as const;
    steps.push({ object: object.key, step: { key: `${object.key}/privileges`, ...step } });
  }
  return { steps, objects, leftOut };
}

export const defaultPrivileges: FacetReader = { name: 'default-privileges', only: ['pg_default_acl'], read };
