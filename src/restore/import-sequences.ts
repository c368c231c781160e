// Sets the sequences that columns of imported tables own to where they stood in the source. setval() is not undone by a rollback: so this
// comes last, when nothing else can fail any more.
import { qualifiedName, quoteLiteral } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

export interface SequenceStand {
  readonly lastValue: bigint;
  readonly isCalled: boolean;
}

export interface WantedSequence extends SequenceStand {
  /** Of the target. */
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

interface Found extends Record<string, unknown> {
  readonly nspname: string;
  readonly relname: string;
  readonly seqincrement: string;
  readonly place: string;
}

/** @param replaced the tables had all their rows replaced: else a sequence only ever goes on
 *  @returns how many were set */
export async function setSequences(session: Session, wanted: readonly WantedSequence[], replaced: boolean): Promise<number> {
  // Those of partitioned tables, too; a column whose sequence is not its own has none here.
  const found = await session.query<Found>(
    `SELECT n.nspname, s.relname, q.seqincrement::text, wanted.place::text
       FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (schema, name, col, place)
       JOIN pg_namespace tn ON tn.nspname = wanted.schema JOIN pg_class t ON t.relnamespace = tn.oid AND t.relname = wanted.name
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = wanted.col AND NOT a.attisdropped
       JOIN pg_class s ON s.oid = pg_get_serial_sequence(format('%I.%I', wanted.schema, wanted.name), wanted.col)::regclass
       JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
      ORDER BY place`,
    [wanted.map(({ schema }) => schema), wanted.map(({ table }) => table), wanted.map(({ column }) => column)],
  );
  let set = 0;
  for (const { nspname, relname, seqincrement, place } of found) {
    const recorded = wanted[Number(place) - 1];
    const name = qualifiedName(nspname, relname);
    if (recorded === undefined) continue;
    if (!replaced) {
      const now = await session.one<{ value: string; is_called: boolean }>(`SELECT last_value::text AS value, is_called FROM ${name}`);
      if (!isPast(recorded, { lastValue: BigInt(now.value), isCalled: now.is_called }, BigInt(seqincrement))) continue;
    }
    await session.query(`SELECT setval(${quoteLiteral(name)}::regclass, ${recorded.lastValue}, ${recorded.isCalled})`);
    set += 1;
  }
  return set;
}

/** Whether a sequence at `one` has come further than at `other`. */
export function isPast(one: SequenceStand, other: SequenceStand, increment: bigint): boolean {
  if (one.lastValue === other.lastValue) return one.isCalled && !other.isCalled;
  return increment > 0n ? one.lastValue > other.lastValue : one.lastValue < other.lastValue;
}
