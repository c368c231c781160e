// Loose members of operator families: operators and functions that belong to the family and to no class of it. Also those that the user
// added to a family of the server's or of an extension's, which pg_dump leaves behind.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { memberKey, memberRow, membersOf, memberText, sortingOperators } from '../family-members.js';
import { defineKind, type Key, key, type ObjectDraft, type StepDraft } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = memberRow.extend({
  family: z.number(),
  nspname: z.string(),
  opfname: z.string(),
  amname: z.string(),
  ourfamily: z.boolean(),
  leftoid: z.number(),
  rightoid: z.number(),
  targetcatalog: z.string(),
  /** OIDs, or 0. */
  targetours: z.number(),
  typeours: z.number(),
  /** A class of the user's, in the same family for the same type; or 0. */
  classours: z.number(),
  /** Members of the same family, where it is not ours, of which nothing is ours. */
  siblings: z.array(memberRow.pick({ catalog: true, oid: true })),
});

type Row = z.infer<typeof row>;

/** What it comes and goes with: its family, if that is ours. Else what of it is ours: then whoever needs that gets the member, too, as a
 *  foreign key between two types needs more than the operator alone. */
function parentOf({ ourfamily, family, classours, targetours, targetcatalog, typeours }: Row): Key | undefined {
  if (ourfamily) return key('pg_opfamily', family);
  if (classours !== 0) return key('pg_opclass', classours);
  if (targetours !== 0) return key(targetcatalog, targetours);
  return typeours === 0 ? undefined : key('pg_type', typeours);
}

/** Nothing to run: nobody refers to a member of which nothing is ours, so whoever selects one that is gets these, too. */
function takeAlong(own: Key, siblings: Row['siblings']): StepDraft {
  const needs = siblings.map((sibling) => nobodysStep(memberKey(sibling)));
  return { key: `${own}/siblings`, facet: 'definition', section: 'pre-data', needs, statements: () => [] };
}

/** Not its own key, so that it has no DROP: nothing of it is ours, and it cannot be dropped by itself. */
function nobodysStep(own: Key): Key {
  return `${own}/member`;
}

export const operatorFamilyMember = defineKind({
  name: 'operator-family-member',
  only: ['pg_amop', 'pg_amproc'],
  row,
  query: (server) => `
    WITH members AS MATERIALIZED (${membersOf(server)})
    SELECT o.*, n.nspname, f.opfname, a.amname,
           coalesce((SELECT min(c.oid) FROM pg_opclass c JOIN pg_namespace cn ON cn.oid = c.opcnamespace
                      WHERE c.opcfamily = o.family AND c.opcintype = o.leftoid AND o.rightoid = o.leftoid
                        AND ${isUserSchema('cn')} AND ${isNotMember('pg_opclass', 'c.oid')}), 0::oid) AS classours,
           coalesce((SELECT json_agg(json_build_object('catalog', m.catalog, 'oid', m.oid::int8) ORDER BY m.catalog, m.oid) FROM members m
                      WHERE m.family = o.family AND NOT m.ourfamily AND m.class IS NULL AND NOT m.theirs
                        AND m.targetours = 0 AND m.typeours = 0), '[]') AS siblings
      FROM (SELECT * FROM members WHERE class IS NULL AND NOT theirs) o
      JOIN pg_opfamily f ON f.oid = o.family
      JOIN pg_namespace n ON n.oid = f.opfnamespace
      JOIN pg_am a ON a.oid = f.opfmethod
     ORDER BY o.catalog, o.oid`,
  objects(member) {
    const { nspname, opfname, amname, family, leftoid, rightoid, siblings } = member;
    const own = memberKey(member);
    const parent = parentOf(member);
    const text = memberText(member);
    const bare = `${qualifiedName(nspname, opfname)} USING ${quoteIdentifier(amname)}`;
    const draft: Omit<ObjectDraft, 'steps'> = {
      key: own,
      kind: 'operator-family-member',
      schema: nspname,
      name: `${opfname} USING ${amname}: ${text}`,
      ddl: `MEMBER OF OPERATOR FAMILY ${bare}: ${text}`,
      usedThrough: sortingOperators([member], amname),
      ...(parent === undefined ? {} : { parent }),
    };
    const step = parent === undefined ? nobodysStep(own) : own;
    return [
      {
        ...draft,
        steps: [
          {
            key: step,
            facet: 'definition',
            section: 'pre-data',
            // Not every server notes the types.
            needs: [key('pg_opfamily', family), key('pg_type', leftoid), key('pg_type', rightoid)],
            statements: () => [`ALTER OPERATOR FAMILY ${bare} ADD ${text}`],
            split: { cost: 7, early: null },
          },
          ...(parent === undefined || siblings.length === 0 ? [] : [takeAlong(own, siblings)]),
        ],
        charge: () => step,
      },
    ];
  },
});
