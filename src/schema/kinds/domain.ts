// Domains and their constraints. A constraint is an object of its own, so that it can have a comment and be created later: by itself
// in a loop (a CHECK that calls a function over the domain), after the rows where it is NOT VALID. The default can be set later, too.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, type Form, type Key, key, type ObjectDraft, type StepDraft } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

const constraintRow = z.object({
  oid: z.number(),
  conname: z.string(),
  /** c check, n not null (from 17) */
  contype: z.enum(['c', 'n']),
  convalidated: z.boolean(),
  definition: z.string(),
});

const row = typeRow.extend({
  base: z.string(),
  typbasetype: z.number(),
  typcollation: z.number(),
  collation: z.string().nullable(),
  typnotnull: z.boolean(),
  default: z.string().nullable(),
  constraints: z.array(constraintRow),
});

type Domain = z.infer<typeof row>;
type Constraint = z.infer<typeof constraintRow>;

function constraintKey({ oid }: Constraint): Key {
  return key('pg_constraint', oid);
}

function constraintClause({ conname, definition }: Constraint): string {
  return `CONSTRAINT ${quoteIdentifier(conname)} ${definition}`;
}

function isInlineable({ contype, convalidated }: Constraint): boolean {
  return contype === 'c' && convalidated;
}

function createDomain(domain: Domain, defaultKey: Key, form: Form): string {
  const parts = [`CREATE DOMAIN ${typeName(domain)} AS ${domain.base}`];
  if (domain.collation !== null) parts.push(`COLLATE ${domain.collation}`);
  if (domain.default !== null && !form.separated(defaultKey)) parts.push(`DEFAULT ${domain.default}`);
  const notNull = domain.constraints.find(({ contype }) => contype === 'n');
  if (notNull !== undefined) parts.push(constraintClause(notNull));
  else if (domain.typnotnull) parts.push('NOT NULL');
  for (const constraint of domain.constraints.filter(isInlineable)) {
    if (!form.separated(constraintKey(constraint))) parts.push(constraintClause(constraint));
  }
  return parts.join(' ');
}

function constraintSteps(domain: Domain, constraint: Constraint): StepDraft[] {
  if (constraint.contype === 'n') return [];
  const add = `ALTER DOMAIN ${typeName(domain)} ADD ${constraintClause(constraint)}`;
  const base = { key: constraintKey(constraint), facet: 'definition', needs: [typeKey(domain)], statements: () => [add] } as const;
  return isInlineable(constraint) ? [{ ...base, section: 'pre-data', inlineInto: typeKey(domain) }] : [{ ...base, section: 'post-data' }];
}

function constraintObject(domain: Domain, constraint: Constraint): ObjectDraft {
  return {
    key: constraintKey(constraint),
    kind: 'domain-constraint',
    schema: domain.nspname,
    name: constraint.conname,
    parent: typeKey(domain),
    ddl: `CONSTRAINT ${quoteIdentifier(constraint.conname)} ON DOMAIN ${typeName(domain)}`,
    steps: constraintSteps(domain, constraint),
  };
}

export const domain = defineKind({
  name: 'domain',
  only: ['pg_type:d'],
  row,
  query: () => `
    SELECT ${typeColumns}, format_type(t.typbasetype, t.typtypmod) AS base, t.typbasetype, t.typcollation,
           quote_ident(cn.nspname) || '.' || quote_ident(co.collname) AS collation, t.typnotnull,
           coalesce(pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::regclass), quote_literal(t.typdefault)) AS "default",
           coalesce((SELECT json_agg(json_build_object(
                              'oid', k.oid::int8, 'conname', k.conname, 'contype', k.contype, 'convalidated', k.convalidated,
                              'definition', pg_get_constraintdef(k.oid)) ORDER BY k.conname)
                       FROM pg_constraint k WHERE k.contypid = t.oid), '[]') AS constraints
      ${typesOfUser({
        joins: `JOIN pg_type b ON b.oid = t.typbasetype
      LEFT JOIN pg_collation co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
      LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace`,
      })} AND t.typtype = 'd'
     ORDER BY t.oid`,
  objects(domain) {
    const self = typeKey(domain);
    const defaultKey = `${self}/default`;
    const needs = [key('pg_namespace', domain.typnamespace), key('pg_type', domain.typbasetype), key('pg_collation', domain.typcollation)];
    const steps: StepDraft[] = [
      { key: self, facet: 'definition', section: 'pre-data', needs, statements: (form) => [createDomain(domain, defaultKey, form)] },
    ];
    if (domain.default !== null) {
      const set = `ALTER DOMAIN ${typeName(domain)} SET DEFAULT ${domain.default}`;
      steps.push({ key: defaultKey, facet: 'definition', section: 'pre-data', needs: [self], inlineInto: self, statements: () => [set] });
    }
    return [
      {
        steps,
        // What the domain needs without its default is listed above; everything else that pg_depend knows may be the default's.
        charge: ({ ref }) => (domain.default === null || needs.includes(ref) ? self : defaultKey),
        ...typeDraft(domain, { kind: 'domain', word: 'DOMAIN' }),
      },
      ...domain.constraints.map((constraint) => constraintObject(domain, constraint)),
    ];
  },
});
