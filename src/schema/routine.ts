// Functions and procedures, which differ in little more than the word: the server writes the whole definition (pg_get_functiondef).
// Bodies in the SQL standard's form are parsed when they are created and have dependencies like a view's; such a routine can be made
// in two parts, first with the same signature and an empty string for a body.
import * as z from 'zod';
import { qualifiedName } from '../pg/quote.js';
import { extensionDependency, extensionDependencyKey } from './extension-dependency.js';
import { defineKind, type Key, type Kind, key, type Server, type Split } from './kind.js';
import type { Mark } from './marks.js';
import { referencedBy } from './node-tree.js';
import { isNotMember, isUserSchema } from './ours.js';
import { dependsOnExtensions } from './relation-sql.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  proname: z.string(),
  owner: z.string(),
  pronamespace: z.number(),
  /** Types of the arguments that identify it among its namesakes. */
  types: z.string(),
  /** What ALTER, COMMENT and GRANT call its arguments. */
  identity: z.string(),
  definition: z.string(),
  /** A body in the SQL standard's form, as `definition` ends with it. */
  body: z.string().nullable(),
  /** Types of all arguments and of the result. */
  signature: z.array(z.number()),
  prolang: z.number(),
  prosupport: z.number(),
  protrftypes: z.array(z.number()),
  /** The transforms of those types for its language; not every server has them in pg_depend where the type is not in the signature. */
  transforms: z.array(z.number()),
  proargdefaults: z.string().nullable(),
  extensions: z.array(z.string()),
});

type Routine = z.infer<typeof row>;

/** Types of the input arguments, separated by commas. */
export const inputTypes = `(SELECT coalesce(string_agg(format_type(a.type, NULL), ', ' ORDER BY a.place), '')
              FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, place))`;

/** FROM and WHERE of routines of the user, from pg_proc as `p` and pg_namespace as `n`. Constructors of ranges depend internally on
 *  their type, which makes them.
 *  @param kinds values of `prokind` */
export function routinesOfUser(kinds: string, { joins = '' }: { joins?: string } = {}): string {
  return `FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace ${joins}
     WHERE p.prokind IN (${kinds}) AND ${isUserSchema('n')} AND ${isNotMember('pg_proc', 'p.oid')}
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')`;
}

function query(kinds: string, server: Server): string {
  return `
    SELECT p.oid, n.nspname, p.proname, pg_get_userbyid(p.proowner) AS owner, p.pronamespace, ${inputTypes} AS types,
           pg_get_function_identity_arguments(p.oid) AS identity, pg_get_functiondef(p.oid) AS definition,
           CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END AS body,
           coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype AS signature,
           p.prolang, p.prosupport::oid AS prosupport, coalesce(p.protrftypes, '{}') AS protrftypes,
           ARRAY(SELECT f.oid FROM pg_transform f WHERE f.trflang = p.prolang AND f.trftype = ANY (p.protrftypes)) AS transforms,
           p.proargdefaults::text,
           ${dependsOnExtensions('pg_proc', 'p.oid', server)} AS extensions
      ${routinesOfUser(kinds)}
     ORDER BY p.oid`;
}

function transformNeeds({ transforms }: Routine): Key[] {
  return transforms.map((oid) => key('pg_transform', oid));
}

function signatureNeeds(routine: Routine): Key[] {
  const { pronamespace, signature, protrftypes, prolang, prosupport, proargdefaults } = routine;
  return [
    key('pg_namespace', pronamespace),
    ...[...signature, ...protrftypes].map((type) => key('pg_type', type)),
    ...transformNeeds(routine),
    key('pg_language', prolang),
    key('pg_proc', prosupport),
    ...(proargdefaults === null ? [] : referencedBy(proargdefaults)),
  ];
}

/** A routine without a parsed body can only wait for what its signature needs, such as the row type of a materialized view that itself
 *  waits for a primary key. */
function splitOf(routine: Routine): Split {
  const { definition, body } = routine;
  if (body === null) return { cost: 7, early: null };
  const end = definition.lastIndexOf(body);
  // Keeps everything but the body: an index expression or a generated column that is made meanwhile looks at the volatility. Defaults
  // stay, too: CREATE OR REPLACE can add, not remove them, and calls that leave arguments out must resolve.
  const placeholder = `${definition.slice(0, end)}AS ''`;
  return { cost: 5, early: { statements: [placeholder], needs: signatureNeeds(routine) } };
}

/** The kind of routines with these values of `prokind`. */
export function defineRoutineKind({
  name,
  word,
  prokinds,
  only,
}: {
  name: string;
  word: 'FUNCTION' | 'PROCEDURE';
  prokinds: string;
  only: readonly Mark[];
}): Kind<unknown> {
  return defineKind({
    name,
    only,
    row,
    query: (server) => query(prokinds, server),
    objects(routine) {
      const self = key('pg_proc', routine.oid);
      const ddl = `${word} ${qualifiedName(routine.nspname, routine.proname)}(${routine.identity})`;
      return [
        {
          key: self,
          kind: name,
          schema: routine.nspname,
          name: `${routine.proname}(${routine.types})`,
          ddl,
          grant: ddl,
          owner: routine.owner,
          steps: [
            {
              key: self,
              facet: 'definition',
              section: 'pre-data',
              needs: transformNeeds(routine),
              statements: () => [routine.definition],
              split: splitOf(routine),
            },
            ...extensionDependency(self, { ddl, section: 'pre-data', extensions: routine.extensions }),
          ],
          charge: ({ type }) => (type === 'x' ? extensionDependencyKey(self) : self),
        },
      ];
    },
  });
}
