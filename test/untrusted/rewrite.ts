// An archive with another catalog, written by the project's own writer: all checksums are right, and what is in it is somebody else's.
import { readFile, writeFile } from 'node:fs/promises';
import { serializeCatalog } from '#dist/archive/catalog-schema.js';
import { openArchive } from '#dist/archive/reader.js';
import { ArchiveWriter } from '#dist/archive/writer.js';
import { catalogMember } from '#dist/frame/member-names.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { Catalog, CatalogObject, CatalogTable, Step } from '../../src/model/catalog.js';
import type { StoredMember } from '../../src/model/manifest.js';
import { encode } from '../archive/sample.js';

export async function rewriteArchive(file: string, to: string, change: (catalog: Catalog) => Catalog): Promise<void> {
  await using archive = await openArchive(file);
  const pieces: Buffer[] = [];
  const sink = {
    write: async (bytes: Uint8Array) => {
      pieces.push(Buffer.from(bytes));
    },
  };
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 1 });
  const { manifest } = archive;
  const schema: StoredMember[] = [await writer.addMember(catalogMember, serializeCatalog(change(await archive.readCatalog())))];
  schema.push(await writer.addMember('schema/pre-data.sql', ''));
  const tables: (typeof manifest.tables)[number][] = [];
  for (const table of manifest.tables) {
    const chunks: (typeof table.chunks)[number][] = [];
    for (const { rows, range, ...member } of table.chunks) {
      chunks.push({ ...(await writer.append(await encode(member.member, await archive.readMember(member)))), rows, range });
    }
    tables.push({ ...table, chunks });
  }
  schema.push(await writer.addMember('schema/post-data.sql', ''));
  const compressedBytes = tables.reduce((sum, { chunks }) => sum + chunks.reduce((all, { length }) => all + length, 0n), 0n);
  await writer.finish({ ...manifest, schema, tables, totals: { ...manifest.totals, compressedBytes } });
  await writeFile(to, Buffer.concat(pieces));
}

/** The file with one byte changed. */
export async function flipByte(file: string, to: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(to, bytes);
}

export interface Added {
  readonly object: Omit<CatalogObject, 'id'>;
  readonly steps: readonly (Partial<Omit<Step, 'id' | 'object'>> & Pick<Step, 'statements'>)[];
  readonly table?: Omit<CatalogTable, 'object'>;
}

/** The catalog with further objects and their steps. */
export function withObjects(catalog: Catalog, added: readonly Added[]): Catalog {
  const objects = [...catalog.objects];
  const steps = [...catalog.steps];
  const tables = [...catalog.tables];
  for (const { object, steps: own, table } of added) {
    const id = objects.length;
    objects.push({ ...object, id });
    for (const step of own) steps.push({ section: 'pre-data', facet: 'definition', needs: [], ...step, id: steps.length, object: id });
    if (table !== undefined) tables.push({ ...table, object: id });
  }
  return { ...catalog, objects, steps, tables };
}
