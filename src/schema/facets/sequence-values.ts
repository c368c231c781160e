// Where each sequence stands: last_value and is_called, set again by setval() with the rows. Sequences are not transactional, so this
// reads them as they are now, after the snapshot of the tables was fixed: never behind what the tables hold.
import { TidemarkError } from '../../model/errors.js';
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import type { FacetContext, FacetReader, Key, ObjectDraft, StepDraft } from '../kind.js';

/** Sequences to a statement, before 18. */
const batchSize = 500;

interface Value extends Record<string, unknown> {
  readonly oid: number;
  /** int8 as text; null where it could not be read. */
  readonly last_value: string | null;
  readonly is_called: boolean | null;
}

interface Target {
  readonly oid: number;
  readonly name: string;
  readonly object: ObjectDraft;
}

function targets({ objects }: FacetContext): readonly Target[] {
  const sequences = [...new Set(objects.values())].filter(({ kind }) => kind === 'sequence');
  return sequences.map((object) => ({
    oid: Number(object.key.slice('pg_class:'.length)),
    name: qualifiedName(object.schema, object.name),
    object,
  }));
}

/** From 18 one function reads any sequence; its row is null where the caller may not read it, or where an unlogged one cannot be read on
 *  a standby. */
function statementFrom18(sequences: readonly Target[]): string {
  return `SELECT s.oid, d.last_value::text, d.is_called FROM unnest('{${sequences.map(({ oid }) => oid).join(',')}}'::oid[]) AS s(oid),
    pg_get_sequence_data(s.oid) AS d`;
}

/** Before 18 a sequence is only to be had as a relation: pg_sequence_last_value() has no is_called, and loses setval(..., false). */
function statementBefore18(sequences: readonly Target[]): string {
  return sequences.map(({ oid, name }) => `SELECT ${oid}::oid AS oid, last_value::text, is_called FROM ${name}`).join('\nUNION ALL\n');
}

/** Unlogged sequences, which cannot be read on a standby, and whether each belongs to an unlogged table. */
const unloggedQuery = `SELECT c.oid, coalesce(bool_or(t.relpersistence = 'u'), false) AS emptied
    FROM pg_class c
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid
   WHERE c.relkind = 'S' AND c.relpersistence = 'u' GROUP BY c.oid`;

/** The sequences to read. On a standby, those of unlogged tables are left where they start: their tables are without rows there, and
 *  would be so, and the sequences back at their start, after a promotion.
 *  @throws TidemarkError PERMISSION_DENIED for an unlogged sequence of its own on a standby */
async function readable(context: FacetContext): Promise<readonly Target[]> {
  const all = targets(context);
  if (!context.server.inRecovery) return all;
  const unlogged = new Map((await context.query<{ oid: number; emptied: boolean }>(unloggedQuery)).map((row) => [row.oid, row.emptied]));
  const lost = all.find(({ oid }) => unlogged.get(oid) === false);
  if (lost !== undefined) throw unreadable(lost);
  return all.filter(({ oid }) => !unlogged.has(oid));
}

function unreadable({ name }: Target): TidemarkError {
  return new TidemarkError('PERMISSION_DENIED', `read the value of sequence ${name}: the server gives none`, {
    hint: 'grant SELECT on the sequence to the role that takes the snapshot; the value of an unlogged sequence is to be had on the primary only',
    details: { sequence: name },
  });
}

function batches<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) => items.slice(index * batchSize, (index + 1) * batchSize));
}

function step(target: Target, value: Value | undefined): StepDraft {
  if (value === undefined || value.last_value === null || value.is_called === null) throw unreadable(target);
  const { name, object } = target;
  const key: Key = `${object.key}/value`;
  const statement = `SELECT pg_catalog.setval(${quoteLiteral(name)}::pg_catalog.regclass, ${value.last_value}, ${value.is_called})`;
  return { key, facet: 'value', section: 'data', needs: [object.key], statements: () => [statement] };
}

export const sequenceValues: FacetReader = {
  name: 'sequence-values',
  async read(context) {
    const all = await readable(context);
    const from18 = context.server.version >= 180000;
    const values = new Map<number, Value>();
    for (const batch of from18 ? [all] : batches(all)) {
      if (batch.length === 0) continue;
      for (const value of await context.query<Value>(from18 ? statementFrom18(batch) : statementBefore18(batch)))
        values.set(value.oid, value);
    }
    return { steps: all.map((target) => ({ object: target.object.key, step: step(target, values.get(target.oid)) })), objects: [] };
  },
};
