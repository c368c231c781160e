// Writes one object to S3: small ones by one request, others as an upload of equal parts, several at a time. A write counts only when the
// object was looked at afterwards and found to be the one that was sent: replies get lost, and some of success have an error in them.
import { createHash, randomUUID } from 'node:crypto';
import { TidemarkError } from '../../model/errors.js';
import type { PutOptions } from '../store.js';
import { writeConflict } from '../store-errors.js';
import { type Connection, type Head, writeMark } from './connection.js';
import { cutParts, limits, type Part, partBytesFor } from './parts.js';
import { BadReply, explain, isConflict, isTransient } from './s3-errors.js';

export interface UploadOptions {
  readonly connection: Connection;
  readonly key: string;
  /** The whole name, with the store's prefix. */
  readonly name: string;
  readonly put: PutOptions;
  readonly partBytes: number;
  readonly parallel: number;
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly ChecksumSHA256?: string;
}

/** The object as it was found afterwards. */
export interface Uploaded extends Head {
  /** The server tells the SHA-256 of what it has, and it is that of what was sent. */
  readonly vouched: boolean;
}

export async function upload(source: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<Uploaded> {
  const { put } = options;
  const upTo = put.size ?? put.expectedBytes;
  const partBytes = put.size !== undefined && put.size < options.partBytes ? Number(put.size) || 1 : partBytesFor(options.partBytes, upTo);
  const one = new Upload(options, partBytes);
  await one.checkConditions();
  const parts = cutParts(source, partBytes);
  const { value: first } = await parts.next();
  if (first === undefined) throw new Error('a source without a part');
  return first.isLast ? one.whole(first.body) : one.inParts(first, parts);
}

class Upload {
  readonly #to: UploadOptions;
  readonly #partBytes: number;
  readonly #write = randomUUID();
  readonly #attempt: string;

  constructor(to: UploadOptions, partBytes: number) {
    this.#to = to;
    this.#partBytes = partBytes;
    this.#attempt = `write ${to.key}`;
  }

  /** Before gigabytes are sent for nothing, and for servers that do not know conditions of writes: the window is small then, not none. */
  async checkConditions(): Promise<void> {
    const { connection, name, key, put } = this.#to;
    if (!put.ifAbsent && put.ifVersion === undefined) return;
    const found = await connection.head(name);
    const wrong = put.ifAbsent ? found !== undefined : found?.version !== put.ifVersion;
    if (wrong) throw writeConflict(connection.location, key, put);
  }

  async whole(body: Buffer): Promise<Uploaded> {
    const { connection } = this.#to;
    const checksum = sha256(body);
    await this.#commit(() =>
      connection.withChecksums((withThem) =>
        connection.client.send(
          new connection.sdk.PutObjectCommand({
            ...this.#object(),
            ...this.#conditions(),
            Body: body,
            ContentLength: body.length,
            Metadata: { [writeMark]: this.#write },
            ...(withThem ? { ChecksumSHA256: checksum } : {}),
          }),
          connection.options,
        ),
      ),
    );
    return this.#readBack(BigInt(body.length), checksum);
  }

  async inParts(first: Part, rest: AsyncGenerator<Part, void>): Promise<Uploaded> {
    const { connection } = this.#to;
    let id: string;
    try {
      id = await connection.run(`begin to ${this.#attempt}`, () => connection.withChecksums((withThem) => this.#begin(withThem)));
    } catch (error) {
      await rest.return();
      throw error;
    }
    try {
      const { sent, bytes } = await this.#sendAll(id, first, rest);
      await this.checkConditions();
      await this.#complete(id, sent);
      return await this.#readBack(bytes, checksumOfParts(sent));
    } catch (error) {
      await this.#abort(id);
      throw error;
    }
  }

  async #begin(withChecksums: boolean): Promise<string> {
    const { sdk, client, options } = this.#to.connection;
    const reply = await client.send(
      new sdk.CreateMultipartUploadCommand({
        ...this.#object(),
        Metadata: { [writeMark]: this.#write },
        ...(withChecksums ? { ChecksumAlgorithm: 'SHA256' } : {}),
      }),
      options,
    );
    if (reply.UploadId === undefined) throw new BadReply('a reply without an upload');
    return reply.UploadId;
  }

  /** Bounded: as many buffers as parts at a time, and the one that is filled. All have ended when this ends, in an error, too: a part that
   *  comes after the upload was aborted would be kept, and paid for. */
  async #sendAll(id: string, first: Part, rest: AsyncGenerator<Part, void>): Promise<{ sent: SentPart[]; bytes: bigint }> {
    const sent: SentPart[] = [];
    const running = new Set<Promise<void>>();
    let bytes = 0n;
    const failures: unknown[] = [];
    let number = 0;
    const start = (part: Part): void => {
      number += 1;
      if (number > limits.parts) throw this.#tooMany();
      bytes += BigInt(part.body.length);
      const one = this.#send(id, number, part.body)
        .then((done) => {
          sent.push(done);
          part.release();
        })
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => running.delete(one));
      running.add(one);
    };
    try {
      start(first);
      for (;;) {
        while (running.size >= this.#to.parallel && failures.length === 0) await Promise.race(running);
        if (failures.length > 0) throw failures[0];
        const { value: part, done } = await rest.next();
        if (done) break;
        start(part);
      }
    } finally {
      await rest.return();
      await Promise.all(running);
    }
    if (failures.length > 0) throw failures[0];
    return { sent: sent.sort((a, b) => a.PartNumber - b.PartNumber), bytes };
  }

  #send(id: string, number: number, body: Buffer): Promise<SentPart> {
    const { connection } = this.#to;
    const { sdk, client, options } = connection;
    const checksum = sha256(body);
    return connection.run(`${this.#attempt}, part ${number},`, () =>
      connection.withChecksums(async (withThem) => {
        const about = { UploadId: id, PartNumber: number, Body: body, ContentLength: body.length };
        const own = withThem ? { ChecksumSHA256: checksum } : {};
        const { ETag } = await client.send(new sdk.UploadPartCommand({ ...this.#object(), ...about, ...own }), options);
        if (ETag === undefined) throw new BadReply('a reply without an ETag');
        return { PartNumber: number, ETag, ...own };
      }),
    );
  }

  #complete(id: string, Parts: SentPart[]): Promise<void> {
    const { sdk, client, options } = this.#to.connection;
    return this.#commit(() =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...this.#object(),
          ...this.#conditions(),
          UploadId: id,
          MultipartUpload: { Parts },
        }),
        options,
      ),
    );
  }

  /** Does what makes the object visible. A failure is one only when the object that is there is not ours. */
  async #commit(send: () => Promise<{ readonly ETag?: string | undefined }>): Promise<void> {
    const { connection, key, name, put } = this.#to;
    const { patience, location } = connection;
    for (let failures = 1; ; failures += 1) {
      try {
        const { ETag } = await send();
        if (ETag === undefined) throw new BadReply('a reply without an ETag');
        return;
      } catch (error) {
        if (connection.options.abortSignal?.aborted) throw explain(error, `${this.#attempt} of ${location}`);
        if ((await connection.head(name))?.write === this.#write) return;
        if (isConflict(error)) throw writeConflict(location, key, put);
        if (put.ifVersion !== undefined && isNoSuchKey(error)) throw writeConflict(location, key, put);
        if (!isTransient(error) || failures >= patience.attempts) throw explain(error, `${this.#attempt} of ${location}`);
        await patience.wait(failures);
      }
    }
  }

  /** @param checksum that it should have, where the server was given any
   *  @throws TidemarkError STORE_ERROR where the server tells another one */
  async #readBack(bytes: bigint, checksum: string | undefined): Promise<Uploaded> {
    const { connection, key, name } = this.#to;
    const found = await connection.head(name, { checksum: true });
    if (found?.write === this.#write && found.bytes === bytes) {
      const { sha256: told } = found;
      const vouched = told !== undefined && checksum !== undefined && withoutParts(told) === withoutParts(checksum);
      if (vouched || !isLike(told, checksum)) return { ...found, vouched };
      throw new TidemarkError('STORE_ERROR', `${this.#attempt} of ${connection.location}: the server has other bytes than were sent`, {
        hint: 'do not use it; see the log of the server',
        details: { key, told, sent: checksum },
      });
    }
    const ours = found?.write === this.#write;
    throw new TidemarkError(
      ours ? 'STORE_ERROR' : 'STORE_CONFLICT',
      `${this.#attempt} of ${connection.location}: read back, it ${ours ? `has ${found.bytes} of ${bytes} bytes` : 'is not what was written'}`,
      {
        hint: ours
          ? 'do not use it; see the log of the server'
          : 'somebody else has written or removed it meanwhile, or the server keeps no metadata',
        details: { key },
      },
    );
  }

  /** Where that fails, too, the upload is left for `cleanUp`: the error that led here says more. */
  async #abort(id: string): Promise<void> {
    const { connection } = this.#to;
    const { sdk, client } = connection;
    const send = () => client.send(new sdk.AbortMultipartUploadCommand({ ...this.#object(), UploadId: id }));
    // Not stopped by the signal that stopped the upload.
    await connection.run(`abort to ${this.#attempt}`, send).catch(() => undefined);
  }

  #tooMany(): TidemarkError {
    const most = (BigInt(this.#partBytes) * BigInt(limits.parts)) / 2n ** 30n;
    return new TidemarkError('STORE_ERROR', `${this.#attempt} of ${this.#to.connection.location}: more than ${limits.parts} parts`, {
      hint: `parts of ${this.#partBytes} bytes suffice for ${most} GiB; set larger ones: ?part-size=...`,
    });
  }

  #object(): { Bucket: string; Key: string } {
    return { Bucket: this.#to.connection.bucket, Key: this.#to.name };
  }

  #conditions(): { IfNoneMatch?: string; IfMatch?: string } {
    const { ifAbsent, ifVersion } = this.#to.put;
    return { ...(ifAbsent ? { IfNoneMatch: '*' } : {}), ...(ifVersion === undefined ? {} : { IfMatch: ifVersion }) };
  }
}

function isNoSuchKey(error: unknown): boolean {
  return (error as Error).name === 'NoSuchKey';
}

/** That of a whole made of parts: the SHA-256 of theirs, and how many.
 *  https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function checksumOfParts(sent: readonly SentPart[]): string | undefined {
  const hash = createHash('sha256');
  for (const { ChecksumSHA256 } of sent) {
    if (ChecksumSHA256 === undefined) return undefined;
    hash.update(Buffer.from(ChecksumSHA256, 'base64'));
  }
  return `${hash.digest('base64')}-${sent.length}`;
}

/** Some servers leave the number of parts out. */
function withoutParts(checksum: string): string {
  return checksum.replace(/-\d+$/, '');
}

/** Both of a whole, or both of parts. A server may make something else of the parts' checksums. */
function isLike(told: string | undefined, checksum: string | undefined): boolean {
  return told !== undefined && checksum !== undefined && /-\d+$/.exec(told)?.[0] === /-\d+$/.exec(checksum)?.[0];
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64');
}
