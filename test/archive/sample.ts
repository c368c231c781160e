// Archives for tests, made by the real writer in memory: a small one whose every byte can be attacked, and pieces to build others from.

import { createHash } from 'node:crypto';
import { serializeCatalog } from '#dist/archive/catalog-schema.js';
import { encodeChecksumFrame } from '#dist/archive/checksum-frame.js';
import { membersOf, totalsOf } from '#dist/archive/layout.js';
import { manifestTar } from '#dist/archive/manifest-frame.js';
import { serializeManifest } from '#dist/archive/manifest-schema.js';
import { encodeSeekTable } from '#dist/archive/seek-table.js';
import { ArchiveWriter, type WrittenArchive } from '#dist/archive/writer.js';
import { encodeMember, headroom, tailroom } from '#dist/frame/encode.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { Catalog, CatalogTable } from '../../src/model/catalog.js';
import type { Manifest, StoredChunk, StoredMember, TableEntry } from '../../src/model/manifest.js';

export const catalog: Catalog = {
  objects: [
    { id: 0, kind: 'table', schema: 'public', name: 'events', drop: 'TABLE "public"."events"' },
    { id: 1, kind: 'table', schema: 'public', name: 'Bloß\n', drop: 'TABLE "public"."Bloß\n"' },
    { id: 2, kind: 'index', schema: 'public', name: 'events_idx', parent: 0 },
  ],
  steps: [
    { id: 0, object: 0, section: 'pre-data', facet: 'definition', statements: ['CREATE TABLE "public"."events" ("id" bigint)'], needs: [] },
    {
      id: 1,
      object: 1,
      section: 'pre-data',
      facet: 'definition',
      statements: ['CREATE TABLE "public"."Bloß\n" ("a" text)'],
      needs: [],
      roles: ['o'],
    },
    { id: 2, object: 2, section: 'post-data', facet: 'definition', statements: ['CREATE INDEX'], needs: [0] },
  ],
  tables: [
    {
      object: 0,
      directory: 'data/16403-public.events',
      schema: 'public',
      name: 'events',
      columns: [{ name: 'id', type: 'bigint' }],
      format: 'binary',
    },
    {
      object: 1,
      directory: 'data/16404-public.blo',
      schema: 'public',
      name: 'Bloß\n',
      columns: [{ name: 'a', type: 'text' }],
      format: 'text',
    },
  ],
};

/** Binary COPY data of one bigint column. */
export function binaryRows(values: readonly bigint[]): Buffer {
  const rows = values.map((value) => {
    const row = Buffer.alloc(14);
    row.writeInt16BE(1, 0);
    row.writeInt32BE(8, 2);
    row.writeBigInt64BE(value, 6);
    return row;
  });
  return Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'), ...rows, Buffer.from([0xff, 0xff])]);
}

export function textRows(values: readonly string[]): Buffer {
  return Buffer.from(values.map((value) => `${value}\n`).join(''));
}

export function manifestOf(schema: readonly StoredMember[], tables: readonly TableEntry[]): Manifest {
  return {
    format: 'tidemark',
    formatVersion: 1,
    toolVersion: '0.1.0',
    source: {
      serverVersion: 180004,
      systemIdentifier: '7400000000000000001',
      database: 'indexer',
      encoding: 'UTF8',
      collate: 'C',
      ctype: 'C',
      localeProvider: 'libc',
      locale: null,
      icuRules: null,
      inRecovery: false,
    },
    position: { at: new Date('2026-01-31T23:59:59.125Z'), lsn: 0x16b374d848n, height: 9_007_199_254_740_993n, streams: { logs: 12n } },
    settings: { jobs: 2, compressLevel: 1, chunkBytes: 4194304, sections: ['schema', 'data'], selection: {} },
    schema,
    tables,
    leftOut: [],
    totals: totalsOf(tables),
  };
}

export interface SampleChunk {
  readonly body: Buffer;
  readonly rows: bigint;
}

/** A member as the workers make it. */
export async function encode(name: string, body: Buffer, level = 1) {
  const buffer = Buffer.alloc(headroom + body.length + tailroom);
  body.copy(buffer, headroom);
  return encodeMember(await loadCodec(), { name, buffer, bodyBytes: body.length, level });
}

export interface Sample {
  readonly bytes: Buffer;
  readonly written: WrittenArchive;
  readonly manifest: Manifest;
}

export interface SampleOptions {
  readonly chunks?: readonly (readonly SampleChunk[])[];
  /** Changes the manifest before it is written. */
  readonly change?: (manifest: Manifest) => Manifest;
  readonly level?: number;
  /** How many of the catalog's tables are in it. */
  readonly tables?: number;
}

const defaultChunks: readonly (readonly SampleChunk[])[] = [
  [
    { body: binaryRows([1n, -2n, 1n << 62n]), rows: 3n },
    { body: binaryRows([]), rows: 0n },
  ],
  [{ body: textRows(['hello\\nworld', '\\N', 'x'.repeat(700)]), rows: 3n }],
];

/** A whole archive in memory, of the tables above. */
export async function sample({
  chunks = defaultChunks,
  change = (manifest) => manifest,
  level = 1,
  tables: count = 2,
}: SampleOptions = {}): Promise<Sample> {
  const pieces: Buffer[] = [];
  const sink = {
    write: async (bytes: Uint8Array) => {
      pieces.push(Buffer.from(bytes));
    },
  };
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level });
  const some: Catalog =
    count === 2 ? catalog : { objects: catalog.objects.slice(0, count), steps: [], tables: catalog.tables.slice(0, count) };
  const schema = [
    await writer.addMember('schema/catalog.json', serializeCatalog(some)),
    await writer.addMember('schema/pre-data.sql', 'CREATE TABLE "public"."events" ("id" bigint);\n'),
  ];
  const tables: TableEntry[] = [];
  for (const [at, table] of some.tables.entries()) tables.push(await addTable(writer, { table, chunks: chunks[at] ?? [] }));
  schema.push(await writer.addMember('schema/post-data.sql', ''));
  const manifest = change(manifestOf(schema, tables));
  const written = await writer.finish(manifest);
  return { bytes: Buffer.concat(pieces), written, manifest };
}

async function addTable(
  writer: ArchiveWriter,
  { table, chunks }: { readonly table: CatalogTable; readonly chunks: readonly SampleChunk[] },
): Promise<TableEntry> {
  const stored: StoredChunk[] = [];
  for (const [at, { body, rows }] of chunks.entries()) {
    const name = `${table.directory}/00000-${String(at).padStart(5, '0')}.${table.format === 'binary' ? 'bin' : 'copy'}`;
    stored.push({
      ...(await writer.append(await encode(name, body))),
      rows,
      range: [BigInt(at), at === chunks.length - 1 ? null : BigInt(at + 1)],
    });
  }
  const rows = stored.reduce((sum, chunk) => sum + chunk.rows, 0n);
  const rawBytes = stored.reduce((sum, chunk) => sum + chunk.rawBytes, 0n);
  return { ...table, rows, rawBytes, chunks: stored };
}

/** The archive with another manifest, as it is or as a text, and everything behind it made anew: all hashes right, whatever it says. */
export async function forge({ bytes, manifest }: Sample, changed: Manifest | string): Promise<Buffer> {
  const members = membersOf(manifest);
  const end = members.reduce((sum, { length }) => sum + Number(length), 0);
  const tar = manifestTar(typeof changed === 'string' ? changed : serializeManifest(changed));
  const frame = (await loadCodec()).compress(tar, 1);
  const before = Buffer.concat([bytes.subarray(0, end), frame]);
  const checksum = encodeChecksumFrame(createHash('sha256').update(before).digest('hex'));
  const frames = [...members.flatMap((member) => member.frames), { compressed: frame.length, raw: tar.length }];
  return Buffer.concat([before, checksum, encodeSeekTable([...frames, { compressed: checksum.length, raw: 0 }])]);
}
