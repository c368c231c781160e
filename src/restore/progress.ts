// Counts what has been loaded, tells the listener, and in the end holds it against the manifest. The counts are those of the server's
// COPY command tags; nothing is counted twice by reading tables again: a row that COPY counted in a committed transaction is there, unless
// a trigger or rule removed it, and a fresh table has neither until its rows are in.
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { Manifest } from '../model/manifest.js';
import { countsRows, describeLoad, type TableLoad } from './plan.js';

interface Loaded {
  rows: bigint;
  rawBytes: bigint;
}

export class Progress {
  readonly #emit: EventListener;
  readonly #tables = new Map<string, Loaded>();
  #rows = 0n;
  #rawBytes = 0n;
  #compressedBytes = 0n;

  constructor(emit: EventListener) {
    this.#emit = emit;
  }

  get rows(): bigint {
    return this.#rows;
  }

  get rawBytes(): bigint {
    return this.#rawBytes;
  }

  /** Sizes ahead; `exact` false where the archive comes from a pipe. */
  plan(loads: readonly TableLoad[]): void {
    const exact = loads.every(({ chunks }) => chunks !== undefined);
    const rows = loads.reduce((sum, load) => (countsRows(load) ? sum + load.rows : sum), 0n);
    const bytes = loads.reduce((sum, load) => sum + load.rawBytes, 0n);
    this.#emit({ type: 'plan', tables: loads.length, rows, bytes, exact });
  }

  /** The server has the rows of one chunk. */
  loaded(load: TableLoad, { rows, rawBytes, compressedBytes }: Loaded & { compressedBytes: bigint }): void {
    const { directory } = load;
    const table = this.#tables.get(directory) ?? { rows: 0n, rawBytes: 0n };
    this.#tables.set(directory, { rows: table.rows + rows, rawBytes: table.rawBytes + rawBytes });
    if (countsRows(load)) this.#rows += rows;
    this.#rawBytes += rawBytes;
    this.#compressedBytes += compressedBytes;
    this.#emit({ type: 'progress', rows: this.#rows, rawBytes: this.#rawBytes, compressedBytes: this.#compressedBytes });
  }

  /** Compares the rows of each table with what the manifest says, and reports the table.
   *  @throws TidemarkError RESTORE_FAILED naming the first that differs */
  check(loads: readonly TableLoad[], manifest: Manifest): void {
    const expected = new Map(manifest.tables.map(({ directory, rows }) => [directory, rows]));
    for (const load of loads) {
      const { schema, name, directory } = load;
      const { rows, rawBytes } = this.#tables.get(directory) ?? { rows: 0n, rawBytes: 0n };
      const wanted = expected.get(directory) ?? 0n;
      if (rows !== wanted) {
        throw new TidemarkError('RESTORE_FAILED', `restore ${describeLoad(load)}: the archive has ${wanted}, the server took ${rows}`);
      }
      this.#emit({ type: 'table', schema, name, rows, rawBytes });
    }
  }
}
