// The order that people and diffs see: kinds of objects one after the other, then schema and name. It says nothing about what needs
// what (that is the graph's matter); it only makes the output the same for the same schema, whatever the OIDs.
import { TidemarkError } from '../model/errors.js';
import type { ObjectDraft } from './kind.js';

/** Kinds by the name in `ObjectDraft.kind`, in order of emission. A new kind gets its place here. */
const order = [
  'schema',
  'language',
  'extension',
  'collation',
  // Before all whose expressions may use one: nothing says that they do, so a cast comes as soon as its types and its function are there.
  'cast',
  'shell type',
  'base type',
  'enum',
  'composite',
  'domain',
  'range',
  'multirange',
  'function',
  'procedure',
  'aggregate',
  'access method',
  'operator',
  'operator family',
  'operator family member',
  'operator class',
  'transform',
  'conversion',
  'text search parser',
  'text search template',
  'text search dictionary',
  'text search configuration',
  'foreign data wrapper',
  'server',
  'user mapping',
  'sequence',
  'extension sequence',
  'extension table',
  'table',
  'foreign table',
  'default',
  'view',
  'materialized view',
  'large objects',
  'large object',
  'domain constraint',
  'check',
  'not null',
  'constraint',
  'index',
  'statistics',
  'rule',
  'trigger',
  'foreign key',
  'row security',
  'policy',
  'publication',
  'publication table',
  'publication schema',
  'subscription',
  'event trigger',
  'default privileges',
] as const;

/** Kinds of more than one word are also written with hyphens. */
const places: ReadonlyMap<string, number> = new Map(
  order.flatMap((kind, place) => [[kind, place] as const, [kind.replaceAll(' ', '-'), place] as const]),
);

/** Place of a kind in the order of emission.
 *  @throws TidemarkError INTERNAL for a kind that has no place yet */
export function kindPriority(kind: string): number {
  const place = places.get(kind);
  if (place === undefined) throw new TidemarkError('INTERNAL', `order the objects of kind ${kind}: it has no place in priority.ts`);
  return place;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Orders objects by kind, schema, name, then by `ddl` (which names the table of a constraint or trigger); never by OID, so that two
 *  databases with the same schema give the same order. */
export function compareObjects(a: ObjectDraft, b: ObjectDraft): number {
  return (
    kindPriority(a.kind) - kindPriority(b.kind) ||
    compareText(a.schema ?? '', b.schema ?? '') ||
    compareText(a.name, b.name) ||
    compareText(a.ddl, b.ddl) ||
    compareText(a.key, b.key)
  );
}
