// One trial: some workers with some settings read parts of the tables in the view that all trials share, for a time, and what they make
// of them is thrown away. Which settings, and what follows from the figures, is for others.
import { rm } from 'node:fs/promises';
import type { RangeTask } from '../../snapshot/messages.js';
import { bytesToRead, type Sight } from '../snapshot/sight.js';
import { estimateArchive } from './estimate.js';
import { nameOf, type Pick, statementOf } from './picks.js';
import type { Measured, Settings } from './trials.js';

export interface Trial {
  readonly settings: Settings;
  readonly picks: readonly Pick[];
  /** No pick is begun after this time. */
  readonly ms: number;
  /** What the first reading made of each pick; absent for that one itself. */
  readonly reference?: readonly number[];
}

export interface TrialResult {
  readonly measured: Measured;
  /** Compressed bytes of each pick that was read. */
  readonly compressed: readonly number[];
}

/** Counts what workers send, and lets go of it. */
class Account {
  /** Compressed bytes of each pick. */
  readonly compressed: number[] = [];
  readonly begun: number[] = [];
  readonly #picks: readonly Pick[];
  tableBytes = 0;
  rawBytes = 0;
  compressedBytes = 0;
  done = 0;
  /** Of all workers together, from the moment when a pick was given to one until it had read it. */
  busyMs = 0;

  constructor(picks: readonly Pick[]) {
    this.#picks = picks;
  }

  add(id: number, rawBytes: number, compressedBytes: number): void {
    this.rawBytes += rawBytes;
    this.compressedBytes += compressedBytes;
    this.compressed[id] = (this.compressed[id] ?? 0) + compressedBytes;
  }

  end(id: number, at: number): void {
    const { tableBytes } = this.#picks[id] as Pick;
    // One without rows has no chunk.
    this.compressed[id] ??= 0;
    this.tableBytes += tableBytes;
    this.busyMs += at - (this.begun[id] ?? at);
    this.done += 1;
  }
}

/** At least one pick is read. @throws TidemarkError as reading does */
export async function runTrial({ more, control, schema }: Seen, { settings, picks, ms, reference }: Trial): Promise<TrialResult> {
  await using pool = await more(settings);
  const account = new Account(picks);
  const until = performance.now() + ms;
  const reading = pool.read(tasksUntil(until, { settings, picks, account }), settings.compressLevel, {
    async chunk({ task, member }) {
      account.add(task.id, member.rawBytes, member.length);
      if (member.content.kind === 'file') await rm(member.content.path, { force: true });
    },
    done: ({ id }) => account.end(id, performance.now()),
  });
  await Promise.race([reading, control.lost]);
  await pool.close();
  const databaseBytes = Number(bytesToRead(schema));
  // Not by the time on the wall: at the end some workers have nothing to do any more, which in a whole snapshot is a moment.
  const workers = Math.min(settings.jobs, account.done);
  const bytesPerSecond = (account.tableBytes / account.busyMs) * workers * 1000;
  const { compressed } = account;
  const parts = (reference ?? compressed).map((bytes, id) => {
    const { table, tableBytes } = picks[id] as Pick;
    const wholeBytes = Number(table.described.bytes);
    return { table: table.table.object, wholeBytes, tableBytes, reference: bytes, compressed: compressed[id] };
  });
  const wholeBytes = estimateArchive(parts, databaseBytes);
  const measured = {
    settings,
    picks: account.done,
    tableBytes: account.tableBytes,
    rawBytes: account.rawBytes,
    compressedBytes: account.compressedBytes,
    busyMs: account.busyMs,
    bytesPerSecond,
    ratio: databaseBytes / wholeBytes,
    wholeMs: (databaseBytes / bytesPerSecond) * 1000,
    wholeBytes,
  };
  return { measured, compressed };
}

type Seen = { readonly [Key in 'more' | 'control' | 'schema']: Sight[Key] };

function* tasksUntil(
  until: number,
  { settings, picks, account }: { readonly settings: Settings; readonly picks: readonly Pick[]; readonly account: Account },
): Generator<RangeTask> {
  for (const [id, pick] of picks.entries()) {
    const now = performance.now();
    if (id > 0 && now >= until) return;
    account.begun[id] = now;
    const { directory } = pick.table.table;
    yield { ...statementOf(pick, settings.copyFormat), id, table: nameOf(pick), directory, range: id };
  }
}
