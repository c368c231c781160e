// A store in S3, or in anything that speaks its language (R2, MinIO, Ceph, ...): a prefix in a bucket. Uploads are in upload.ts; here is the
// rest of the contract. docs/stores.md says which rights the credentials need.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { TidemarkError } from '../../model/errors.js';
import { checkedSource } from '../checked-source.js';
import { checkKey, checkPrefix, isKey } from '../key.js';
import { backoff, type Patience } from '../patience.js';
import { type Answer, resumingRead, type Wanted } from '../resuming-read.js';
import {
  aDayMs,
  type CleanUpOptions,
  type GetOptions,
  type PutOptions,
  type Store,
  type StoredObject,
  type WrittenObject,
} from '../store.js';
import { changed, checkConditions, missing, outOfRange } from '../store-errors.js';
import { Connection, toSecond } from './connection.js';
import { BadReply, explain, isConflict, isMissing, isOutOfRange, isTransient } from './s3-errors.js';
import { type ClientOptions, createClient, loadSdk, type Sdk } from './sdk.js';
import { upload } from './upload.js';

export interface S3Options extends ClientOptions {
  /** Bytes of the parts of an upload, larger where the size of the whole demands it. Default 16 MiB: 156 GiB of unknown size. */
  readonly partBytes?: number;
  /** Parts sent at a time; memory is one more than that of parts. Default 4. */
  readonly parallelParts?: number;
}

export interface S3StoreOptions extends S3Options {
  readonly bucket: string;
  /** Without a slash at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly location: string;
  readonly stallMs: number;
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
  /** How the SDK is loaded. */
  readonly load?: () => Promise<Sdk>;
}

export class S3Store implements Store {
  readonly location: string;
  readonly writable = true;
  readonly #connection: Connection;
  /** With a slash at its end, or empty. */
  readonly #prefix: string;
  readonly #partBytes: number;
  readonly #parallel: number;

  private constructor(connection: Connection, { prefix, location, partBytes = 16 << 20, parallelParts = 4 }: S3StoreOptions) {
    this.location = location;
    this.#connection = connection;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#partBytes = partBytes;
    this.#parallel = parallelParts;
  }

  /** Sends nothing yet. @throws TidemarkError PACKAGE_MISSING, USAGE */
  static async open(options: S3StoreOptions): Promise<S3Store> {
    const { bucket, location, signal, stallMs, patience = backoff(5, signal) } = options;
    const sdk = await loadSdk(options.load);
    const client = await createClient(sdk, options, stallMs);
    return new S3Store(new Connection({ sdk, client, bucket, location, patience, signal }), options);
  }

  async *list(prefix = ''): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix);
    const { sdk, client, bucket, options } = this.#connection;
    let token: string | undefined;
    do {
      const from = token === undefined ? {} : { ContinuationToken: token };
      // Names may hold what XML cannot: foreign ones, as ours cannot.
      const about = { Bucket: bucket, Prefix: `${this.#prefix}${prefix}`, EncodingType: 'url', ...from } as const;
      const page = await this.#connection.run(`list ${prefix}`, () => client.send(new sdk.ListObjectsV2Command(about), options));
      const decode = page.EncodingType === 'url' ? decodeName : (name: string) => name;
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        const key = decode(Key ?? '').slice(this.#prefix.length);
        if (Size !== undefined && ETag !== undefined && key.startsWith(prefix) && isKey(key))
          yield { key, bytes: BigInt(Size), version: ETag, modifiedAt: toSecond(LastModified) };
      }
      token = nextPage(page.IsTruncated, page.NextContinuationToken, `list ${prefix} of ${this.location}`);
    } while (token !== undefined);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const found = await this.#connection.head(this.#name(key));
    return found && { key, bytes: found.bytes, version: found.version, modifiedAt: found.modifiedAt };
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void> {
    const name = this.#name(key);
    const { location } = this;
    const { range, version } = options;
    if (range?.bytes === 0n) {
      const found = await this.stat(key);
      if (found === undefined) throw missing(location, key);
      if (version !== undefined && found.version !== version) throw changed(location, key);
      if (range.from > found.bytes) throw outOfRange(location, key, found.bytes);
      return;
    }
    yield* resumingRead({
      location,
      key,
      ...options,
      patience: this.#connection.patience,
      open: (wanted) => this.#open(key, name, wanted),
      isTransient,
      explain: (error) => explain(error, `read ${key} of ${location}`),
    });
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<WrittenObject> {
    const name = this.#name(key);
    checkConditions(options);
    const { bytes, version, modifiedAt, vouched } = await upload(checkedSource(source, `${key} of ${this.location}`, options), {
      connection: this.#connection,
      key,
      name,
      put: options,
      partBytes: this.#partBytes,
      parallel: this.#parallel,
    });
    if (options.sha256 !== undefined) await this.#readBack(key, version, options.sha256);
    return { key, bytes, version, modifiedAt, vouched };
  }

  async remove(key: string): Promise<void> {
    const { sdk, client, bucket, options } = this.#connection;
    const name = this.#name(key);
    await this.#connection.run(`remove ${key}`, () => client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: name }), options));
  }

  /** Of a store that is a whole bucket, all uploads of that age are aborted, whoever began them: an upload does not tell. */
  async cleanUp({ prefix = '', olderThanMs = aDayMs, only = () => true }: CleanUpOptions = {}): Promise<number> {
    checkPrefix(prefix);
    const { sdk, client, bucket, options } = this.#connection;
    const attempt = `abort what was left of uploads of ${this.location}`;
    const stale: { readonly Key: string; readonly UploadId: string }[] = [];
    let marker: { KeyMarker: string; UploadIdMarker?: string } | undefined;
    do {
      const about = { Bucket: bucket, Prefix: `${this.#prefix}${prefix}`, ...marker };
      const page = await this.#connection.run(attempt, () => client.send(new sdk.ListMultipartUploadsCommand(about), options));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined || !Key.startsWith(about.Prefix)) continue;
        if (!only(Key.slice(this.#prefix.length))) continue;
        // All of them are meant, also those of a server whose clock is ahead.
        if (olderThanMs === 0 || Date.now() - Initiated.getTime() >= olderThanMs) stale.push({ Key, UploadId });
      }
      const next = nextPage(page.IsTruncated, page.NextKeyMarker, attempt);
      marker =
        next === undefined
          ? undefined
          : { KeyMarker: next, ...(page.NextUploadIdMarker ? { UploadIdMarker: page.NextUploadIdMarker } : {}) };
    } while (marker !== undefined);
    for (const one of stale) {
      const abort = () => client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, ...one }), options);
      await this.#connection.run(attempt, abort, isNoSuchUpload).catch((error: unknown) => {
        if (!isNoSuchUpload(error)) throw error;
      });
    }
    return stale.length;
  }

  async free(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.client.destroy();
  }

  #name(key: string): string {
    checkKey(key);
    return `${this.#prefix}${key}`;
  }

  async #open(key: string, name: string, { from, end, version }: Wanted): Promise<Answer> {
    const { sdk, client, bucket, options } = this.#connection;
    const isWhole = from === 0n && end === undefined;
    const about = {
      Bucket: bucket,
      Key: name,
      // Of the whole, too: then it is told how long that is, apart from how long the reply is.
      Range: `bytes=${from}-${end === undefined ? '' : end - 1n}`,
      ...(version === undefined ? {} : { IfMatch: version }),
    };
    try {
      const reply = await client.send(new sdk.GetObjectCommand(about), options);
      const { Body, ETag, ContentLength, ContentRange } = reply;
      if (Body === undefined || ETag === undefined || ContentLength === undefined)
        throw new BadReply('a reply without a body, size or ETag');
      const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '');
      if (!isWhole && range === null) throw new BadReply('a reply without a range');
      const [, first, last, total] = range ?? [];
      const answered = range
        ? { from: BigInt(first ?? 0), end: BigInt(last ?? 0) + 1n, bytes: BigInt(total ?? 0) }
        : { from: 0n, end: BigInt(ContentLength), bytes: BigInt(ContentLength) };
      return { ...answered, version: ETag, body: Body as AsyncIterable<Uint8Array> };
    } catch (error) {
      if (isMissing(error)) throw missing(this.location, key);
      if (isConflict(error)) throw changed(this.location, key);
      if (isOutOfRange(error)) return this.#openEmpty(key, isWhole);
      throw error;
    }
  }

  /** What has no bytes has no range of them either. */
  async #openEmpty(key: string, isWhole: boolean): Promise<Answer> {
    const found = await this.stat(key);
    if (found === undefined) throw missing(this.location, key);
    if (!isWhole || found.bytes > 0n) throw outOfRange(this.location, key, found.bytes);
    return { from: 0n, end: 0n, bytes: 0n, version: found.version, body: Readable.from([]) };
  }

  async #readBack(key: string, version: string, sha256: string): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of this.get(key, { version })) hash.update(chunk);
    if (hash.digest('hex') === sha256.toLowerCase()) return;
    throw new TidemarkError('STORE_ERROR', `write ${key} of ${this.location}: read back, it does not have the SHA-256 of what was sent`, {
      hint: 'do not use it; see the log of the server',
      details: { key },
    });
  }
}

/** @throws TidemarkError STORE_ERROR for a page that says there are more, and not how to get them */
function nextPage(isTruncated: boolean | undefined, next: string | undefined, attempt: string): string | undefined {
  if (!isTruncated) return undefined;
  if (next) return next;
  throw new TidemarkError('STORE_ERROR', `${attempt}: the server does not say where the list goes on`);
}

function decodeName(name: string): string {
  return decodeURIComponent(name.replaceAll('+', ' '));
}

function isNoSuchUpload(error: unknown): boolean {
  return (error as Error).name === 'NoSuchUpload';
}
