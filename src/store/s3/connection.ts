// One bucket and the requests that are sent to it: each tried again while it fails for a reason that may pass, and failing in words.
import type { Patience } from '../patience.js';
import { patiently } from '../patience.js';
import { BadReply, explain, isDenied, isMissing, isNoBucket, isNotImplemented, isTransient } from './s3-errors.js';
import type { Client, Sdk } from './sdk.js';

export interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** An object as a HEAD tells it. */
export interface Head {
  readonly bytes: bigint;
  readonly version: string;
  readonly modifiedAt: Date | undefined;
  /** Who wrote it: see `writeMark`. */
  readonly write: string | undefined;
  /** What the server says that the SHA-256 is, in base64, of an upload in parts with `-<parts>` behind it; where it was asked, and knows. */
  readonly sha256: string | undefined;
}

/** Metadata with a random value for each write: tells whether an object is the one that was written, when the reply was lost. */
export const writeMark = 'tidemark-write';

export interface ConnectionOptions {
  readonly sdk: Sdk;
  readonly client: Client;
  readonly bucket: string;
  readonly location: string;
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
}

export class Connection {
  readonly sdk: Sdk;
  readonly client: Client;
  readonly bucket: string;
  readonly location: string;
  readonly patience: Patience;
  readonly options: SendOptions;
  /** Until a server is found that does not take them. */
  #takesChecksums = true;
  /** Some reply was from it. */
  #hasBucket = false;

  constructor({ sdk, client, bucket, location, patience, signal }: ConnectionOptions) {
    this.sdk = sdk;
    this.client = client;
    this.bucket = bucket;
    this.location = location;
    this.patience = patience;
    this.options = signal ? { abortSignal: signal } : {};
  }

  /** @throws TidemarkError STORE_ERROR, ABORTED; what `pass` is true of goes through as it is */
  async run<T>(attempt: string, work: () => Promise<T>, pass: (error: unknown) => boolean = () => false): Promise<T> {
    try {
      return await patiently(this.patience, (error) => isTransient(error) && !pass(error), work);
    } catch (error) {
      if (pass(error)) throw error;
      throw explain(error, `${attempt} of ${this.location}`);
    }
  }

  /** Sends with a checksum, or without one where the server does not know what that is. */
  async withChecksums<T>(send: (withThem: boolean) => Promise<T>): Promise<T> {
    if (!this.#takesChecksums) return send(false);
    try {
      return await send(true);
    } catch (error) {
      if (!isNotImplemented(error)) throw error;
      const reply = await send(false);
      this.#takesChecksums = false;
      return reply;
    }
  }

  /** @param name the whole name, with the store's prefix */
  async head(name: string, more: { readonly checksum?: true } = {}): Promise<Head | undefined> {
    try {
      return await this.run(`look at ${name}`, () => this.#headOnce(name, more), isMissing);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #headOnce(name: string, { checksum }: { readonly checksum?: true }): Promise<Head> {
    const about = { Bucket: this.bucket, Key: name, ...(checksum && { ChecksumMode: 'ENABLED' as const }) };
    const found = await this.client.send(new this.sdk.HeadObjectCommand(about), this.options).catch(async (error: unknown) => {
      if (isMissing(error) && !this.#hasBucket) await this.#checkBucket(name);
      throw isDenied(error) ? await this.#reasonOf(name, error) : error;
    });
    this.#hasBucket = true;
    if (found.ETag === undefined || found.ContentLength === undefined) throw new BadReply('a reply without a size or an ETag');
    return {
      bytes: BigInt(found.ContentLength),
      version: found.ETag,
      modifiedAt: toSecond(found.LastModified),
      write: found.Metadata?.[writeMark],
      sha256: found.ChecksumSHA256,
    };
  }

  /** The reply to a HEAD has no body, so it does not tell a wrong key from a wrong clock. */
  async #reasonOf(name: string, error: unknown): Promise<unknown> {
    const reason = await this.#refusalOf(name);
    return isDenied(reason) ? reason : error;
  }

  /** Nor does it tell a missing object from a missing bucket. Asked once for all. @throws what the SDK throws where there is no bucket, and where it
   *  cannot be told now */
  async #checkBucket(name: string): Promise<void> {
    const reason = await this.#refusalOf(name);
    if (isNoBucket(reason) || (reason !== undefined && isTransient(reason))) throw reason;
    this.#hasBucket = true;
  }

  /** What the server says to a request whose reply has a body. Undefined where it gives what was asked for. */
  async #refusalOf(name: string): Promise<unknown> {
    try {
      const about = { Bucket: this.bucket, Key: name, Range: 'bytes=0-0' };
      const { Body } = await this.client.send(new this.sdk.GetObjectCommand(about), this.options);
      for await (const _ of (Body ?? []) as AsyncIterable<Uint8Array>);
      return undefined;
    } catch (reason) {
      return reason;
    }
  }
}

/** A list tells milliseconds that a HEAD does not. */
export function toSecond(at: Date | undefined): Date | undefined {
  return at && new Date(Math.floor(at.getTime() / 1000) * 1000);
}
