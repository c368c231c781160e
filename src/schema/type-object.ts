// What the kinds of types (enum, domain, composite, range, base and shell types) have in common: the columns that every query of
// pg_type gives, the conditions on it, and the names under which a type is altered, commented on and granted.
import * as z from 'zod';
import { qualifiedName } from '../pg/quote.js';
import { type Key, key, type ObjectDraft } from './kind.js';
import { isNotMember, isUserSchema } from './ours.js';

export const typeRow = z.object({
  oid: z.number(),
  nspname: z.string(),
  typname: z.string(),
  owner: z.string(),
  typnamespace: z.number(),
  /** Its array type, or 0. */
  typarray: z.number(),
});

export type TypeRow = z.infer<typeof typeRow>;

/** Select list of `typeRow`, from pg_type as `t` and pg_namespace as `n`. */
export const typeColumns = 't.oid, n.nspname, t.typname, pg_get_userbyid(t.typowner) AS owner, t.typnamespace, t.typarray';

/** FROM and WHERE of `typeColumns`. More joins and conditions can follow. */
export function typesOfUser({ joins = '' }: { joins?: string } = {}): string {
  return `FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace ${joins}
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_type', 't.oid')}`;
}

/** `"schema"."type"` */
export function typeName({ nspname, typname }: TypeRow): string {
  return qualifiedName(nspname, typname);
}

export function typeKey({ oid }: TypeRow): Key {
  return key('pg_type', oid);
}

/** Everything of a type's draft but its steps. A type's array type is the type itself to whoever depends on it. */
export function typeDraft(
  row: TypeRow,
  { kind, word = 'TYPE', also = [] }: { kind: string; word?: 'TYPE' | 'DOMAIN'; also?: readonly Key[] },
) {
  const name = typeName(row);
  return {
    key: typeKey(row),
    kind,
    schema: row.nspname,
    name: row.typname,
    also: row.typarray === 0 ? also : [key('pg_type', row.typarray), ...also],
    ddl: `${word} ${name}`,
    // GRANT has no ON DOMAIN form in pg_dump's output; ON TYPE serves domains, too.
    grant: `TYPE ${name}`,
    owner: row.owner,
  } satisfies Omit<ObjectDraft, 'steps'>;
}
