// The operators and functions of operator families (rows of pg_amop and pg_amproc): how they are called in CREATE OPERATOR CLASS and
// ALTER OPERATOR FAMILY, and whose they are. pg_depend ties a member to its class, with which it is made, or to its family ("loose");
// which one is for the access method to say. See amadjustmembers in https://www.postgresql.org/docs/current/index-functions.html
import * as z from 'zod';
import type { Key, Server } from './kind.js';
import { key } from './kind.js';
import { firstNormalOid, isNotMember, isUserSchema } from './ours.js';

export const memberRow = z.object({
  catalog: z.enum(['pg_amop', 'pg_amproc']),
  oid: z.number(),
  /** Strategy or number of the support function. */
  number: z.number(),
  /** OID of the operator or function. */
  target: z.number(),
  /** With the types of its arguments. */
  name: z.string(),
  lefttype: z.string(),
  righttype: z.string(),
  /** Qualified; of an ordering operator. */
  sortfamily: z.string().nullable(),
});

export type Member = z.infer<typeof memberRow>;

export function memberKey({ catalog, oid }: Pick<Member, 'catalog' | 'oid'>): Key {
  return key(catalog, oid);
}

/** Expression: the columns of `memberRow` as JSON, for a row `m` of `membersSelect`. */
export const memberJson = `json_build_object('catalog', m.catalog, 'oid', m.oid::int8, 'number', m.number, 'target', m.target::int8, 'name', m.name,
                         'lefttype', m.lefttype, 'righttype', m.righttype, 'sortfamily', m.sortfamily)`;

/** The operators among them, where the parser asks for members: to sort and to hash. */
export function sortingOperators(members: readonly Member[], amname: string): readonly Key[] {
  if (amname !== 'btree' && amname !== 'hash') return [];
  return members.flatMap(({ catalog, target }) => (catalog === 'pg_amop' ? [key('pg_operator', target)] : []));
}

/** `OPERATOR 1 "s".< (integer, integer)`, `FUNCTION 1 (integer, integer) "s"."compare"(integer, integer)` */
export function memberText({ catalog, number, name, lefttype, righttype, sortfamily }: Member): string {
  // An operator is a member for the types of its own arguments, a function for those that are said.
  if (catalog === 'pg_amproc') return `FUNCTION ${number} (${lefttype}, ${righttype}) ${name}`;
  return `OPERATOR ${number} ${name}${sortfamily === null ? '' : ` FOR ORDER BY ${sortfamily}`}`;
}

/** Condition: an object of the user's, not of the server's or an extension's. */
function isUserMade(catalog: string, oid: string): string {
  return `(${oid} >= ${firstNormalOid} AND ${isNotMember(catalog, oid)})`;
}

/** The same for a type. An array or row type is as its element or table, so it says nothing. */
function isUserType(oid: string): string {
  return (
    `(${isUserMade('pg_type', oid)} AND NOT EXISTS (SELECT FROM pg_depend i ` +
    `WHERE i.classid = 'pg_type'::regclass AND i.objid = ${oid} AND i.deptype = 'i'))`
  );
}

interface Source {
  readonly catalog: Member['catalog'];
  readonly prefix: 'amop' | 'amproc';
  readonly number: string;
  readonly name: string;
  readonly target: string;
  readonly targetCatalog: string;
  readonly sortfamily: string;
}

const sources: readonly Source[] = [
  {
    catalog: 'pg_amop',
    prefix: 'amop',
    number: 'm.amopstrategy',
    name: 'm.amopopr::regoperator::text',
    target: 'm.amopopr',
    targetCatalog: 'pg_operator',
    sortfamily: `(SELECT quote_ident(sn.nspname) || '.' || quote_ident(s.opfname) FROM pg_opfamily s
                   JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = m.amopsortfamily)`,
  },
  {
    catalog: 'pg_amproc',
    prefix: 'amproc',
    number: 'm.amprocnum',
    name: 'm.amproc::regprocedure::text',
    // Of type regproc.
    target: 'm.amproc::oid',
    targetCatalog: 'pg_proc',
    sortfamily: 'NULL',
  },
];

const membersSelect = sources
  .map(
    ({ catalog, prefix, number, name, target, targetCatalog, sortfamily }) => `
    SELECT q.*, CASE WHEN q.ourfamily THEN false
                     WHEN q.targetours <> 0 OR q.typeours <> 0 THEN q.extensionclass
                     ELSE q.extensionclass OR q.extensionfamily OR q.extensiontarget END AS theirs
      FROM (
        SELECT '${catalog}' AS catalog, m.oid, ${number} AS number, ${name} AS name, format_type(m.${prefix}lefttype, NULL) AS lefttype,
               format_type(m.${prefix}righttype, NULL) AS righttype, ${sortfamily} AS sortfamily, m.${prefix}family AS family,
               m.${prefix}lefttype AS leftoid, m.${prefix}righttype AS rightoid, '${targetCatalog}' AS targetcatalog, ${target} AS target,
               CASE WHEN c.oid IS NOT NULL AND ${isUserSchema('cn')} AND ${isNotMember('pg_opclass', 'c.oid')} THEN c.oid END AS class,
               CASE WHEN ${isUserMade(targetCatalog, target)} THEN ${target} ELSE 0 END AS targetours,
               CASE WHEN ${isUserType(`m.${prefix}lefttype`)} THEN m.${prefix}lefttype
                    WHEN ${isUserType(`m.${prefix}righttype`)} THEN m.${prefix}righttype ELSE 0 END AS typeours,
               ${isUserSchema('fn')} AND ${isNotMember('pg_opfamily', 'f.oid')} AS ourfamily,
               c.oid IS NOT NULL AND NOT ${isNotMember('pg_opclass', 'c.oid')} AS extensionclass,
               NOT ${isNotMember('pg_opfamily', 'f.oid')} AS extensionfamily,
               NOT ${isNotMember(targetCatalog, target)} AS extensiontarget
          FROM ${catalog} m
          JOIN pg_opfamily f ON f.oid = m.${prefix}family
          JOIN pg_namespace fn ON fn.oid = f.opfnamespace
          LEFT JOIN pg_depend d ON d.classid = '${catalog}'::regclass AND d.objid = m.oid AND d.refclassid = 'pg_opclass'::regclass
          LEFT JOIN pg_opclass c ON c.oid = d.refobjid
          LEFT JOIN pg_namespace cn ON cn.oid = c.opcnamespace
         -- Older servers leave support functions behind whose type was dropped.
         WHERE m.oid >= ${firstNormalOid} AND EXISTS (SELECT FROM pg_type t WHERE t.oid = m.${prefix}lefttype)
           AND EXISTS (SELECT FROM pg_type t WHERE t.oid = m.${prefix}righttype)) q`,
  )
  .join('\n    UNION ALL');

/** The same columns and no row. */
const noMembers = `
    SELECT '' AS catalog, 0::oid AS oid, 0 AS number, '' AS name, '' AS lefttype, '' AS righttype, NULL::text AS sortfamily, 0::oid AS family,
           0::oid AS leftoid, 0::oid AS rightoid, '' AS targetcatalog, 0::oid AS target, 0::oid AS class, 0::oid AS targetours, 0::oid AS typeours,
           false AS ourfamily, false AS extensionclass, false AS extensionfamily, false AS extensiontarget, false AS theirs
     WHERE false`;

/** Expression: whether membersOf() may have a row. */
export const familyMembersExist = `(EXISTS (SELECT FROM pg_amop WHERE oid >= ${firstNormalOid}) OR EXISTS (SELECT FROM pg_amproc WHERE oid >= ${firstNormalOid}))`;

/** One SELECT of all members made after initdb, with the columns of `memberRow`; further `family`, `leftoid`, `rightoid`, `targetcatalog`,
 *  `class` (a class of the user's that it is made with, or null), `targetours`, `typeours`
 *  (an OID or 0: the operator, function or type where it is the user's own), `ourfamily`, and `theirs`: an extension made it.
 *  Planning it took a third of what the whole schema took, on a server that has no members but its own, so it is asked for only where
 *  there are others. */
export function membersOf({ familyMembers }: Pick<Server, 'familyMembers'>): string {
  return familyMembers ? membersSelect : noMembers;
}
