// Tells what is known of members in the order in which they lie in the archive, whatever the order in which it becomes known.
import type { EventListener } from '../model/events.js';
import type { Manifest, StoredChunk, StoredMember, TableEntry } from '../model/manifest.js';
import type { MemberTask } from './check-member.js';
import type { Outcome } from './member-checks.js';

export class MembersInOrder {
  readonly #tables = new Map<StoredMember, readonly [StoredChunk, TableEntry]>();
  readonly #found: (member: StoredMember, problem: string) => void;
  readonly #onEvent: EventListener | undefined;
  /** Those that were not told of. */
  readonly #open: { readonly member: StoredMember; readonly outcome: Outcome }[] = [];
  #rows = 0n;
  #rawBytes = 0n;

  /** @param found is told of each damaged member */
  constructor(manifest: Manifest, found: (member: StoredMember, problem: string) => void, onEvent: EventListener | undefined) {
    for (const table of manifest.tables)
      if (table.in === undefined) for (const chunk of table.chunks) this.#tables.set(chunk, [chunk, table]);
    this.#found = found;
    this.#onEvent = onEvent;
  }

  taskOf(member: StoredMember): MemberTask {
    const [, table] = this.#tables.get(member) ?? [];
    return table === undefined ? { member } : { member, rows: { format: table.format, columns: table.columns.length } };
  }

  add(member: StoredMember, outcome: Outcome): void {
    this.#open.push({ member, outcome });
  }

  /** Tells of those that are known, as far as all before them are. */
  tell(): void {
    while (this.#open[0]?.outcome.settled) this.#tellNext();
  }

  /** Waits for all, and tells of them. Rejects where a check failed. */
  async end(): Promise<void> {
    for (let next = this.#open[0]; next !== undefined; next = this.#open[0]) {
      await next.outcome.ended;
      this.#tellNext();
    }
  }

  #tellNext(): void {
    const next = this.#open.shift();
    if (next === undefined) return;
    const { member, outcome } = next;
    if (outcome.problem !== undefined) this.#found(member, outcome.problem);
    const [chunk] = this.#tables.get(member) ?? [];
    this.#rows += chunk?.rows ?? 0n;
    this.#rawBytes += chunk?.rawBytes ?? 0n;
    this.#onEvent?.({ type: 'progress', rows: this.#rows, rawBytes: this.#rawBytes, compressedBytes: member.offset + member.length });
  }
}
