// Exports of test databases: a folder that goes away, and targets made of the schema.sql that is in it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExportOptions, type ExportResult, exportTables } from '#dist/app/export/export-tables.js';
import { createDatabase, type DatabaseOptions, type TestDatabase } from '../../server/index.js';

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-export-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface Exported extends AsyncDisposable {
  readonly directory: string;
  readonly manifest: ExportResult['manifest'];
}

/** In a folder of its own. */
export async function exportOf(source: TestDatabase, options: Partial<ExportOptions> = {}): Promise<Exported> {
  const folder = await makeFolder();
  try {
    const directory = join(folder.path, 'out');
    const { manifest } = await exportTables({ database: source.url, directory, jobs: 2, compressLevel: 1, ...options });
    return { directory, manifest, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** A database with the tables of an export, without rows. */
export async function targetOf({ directory }: Exported, options: DatabaseOptions = {}): Promise<TestDatabase> {
  const target = await createDatabase(options);
  await runSchema(target, directory, 'schema.sql');
  return target;
}

export async function runSchema(target: TestDatabase, directory: string, file: 'schema.sql' | 'schema-after.sql'): Promise<void> {
  await target.run(await readFile(join(directory, file), 'utf8'));
}
