// The rows of one range on their way from COPY to the writer: cut into chunks, compressed, sent. Compression is synchronous and takes the
// thread; the socket waits meanwhile.
import { rm } from 'node:fs/promises';
import { type Codec, frameBound } from '../frame/codec.js';
import { type CompressionParameters, chooseParameters, defaultParameters } from '../frame/compression-parameters.js';
import { type EncodedMember, encodeBody, encodeMember, encodeSpooledMember, headroom } from '../frame/encode.js';
import { chunkMember } from '../frame/member-names.js';
import { tarBytes } from '../frame/tar.js';
import { TidemarkError } from '../model/errors.js';
import { type BuiltChunk, ChunkBuilder } from './chunk-builder.js';
import type { FrameMemory } from './frame-memory.js';
import type { RangeTask, SampledRows, WorkerSettings } from './messages.js';
import type { SeenRows } from './seen-rows.js';
import type { Window } from './window.js';

/** The part of a range, and the bytes of its first chunk, that decide how its chunks are compressed: to try takes several times as long as to
 *  compress. What comes again far away shows in a megabyte only. */
const samplePart = 1 / 32;
const [leastSample, mostSample] = [64 << 10, 1 << 20];
/** A range of so few is compressed sooner than it is known how to do that best. */
const fewBytes = 32 << 10;

/** Rows are like those that were seen if they do not stay so many times as large. */
const alike = 1.05;

/** What all ranges of a reader share. */
export interface ChunkTools {
  readonly codec: Codec;
  readonly settings: WorkerSettings;
  /** Of `ChunkBuilder.allocate`. */
  readonly buffer: Buffer;
  readonly frames: FrameMemory;
  readonly window: Window;
  /** Of ranges that were not sampled. */
  readonly seen: SeenRows;
  /** A path that nobody uses. */
  spoolPath(): string;
  send(task: RangeTask, rows: bigint, member: EncodedMember): void;
  /** Something cannot be sent: nothing more is to be read, which would wait for ever. */
  stop(): void;
}

export class RangeChunks {
  /** Where the rows go. */
  readonly builder: ChunkBuilder;
  readonly #task: RangeTask;
  readonly #level: number;
  readonly #tools: ChunkTools;
  /** What is known of the rows before they come. */
  readonly #known: SampledRows | undefined;
  #chunks = 0;
  /** 'unknown' before the first chunk, and where rows are not like the sample of their table. */
  #parameters: CompressionParameters | undefined | 'unknown';
  readonly #large: Promise<void>[] = [];

  /** @param level of zstd */
  constructor(task: RangeTask, level: number, tools: ChunkTools) {
    this.#task = task;
    this.#level = level;
    this.#tools = tools;
    this.#known = task.sampled ?? tools.seen.like(task);
    this.#parameters = this.#known?.parameters ?? 'unknown';
    const { settings, buffer, window } = tools;
    const { bare = false, chunkBytes } = settings;
    const spoolPath = (): string => tools.spoolPath();
    const take = (chunk: BuiltChunk): void => this.#take(chunk);
    this.builder = new ChunkBuilder({ format: task.format, bare, chunkBytes, spoolPath, take }, buffer);
    this.builder.full = window.full;
  }

  /** Something was written: there may be room for more rows. */
  written(): void {
    const { builder } = this;
    if (!builder.full || this.#tools.window.full) return;
    builder.full = false;
    builder.onRoom?.();
  }

  /** All rows have come. @param rows as the server counted them
   *  @returns undefined where all chunks are sent, or what waits for those of large rows
   *  @throws TidemarkError COPY_INCOMPLETE */
  end(rows: bigint): Promise<unknown> | undefined {
    const { builder } = this;
    builder.end();
    if (rows !== builder.rows) {
      throw new TidemarkError('COPY_INCOMPLETE', `copy ${this.#task.table} out: the server counted ${rows} rows, ${builder.rows} came`);
    }
    return this.#large.length === 0 ? undefined : Promise.all(this.#large);
  }

  /** Not all rows have come. @throws what kept a large row from being sent */
  async abandon(): Promise<void> {
    const results = await Promise.allSettled(this.#large);
    this.builder.discard();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #take({ rows, bodyBytes, buffer, spooled }: BuiltChunk): void {
    const { codec, settings, frames, window } = this.#tools;
    const name = chunkMember(this.#task, this.#task.range, this.#chunks);
    const level = this.#level;
    if (spooled === undefined) {
      if (this.#parameters === 'unknown') this.#parameters = this.#parametersFor(buffer.subarray(headroom, headroom + bodyBytes));
      const encode = settings.bare ? encodeBody : encodeMember;
      const parameters = this.#parameters;
      window.take(bodyBytes);
      const output = frames.take(frameBound(tarBytes(bodyBytes)));
      const member = encode(codec, { name, buffer, bodyBytes, level, parameters, output });
      if (this.#chunks === 0) this.#learn(member);
      this.#tools.send(this.#task, rows, member);
    } else {
      // Large rows come one at a time.
      window.takeLarge(bodyBytes);
      const sent = this.#sendLarge(rows, { name, path: spooled, bodyBytes });
      sent.catch(() => this.#tools.stop());
      this.#large.push(sent);
    }
    this.#chunks += 1;
    this.builder.full = window.full;
  }

  /** Compares the first chunk with what was known, or tells it to the ranges after this one where that was nothing. */
  #learn({ length, rawBytes }: EncodedMember): void {
    if (rawBytes < fewBytes) return;
    const parameters = this.#parameters;
    if (this.#known === undefined) {
      if (parameters === undefined || parameters === 'unknown') return;
      this.#tools.seen.set(this.#task, { parameters, compressedTo: length / rawBytes });
    } else if (length > rawBytes * this.#known.compressedTo * alike) {
      this.#parameters = 'unknown';
      this.#tools.seen.forget(this.#task);
    }
  }

  #parametersFor(body: Buffer): CompressionParameters | undefined {
    const level = this.#level;
    if (body.length < fewBytes) return defaultParameters(level);
    const { bytes } = this.#task;
    const wanted = bytes === undefined ? mostSample : Math.max(leastSample, Number(bytes) * samplePart);
    const sample = body.subarray(0, Math.min(mostSample, wanted));
    return chooseParameters(level, (parameters) => this.#tools.codec.compress(sample, level, { parameters }).length);
  }

  async #sendLarge(rows: bigint, body: { readonly name: string; readonly path: string; readonly bodyBytes: number }): Promise<void> {
    const { codec, settings, spoolPath } = this.#tools;
    const { bare = false } = settings;
    try {
      const member = await encodeSpooledMember(codec, { ...body, bare, level: this.#level, spoolPath: spoolPath() });
      this.#tools.send(this.#task, rows, member);
    } finally {
      await rm(body.path, { force: true });
    }
  }
}
