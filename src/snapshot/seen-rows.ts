// What the rows of some tables say about those of others: partitions, and the tables of many tenants, differ in little but their names, and to
// try compression parameters on each of thousands of small tables takes as long as to compress them.
import type { RangeTask, SampledRows } from './messages.js';

/** Kinds of tables that are remembered: what thousands of different ones have in common is nothing, and nothing is to grow with them. */
const most = 1000;

type Range = Pick<RangeTask, 'statement' | 'table'>;

export class SeenRows {
  /** By what their statements have in common. */
  readonly #rows = new Map<string, SampledRows>();

  /** What was seen of a table with the same columns in the same form. */
  like(range: Range): SampledRows | undefined {
    return this.#rows.get(withoutName(range));
  }

  set(range: Range, rows: SampledRows): void {
    if (this.#rows.size >= most) this.#rows.clear();
    this.#rows.set(withoutName(range), rows);
  }

  /** It turned out that they are not alike. */
  forget(range: Range): void {
    this.#rows.delete(withoutName(range));
  }
}

function withoutName({ statement, table }: Range): string {
  return statement.replace(table, () => '');
}
