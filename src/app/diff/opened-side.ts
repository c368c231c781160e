// One of the two archives of a comparison, open, with what of it is at hand before any row is read.
import { type ArchiveReader, openArchive } from '../../archive/reader.js';
import type { Seekable } from '../../frame/seekable.js';
import type { SourceInfo } from '../../model/manifest.js';
import type { Position } from '../../model/position.js';
import { closeAll, openOthers } from '../archive/other-archives.js';
import type { CheckedSignature } from '../seal/check-signature.js';
import { type OpenedSealed, type OpenSealedOptions, openSealed } from '../seal/open-sealed.js';
import type { ChunkOf, Side } from './pair-tables.js';

/** One of the two. */
export interface DiffedSnapshot {
  /** Without secrets. */
  readonly file: string;
  readonly position: Position;
  readonly source: SourceInfo;
  /** Where keys were given. */
  readonly signature?: CheckedSignature;
}

/** One of the two, open, with the other archives that rows of it are in. */
export class OpenedSide implements Side, AsyncDisposable {
  readonly reader: ArchiveReader;
  readonly catalog: Side['catalog'];
  readonly #opened: OpenedSealed;
  #others: readonly (Seekable | undefined)[] = [];

  static async open(file: string, options: OpenSealedOptions): Promise<OpenedSide> {
    const opened = await openSealed(file, options);
    const reader = await openArchive(opened.bytes, opened);
    try {
      return new OpenedSide(opened, reader, await reader.readCatalog());
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  private constructor(opened: OpenedSealed, reader: ArchiveReader, catalog: Side['catalog']) {
    this.#opened = opened;
    this.reader = reader;
    this.catalog = catalog;
  }

  get manifest(): Side['manifest'] {
    return this.reader.manifest;
  }

  get told(): DiffedSnapshot {
    const { path: file, manifest } = this.reader;
    const { signature } = this.#opened;
    return { file, position: manifest.position, source: manifest.source, ...(signature && { signature }) };
  }

  /** Opens those that have some of the chunks. */
  async openOthers(chunks: readonly ChunkOf[]): Promise<void> {
    const needed = new Set(chunks.flatMap(({ table }) => table.in ?? []));
    this.#others = await openOthers(this.#opened, this.manifest, needed);
  }

  /** The archive that has one of its chunks. */
  bytesOf({ table }: ChunkOf): Seekable {
    return (table.in === undefined ? undefined : this.#others[table.in]) ?? this.reader.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#others);
    await this.reader.close();
  }
}
