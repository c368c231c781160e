// Operator classes, with the members that are tied to them. What uses a class (an index, the key of a partitioned table, a range type)
// may use any member of its family for the class's type, so these come first: a hash function for partitions, say, is always loose.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { memberJson, memberKey, memberRow, membersOf, memberText, sortingOperators } from '../family-members.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  opcname: z.string(),
  owner: z.string(),
  amname: z.string(),
  opcdefault: z.boolean(),
  intype: z.string(),
  /** Null: stores what it is for. */
  keytype: z.string().nullable(),
  familyschema: z.string(),
  opfname: z.string(),
  members: z.array(memberRow),
  /** Loose members of its family for its type. */
  loose: z.array(memberRow),
});

type OperatorClass = z.infer<typeof row>;

function createClass({ opcdefault, intype, keytype, amname, familyschema, opfname, members }: OperatorClass, ddl: string): string {
  const items = members.map(memberText);
  // Something must be said: where it is the type itself it means nothing.
  if (keytype !== null || items.length === 0) items.push(`STORAGE ${keytype ?? intype}`);
  const family = qualifiedName(familyschema, opfname);
  const isDefault = opcdefault ? ' DEFAULT' : '';
  return `CREATE ${ddl}${isDefault} FOR TYPE ${intype} USING ${quoteIdentifier(amname)} FAMILY ${family} AS ${items.join(', ')}`;
}

export const operatorClass = defineKind({
  name: 'operator-class',
  only: ['pg_opclass'],
  row,
  query: (server) => `
    WITH members AS MATERIALIZED (${membersOf(server)}),
    tied AS (
      SELECT m.class, json_agg(${memberJson} ORDER BY m.catalog, m.number, m.lefttype, m.righttype) AS list
        FROM members m GROUP BY m.class)
    SELECT c.oid, n.nspname, c.opcname, pg_get_userbyid(c.opcowner) AS owner, a.amname, c.opcdefault,
           format_type(c.opcintype, NULL) AS intype, CASE WHEN c.opckeytype <> 0 THEN format_type(c.opckeytype, NULL) END AS keytype,
           fn.nspname AS familyschema, f.opfname, coalesce(t.list, '[]') AS members,
           coalesce((SELECT json_agg(${memberJson} ORDER BY m.catalog, m.oid) FROM members m
                      WHERE m.family = c.opcfamily AND m.leftoid = c.opcintype AND m.rightoid = c.opcintype AND m.class IS NULL), '[]') AS loose
      FROM pg_opclass c
      JOIN pg_namespace n ON n.oid = c.opcnamespace
      JOIN pg_am a ON a.oid = c.opcmethod
      JOIN pg_opfamily f ON f.oid = c.opcfamily
      JOIN pg_namespace fn ON fn.oid = f.opfnamespace
      LEFT JOIN tied t ON t.class = c.oid
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_opclass', 'c.oid')}
     ORDER BY c.oid`,
  objects(operatorClass) {
    const { oid, nspname, opcname, owner, amname, members, loose } = operatorClass;
    const self = key('pg_opclass', oid);
    const bare = `OPERATOR CLASS ${qualifiedName(nspname, opcname)}`;
    const ddl = `${bare} USING ${quoteIdentifier(amname)}`;
    return [
      {
        key: self,
        kind: 'operator-class',
        schema: nspname,
        name: `${opcname} USING ${amname}`,
        also: members.map(memberKey),
        usedThrough: sortingOperators([...members, ...loose], amname),
        ddl,
        owner,
        steps: [
          {
            key: self,
            facet: 'definition',
            section: 'pre-data',
            needs: loose.map(memberKey),
            statements: () => [createClass(operatorClass, bare)],
            split: { cost: 7, early: null },
          },
        ],
      },
    ];
  },
});
