// Where each sequence stands: last_value and is_called, set again by setval() with the rows. Sequences are not transactional, so this
// reads them as they are now, after the snapshot of the tables was fixed: never behind what the tables hold.
import { TidemarkError } from '../../model/errors.js';
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import type { FacetContext, FacetReader, Key, ObjectDraft, StepDraft } from '../kind.js';
import { refersTo } from '../ours.js';

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
  const sequences = [...new Set(objects.values())].filter(({ kind }) => kind === 'sequence' || kind === 'extension sequence');
  return sequences.map((object) => ({
    oid: Number(object.key.slice(object.key.indexOf(':') + 1)),
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
          AND ${refersTo('d', 'pg_class')} AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid
   WHERE c.relkind = 'S' AND c.relpersistence = 'u' GROUP BY c.oid`;

/** Sequences that the role may not read. As relations they are also out of reach in a schema that it may not use. */
function hiddenQuery(sequences: readonly Target[]): string {
  return `SELECT s.oid FROM unnest('{${sequences.map(({ oid }) => oid).join(',')}}'::oid[]) AS s(oid)
    JOIN pg_class c ON c.oid = s.oid
   WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(c.relnamespace, 'USAGE'))`;
}

interface Sorted {
  readonly readable: readonly Target[];
  readonly unreadable: readonly Target[];
}

/** The sequences to read, and those that cannot be. On a standby, those of unlogged tables are neither, and are left where they start:
 *  their tables are without rows there, and would be so, and the sequences back at their start, after a promotion. */
async function sortOut(context: FacetContext): Promise<Sorted> {
  const { server } = context;
  const all = targets(context);
  const unlogged = new Map<number, boolean>();
  if (server.inRecovery) {
    for (const { oid, emptied } of await context.query<{ oid: number; emptied: boolean }>(unloggedQuery)) unlogged.set(oid, emptied);
  }
  const hidden = new Set<number>();
  if (server.version < 180000 && all.length > 0) {
    for (const { oid } of await context.query<{ oid: number }>(hiddenQuery(all))) hidden.add(oid);
  }
  const lost = ({ oid }: Target): boolean => unlogged.get(oid) === false || (hidden.has(oid) && !unlogged.has(oid));
  return { readable: all.filter(({ oid }) => !unlogged.has(oid) && !hidden.has(oid)), unreadable: all.filter(lost) };
}

function failure({ name }: Target): TidemarkError {
  return new TidemarkError('PERMISSION_DENIED', `read the value of sequence ${name}: the server gives none`, {
    hint:
      'grant SELECT on the sequence to the role that takes the snapshot, or leave it out with --exclude-table (that of a column goes with ' +
      'its table); the value of an unlogged sequence is to be had on the primary only',
    details: { sequence: name },
  });
}

function batches<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) => items.slice(index * batchSize, (index + 1) * batchSize));
}

function step({ name, object }: Target, { last_value, is_called }: Value): StepDraft {
  const key: Key = `${object.key}/value`;
  const statement = `SELECT pg_catalog.setval(${quoteLiteral(name)}::pg_catalog.regclass, ${last_value}, ${is_called})`;
  return { key, facet: 'value', section: 'data', needs: [object.key], statements: () => [statement] };
}

export const sequenceValues: FacetReader = {
  name: 'sequence-values',
  async read(context) {
    const { readable, unreadable } = await sortOut(context);
    const from18 = context.server.version >= 180000;
    const values = new Map<number, Value>();
    for (const batch of from18 ? [readable] : batches(readable)) {
      if (batch.length === 0) continue;
      for (const value of await context.query<Value>(from18 ? statementFrom18(batch) : statementBefore18(batch)))
        values.set(value.oid, value);
    }
    const known = (oid: number): Value | undefined => {
      const value = values.get(oid);
      return value === undefined || value.last_value === null || value.is_called === null ? undefined : value;
    };
    const lost = [...unreadable, ...readable.filter(({ oid }) => known(oid) === undefined)];
    return {
      steps: readable.flatMap((target) => {
        const value = known(target.oid);
        return value === undefined ? [] : [{ object: target.object.key, step: step(target, value) }];
      }),
      objects: [],
      failures: new Map(lost.map((target) => [target.object.key, failure(target)])),
    };
  },
};
