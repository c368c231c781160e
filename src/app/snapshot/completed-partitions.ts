// Partitions that are complete, in a snapshot: which there are, which of them an earlier archive holds as they are, and what the manifest
// says of all that. The proof is in snapshot/row-fingerprint.ts; here it is asked for and put together.
import type { CatalogTable } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { CompletedPartition, OtherArchive, TableEntry } from '../../model/manifest.js';
import { formatBytes, formatCounted } from '../../model/units.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { completedLeaves, readPartitionSteps } from '../../snapshot/completed-partitions.js';
import { readDefinitions } from '../../snapshot/output-definitions.js';
import { type Now, type ProvenTable, refusalOf, sameRows, xidCycle } from '../../snapshot/refer-to-base.js';
import { fingerprintOf, type History, readHistory, rowsQuery, type VisibleRows } from '../../snapshot/row-fingerprint.js';
import type { View } from '../../snapshot/view.js';
import type { Holder, SnapshotBase } from './base.js';
import type { SnapshotPlan } from './options.js';
import type { SnapshotSchema } from './schema.js';
import type { Sight } from './sight.js';

interface Referred {
  readonly entry: TableEntry;
  readonly holder: Holder;
}

export interface CompletedPartitions {
  /** Without the rows that need not be read; its catalog says whose. */
  readonly schema: SnapshotSchema;
  /** @param entries of the tables, as they were read
   *  @param durable that what was seen outlives a crash of the server */
  describe(
    entries: readonly TableEntry[],
    durable: boolean,
  ): { readonly tables: readonly TableEntry[]; readonly archives?: readonly OtherArchive[] };
}

/** @throws TidemarkError PATTERN_UNMATCHED, INTERNAL without a height */
export async function lookAtPartitions(plan: SnapshotPlan, sight: Sight, base: SnapshotBase | undefined): Promise<CompletedPartitions> {
  const { schema, control, view, position } = sight;
  const nothing: CompletedPartitions = { schema, describe: (tables) => ({ tables }) };
  if (plan.completedOnce.length === 0) return nothing;
  if (position.height === undefined) throw new TidemarkError('INTERNAL', 'look for completed partitions: there is no height');
  const readable = schema.toRead.filter(({ described }) => described.heap && described.extension === null && !described.unlogged);
  const steps = await readPartitionSteps(
    control,
    readable.map(({ described }) => described.oid),
  );
  const leaves = completedLeaves(steps, { patterns: plan.completedOnce, height: position.height });
  const candidates = readable.filter(({ described }) => leaves.has(described.oid));
  if (candidates.length === 0) return nothing;
  plan.emit({ type: 'phase', phase: 'completed partitions' });
  const known = await readHistory(control);
  if ('unknown' in known) {
    plan.emit({ type: 'notice', message: `completed partitions are exported as all others are: ${known.unknown}` });
    return nothing;
  }
  const now = nowOf(known, view);
  const usable = base && usableBase(base, now, plan);
  const proven = await prove(candidates, { sight, known, base: usable });
  const referred = usable === undefined ? new Map<number, Referred>() : await findReferred(proven, { base: usable, now, plan });
  tellReferred(referred, plan);
  return {
    schema: without(schema, referred),
    describe: (entries, durable) => describe(entries, { referred, base: usable, proven, durable, xid: known.oldestXid }),
  };
}

function nowOf({ history: { systemIdentifier }, nextXid }: History, { lsn }: View): Now {
  return { systemIdentifier, lsn, nextXid };
}

function usableBase(base: SnapshotBase, now: Now, { emit }: SnapshotPlan): SnapshotBase | undefined {
  const refusal = refusalOf(base.manifest, now);
  if (refusal === undefined) return base;
  emit({ type: 'notice', message: `all partitions are exported, for nothing of ${base.name} can be referred to: ${refusal}` });
  return undefined;
}

interface Proving {
  readonly sight: Sight;
  readonly known: History;
  readonly base: SnapshotBase | undefined;
}

/** By object. */
async function prove(candidates: SnapshotSchema['toRead'], { sight, known, base }: Proving): Promise<ReadonlyMap<number, ProvenTable>> {
  const { control, pool } = sight;
  const definitions = await readDefinitions(
    control,
    candidates.map(({ described }) => described.oid),
  );
  const told = candidates.flatMap(({ table, described }) => {
    const definition = definitions.get(described.oid);
    return definition === undefined ? [] : [{ table, definition }];
  });
  const before = new Map(base?.manifest.tables.map(({ directory, completed }) => [directory, completed?.xid]));
  const tasks = told.map(({ table }) => ({
    statement: rowsQuery(table, cycleSince(before.get(table.directory), known)),
    table: qualifiedName(table.schema, table.name),
  }));
  // Without the control session nothing can be published.
  const answers = await Promise.race([pool.query<keyof VisibleRows>(tasks), control.lost]);
  return new Map(
    told.map(({ table, definition }, at) => {
      const rows = answers[at] as VisibleRows;
      const fingerprint = fingerprintOf(known.history, table, { definition, rows });
      return [table.object, { table, fingerprint, rows: BigInt(rows.rows), ambiguous: BigInt(rows.ambiguous) }];
    }),
  );
}

/** Only where ids of transactions have been used twice it matters which are meant. */
function cycleSince(xid: bigint | undefined, { nextXid }: History): { readonly from: bigint; readonly to: bigint } | undefined {
  return xid === undefined || nextXid < xidCycle ? undefined : { from: xid, to: nextXid };
}

interface Finding {
  readonly base: SnapshotBase;
  readonly now: Now;
  readonly plan: SnapshotPlan;
}

async function findReferred(
  proven: ReadonlyMap<number, ProvenTable>,
  { base, now, plan }: Finding,
): Promise<ReadonlyMap<number, Referred>> {
  const referred = new Map<number, Referred>();
  const gone = new Set<string>();
  for (const [object, table] of proven) {
    const entry = sameRows(base.manifest, table, now);
    if (entry === undefined) continue;
    const holder = await base.holderOf(entry);
    if (holder !== undefined) referred.set(object, { entry, holder });
    else gone.add(base.manifest.archives?.[entry.in ?? -1]?.file ?? '');
  }
  for (const file of gone)
    plan.emit({ type: 'notice', message: `${file}, which ${base.name} refers to, is not there: what it holds is exported again` });
  return referred;
}

function tellReferred(referred: ReadonlyMap<number, Referred>, { emit }: SnapshotPlan): void {
  if (referred.size === 0) return;
  const entries = [...referred.values()];
  const rows = entries.reduce((sum, { entry }) => sum + entry.rows, 0n);
  const bytes = entries.reduce((sum, { entry }) => sum + entry.rawBytes, 0n);
  const archives = formatCounted(new Set(entries.map(({ holder }) => holder)).size, 'other archive');
  const what = `${formatCounted(referred.size, 'completed partition')} (${formatCounted(rows, 'row')}, ${formatBytes(bytes)})`;
  emit({ type: 'notice', message: `${what} are as they were, and stay in ${archives}` });
}

/** The schema with less to read. */
function without(schema: SnapshotSchema, referred: ReadonlyMap<number, Referred>): SnapshotSchema {
  if (referred.size === 0) return schema;
  const mark = (table: CatalogTable): CatalogTable => (referred.has(table.object) ? { ...table, elsewhere: true } : table);
  return {
    ...schema,
    catalog: { ...schema.catalog, tables: schema.catalog.tables.map(mark) },
    toRead: schema.toRead.filter(({ table }) => !referred.has(table.object)),
  };
}

interface Description {
  readonly referred: ReadonlyMap<number, Referred>;
  readonly base: SnapshotBase | undefined;
  readonly proven: ReadonlyMap<number, ProvenTable>;
  readonly durable: boolean;
  readonly xid: bigint;
}

function describe(
  entries: readonly TableEntry[],
  { referred, base, proven, durable, xid }: Description,
): ReturnType<CompletedPartitions['describe']> {
  const holders = [...new Set([...referred.values()].map(({ holder }) => holder))];
  if (base !== undefined) holders.sort((a, b) => base.rank(a) - base.rank(b));
  const tables = entries.map((entry): TableEntry => {
    const other = referred.get(entry.object);
    const fingerprint = proven.get(entry.object)?.fingerprint;
    // Rows that were on disk when the earlier snapshot was taken are there since.
    const lasting = fingerprint !== undefined && (durable || other !== undefined);
    const completed: { completed?: CompletedPartition } = lasting ? { completed: { fingerprint, xid } } : {};
    if (other === undefined) return { ...entry, ...completed };
    const { rows, rawBytes, chunks } = other.entry;
    return { ...entry, rows, rawBytes, chunks, in: holders.indexOf(other.holder), ...completed };
  });
  if (base === undefined || holders.length === 0) return { tables };
  return { tables, archives: holders.map((holder) => ({ file: base.pathTo(holder), sha256: holder.sha256, bytes: holder.bytes })) };
}

/** Whether all that the view sees outlives a crash: where commits do not wait for the disk (synchronous_commit = off), a crash may take back
 *  what was seen, and the ids of those transactions are used again for others. Waits for ten seconds at most, which a
 *  busy server may take; a standby has only what is on a disk. */
export async function isDurable(session: Session, { lsn, inRecovery }: View): Promise<boolean> {
  if (inRecovery) return true;
  for (let look = 0; look < 200; look += 1) {
    const { flushed } = await session.one<{ flushed: boolean }>(
      `SELECT CASE WHEN pg_is_in_recovery() THEN true ELSE pg_current_wal_flush_lsn() - '0/0'::pg_lsn >= $1::numeric END AS flushed`,
      [String(lsn)],
    );
    if (flushed) return true;
    await session.query('SELECT pg_sleep(0.05)');
  }
  return false;
}
