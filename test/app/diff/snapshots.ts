// Snapshots of databases that are made for one comparison.
import { join } from 'node:path';
import type { DiffOptions, SnapshotDiff, TableDiff } from '#dist/app/diff/diff-snapshots.js';
import { diffSnapshots } from '#dist/app/diff/diff-snapshots.js';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

type Options = Omit<Partial<SnapshotOptions>, 'file' | 'database'>;

/** A folder for the archives of one test file. */
export class Snapshots implements AsyncDisposable {
  readonly #folder: TemporaryDirectory;
  #count = 0;

  private constructor(folder: TemporaryDirectory) {
    this.#folder = folder;
  }

  static async make(): Promise<Snapshots> {
    return new Snapshots(await temporaryDirectory());
  }

  /** Of a file that does not exist yet. */
  newFile(ending = '.tar.zst'): string {
    this.#count += 1;
    return join(this.#folder.path, `s-${this.#count}${ending}`);
  }

  /** Of a database that is there. @returns its path */
  async of(db: Pick<TestDatabase, 'url'>, options: Options = {}): Promise<string> {
    const file = this.newFile(options.encryptTo === undefined ? '.tar.zst' : '.tar.zst.age');
    await takeSnapshot({ database: db.url, file, jobs: 1, ...options });
    return file;
  }

  /** Of a new database after this script. */
  async after(script: string, options: Options = {}): Promise<string> {
    await using db = await createDatabase();
    await db.run(script);
    return await this.of(db, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Rows that were read, the last time that this was told, and the comparison. */
export async function diffAndCount(options: DiffOptions): Promise<SnapshotDiff & { readonly rowsRead: bigint }> {
  let rowsRead = 0n;
  const diff = await diffSnapshots({
    ...options,
    onEvent: (event) => {
      if (event.type === 'progress') rowsRead = event.rows;
    },
  });
  return { ...diff, rowsRead };
}

export function tableNamed({ tables }: Pick<SnapshotDiff, 'tables'>, name: string): TableDiff | undefined {
  return tables.find((table) => table.name === name);
}
