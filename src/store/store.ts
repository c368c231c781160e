// What a place for snapshots must be able to do: keep objects under keys, whole or not at all. Directories, memory, S3 and HTTPS do it, each
// in a file of its own, and all pass the same contract (test/store/contract.ts). What the objects mean is for others.

/** An object as it was at one time. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: bigint;
  /** Opaque; another one after the object was written again. An ETag, or what a file system tells. */
  readonly version: string;
  /** When it was written, by the store's clock, to the second at least. Undefined where a server does not tell. */
  readonly modifiedAt: Date | undefined;
}

export interface WrittenObject extends StoredObject {
  /** The store tells the SHA-256 of what it has, and it is that of what was sent: nothing needs to be read to know that it is there. */
  readonly vouched?: boolean;
}

/** Bytes that must all be in the object. */
export interface ByteRange {
  readonly from: bigint;
  readonly bytes: bigint;
}

export interface GetOptions {
  /** Default: the whole object. */
  readonly range?: ByteRange;
  /** Any other version is an error, before the first byte or in the middle. Several reads of one object are of the same one only by it. */
  readonly version?: string;
}

export interface PutOptions {
  /** Fails where there is an object of that key. */
  readonly ifAbsent?: boolean;
  /** Fails unless the object has this version: of several that replace the same version, one succeeds. */
  readonly ifVersion?: string;
  /** How many bytes the source has. Another number is an error, and nothing is written. */
  readonly size?: bigint;
  /** At most about so many bytes, where the size is not known: the size of the parts of an upload follows from it. */
  readonly expectedBytes?: bigint;
  /** SHA-256 of the whole, in hex. Another one is an error, and nothing is written; a remote store is read back whole, too. */
  readonly sha256?: string;
}

export interface CleanUpOptions {
  /** Of keys that begin with it. Default: all of the store. */
  readonly prefix?: string;
  /** Which of them; temporary files of a directory have no key, those of processes that are gone go. Default: all. */
  readonly only?: (key: string) => boolean;
  /** What is younger may still be written by somebody. Default a day. */
  readonly olderThanMs?: number;
}

/** Objects under keys: names with `/` between their parts. An object appears whole, or not at all, and stays as it is until it is replaced
 *  or removed. All methods throw TidemarkError: STORE_ERROR or FILE_ERROR where the store fails, USAGE for a key that cannot be. */
export interface Store extends AsyncDisposable {
  /** Where it is, for messages: a path, or a URL without secrets. */
  readonly location: string;
  /** False where it can only be read, and has no lists. */
  readonly writable: boolean;
  /** Objects whose keys begin with `prefix` (any text, not only whole parts of names), in no order. */
  list(prefix?: string): AsyncIterable<StoredObject>;
  /** Undefined where there is no such object. */
  stat(key: string): Promise<StoredObject | undefined>;
  /** The bytes, exactly as many as there should be; a lost connection is taken up where it broke. Nothing happens before the first is asked
   *  for. @throws TidemarkError OBJECT_MISSING, STORE_CONFLICT for another version, STORE_ERROR for a range that is not within the object */
  get(key: string, options?: GetOptions): AsyncIterable<Uint8Array>;
  /** Writes an object, or replaces it; durable and read back when it resolves. An error of the source passes as it is, and nothing is
   *  written. Chunks of the source are not used after the next one was asked for. @throws TidemarkError STORE_CONFLICT, DISK_FULL */
  put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<WrittenObject>;
  /** Removes an object, if it is there. */
  remove(key: string): Promise<void>;
  /** Removes what writers left behind that were killed: temporary files, uploads never completed. @returns how many */
  cleanUp(options?: CleanUpOptions): Promise<number>;
  /** Bytes that may still be written; undefined where nobody knows. */
  free(): Promise<bigint | undefined>;
}

export const aDayMs = 86_400_000;
