// Access control lists: what has to be granted and revoked so that one list becomes another, with the same items in the same order.
// Pure; privileges.ts and default-privileges.ts read the lists.
// See "Privileges" in https://www.postgresql.org/docs/current/ddl-priv.html
import { quoteIdentifier } from '../../pg/quote.js';

/** One privilege out of aclexplode(). */
export interface Exploded {
  /** Null: there is no such role any more. */
  readonly grantor: string | null;
  /** Null: everybody where `granteeid` is 0, else no such role any more. */
  readonly grantee: string | null;
  readonly grantorid: number;
  readonly granteeid: number;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** What one role has granted to another. */
export interface AclItem {
  readonly grantor: string;
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  /** Without and with grant option, in the server's order. */
  readonly plain: readonly string[];
  readonly grantable: readonly string[];
}

/** SQL expression: the rows of a list in its order, as JSON, with role names. pg_roles, because pg_authid is for superusers.
 *  @param acl expression of type aclitem[] */
export function explodedSql(acl: string): string {
  return `coalesce((
    SELECT json_agg(json_build_object('grantor', gr.rolname, 'grantee', ge.rolname, 'grantorid', x.grantor::int8,
                                      'granteeid', x.grantee::int8, 'privilege', x.privilege_type, 'grantable', x.is_grantable)
                    ORDER BY x.place)
      FROM aclexplode(${acl}) WITH ORDINALITY AS x (grantor, grantee, privilege_type, is_grantable, place)
      LEFT JOIN pg_roles gr ON gr.oid = x.grantor
      LEFT JOIN pg_roles ge ON ge.oid = x.grantee), '[]')`;
}

/** Items in the order of the list. Roles that are gone cannot be granted anything: they are in `gone`, by OID. */
export function itemsOf(exploded: readonly Exploded[]): { readonly items: readonly AclItem[]; readonly gone: ReadonlySet<number> } {
  const items = new Map<string, { grantor: string; grantee: string | null; plain: string[]; grantable: string[] }>();
  const gone = new Set<number>();
  for (const { grantor, grantee, grantorid, granteeid, privilege, grantable } of exploded) {
    if (grantor === null) gone.add(grantorid);
    if (grantee === null && granteeid !== 0) gone.add(granteeid);
    if (grantor === null || (grantee === null && granteeid !== 0)) continue;
    const at = `${grantorid} ${granteeid}`;
    const item = items.get(at) ?? { grantor, grantee, plain: [], grantable: [] };
    items.set(at, item);
    (grantable ? item.grantable : item.plain).push(privilege);
  }
  return { items: [...items.values()], gone };
}

/** What the statements are about. */
export interface AclTarget {
  /** `ON TABLE "public"."t"`, or `ON TABLES` of default privileges. */
  readonly on: string;
  /** Privileges of a column of it. */
  readonly column?: string;
  /** Every privilege that there is for such an object on any server. */
  readonly all: readonly string[];
  readonly owner: string;
}

/** One GRANT or REVOKE, and whose it must be. */
export interface AclStatement {
  readonly grantor: string;
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  readonly text: string;
}

export interface AclChange {
  readonly target: AclTarget;
  readonly base: readonly AclItem[];
  readonly actual: readonly AclItem[];
  /** Items that the grantors' grant options may come from besides `base`: those of the table for a column. */
  readonly above?: readonly AclItem[];
}

/** Items of the base that are not among the actual ones are revoked as a whole, actual ones that are not in the base granted, the
 *  owner's own first, then in the order of the list: so the list that comes out has that order, too. */
export function changeAcl({ target, base, actual, above = [] }: AclChange): readonly AclStatement[] {
  const kept = without(base, without(base, actual));
  // From the back: who got a grant option gave it on afterwards.
  const revoked = without(base, actual).toReversed();
  const granted = without(actual, base);
  const own = granted.filter(({ grantor, grantee }) => grantor === target.owner && grantee === grantor);
  const others = granted.filter((item) => !own.includes(item));
  return [
    ...revoked.map((item) => ({ grantor: item.grantor, grantee: item.grantee, text: revokeText(item, target) })),
    ...inGrantOrder([...own, ...others], { owner: target.owner, held: [...kept, ...above] }).flatMap((item) => grantTexts(item, target)),
  ];
}

/** SET ROLE around what another role than the owner has granted. A GRANT is recorded as the owner's when a superuser or a member of the
 *  owner runs it, and GRANTED BY names the current role at most. Not SET SESSION AUTHORIZATION, which is for superusers only. */
export function asGrantors(statements: readonly AclStatement[], owner: string): readonly string[] {
  const texts: string[] = [];
  let role = owner;
  const become = (next: string) => {
    if (next === role) return;
    if (role !== owner) texts.push('RESET ROLE');
    if (next !== owner) texts.push(`SET ROLE ${quoteIdentifier(next)}`);
    role = next;
  };
  for (const { grantor, text } of statements) {
    become(grantor);
    texts.push(text);
  }
  become(owner);
  return texts;
}

/** The roles that the statements name once they are run by asGrantors. */
export function rolesOf(statements: readonly AclStatement[], owner: string): readonly string[] {
  const named = statements.flatMap(({ grantor, grantee }) => [
    ...(grantor === owner ? [] : [grantor]),
    ...(grantee === null ? [] : [grantee]),
  ]);
  return [...new Set(named)];
}

/** The items that the other list does not have in exactly this form. */
export function without(items: readonly AclItem[], others: readonly AclItem[]): readonly AclItem[] {
  const identity = ({ grantor, grantee, plain, grantable }: AclItem) => JSON.stringify([grantor, grantee, plain, grantable]);
  const known = new Set(others.map(identity));
  return items.filter((item) => !known.has(identity(item)));
}

/** Nobody grants before he holds the grant option. The order of the list says so nearly always; not where a grant option was granted
 *  a second time by somebody else, and then revoked by the first. */
function inGrantOrder(items: readonly AclItem[], { owner, held }: { owner: string; held: readonly AclItem[] }): readonly AclItem[] {
  const options = new Set(held.flatMap(optionsOf));
  const waiting = [...items];
  const ordered: AclItem[] = [];
  while (waiting.length > 0) {
    const may = ({ grantor, plain, grantable }: AclItem) =>
      grantor === owner || [...plain, ...grantable].every((privilege) => options.has(`${privilege} ${grantor}`));
    const [item] = waiting.splice(Math.max(waiting.findIndex(may), 0), 1);
    if (item === undefined) break;
    ordered.push(item);
    for (const option of optionsOf(item)) options.add(option);
  }
  return ordered;
}

function optionsOf({ grantee, grantable }: AclItem): string[] {
  return grantable.map((privilege) => `${privilege} ${grantee}`);
}

function roleText(role: string | null): string {
  return role === null ? 'PUBLIC' : quoteIdentifier(role);
}

function columnText({ column }: AclTarget): string {
  return column === undefined ? '' : ` (${quoteIdentifier(column)})`;
}

function listed(privileges: readonly string[], target: AclTarget): string {
  return privileges.map((privilege) => `${privilege}${columnText(target)}`).join(', ');
}

/** A source before 17 knows no MAINTAIN: there ALL would say more on a newer server. Nobody was granted that, and an owner who gave up
 *  something else has it still, as after pg_dump of 17 or later. */
function revokeText({ grantee, plain, grantable }: AclItem, target: AclTarget): string {
  const privileges = [...plain, ...grantable];
  const some = target.all.includes('MAINTAIN') && !privileges.includes('MAINTAIN');
  return `REVOKE ${listed(some ? privileges : ['ALL'], target)} ${target.on} FROM ${roleText(grantee)}`;
}

function grantTexts({ grantor, grantee, plain, grantable }: AclItem, target: AclTarget): readonly AclStatement[] {
  const text = (privileges: readonly string[], option: string): AclStatement => {
    const all = target.all.every((privilege) => privileges.includes(privilege));
    return { grantor, grantee, text: `GRANT ${listed(all ? ['ALL'] : privileges, target)} ${target.on} TO ${roleText(grantee)}${option}` };
  };
  return [...(plain.length > 0 ? [text(plain, '')] : []), ...(grantable.length > 0 ? [text(grantable, ' WITH GRANT OPTION')] : [])];
}

/** By type as acldefault() has it. */
const every: Readonly<Record<string, readonly string[]>> = {
  r: ['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN'],
  s: ['SELECT', 'UPDATE', 'USAGE'],
  c: ['INSERT', 'SELECT', 'UPDATE', 'REFERENCES'],
  f: ['EXECUTE'],
  l: ['USAGE'],
  n: ['USAGE', 'CREATE'],
  F: ['USAGE'],
  S: ['USAGE'],
  T: ['USAGE'],
  L: ['SELECT', 'UPDATE'],
  t: ['CREATE'],
  p: ['SET', 'ALTER SYSTEM'],
};

/** Every privilege of a type of object. */
export function allPrivileges(type: string): readonly string[] {
  return every[type] ?? [];
}
