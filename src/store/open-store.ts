// Opens the store that a URL or a path names. The kinds of stores are told apart here and nowhere else.
import { setMaxListeners } from 'node:events';
import { type OptionNames, refuseUnknownOptions } from '../model/option-names.js';
import { DirectoryStore } from './directory-store.js';
import { type HttpsOptions, HttpsStore } from './https-store.js';
import { backoff } from './patience.js';
import { type S3Options, S3Store } from './s3/s3-store.js';
import type { Store } from './store.js';
import { parseStoreUrl } from './store-url.js';

export interface StoreOptions {
  /** What a URL of S3 does not say, and what does not belong in one: credentials. What the URL says goes before it. */
  readonly s3?: S3Options;
  readonly https?: HttpsOptions;
  /** How often a request is sent that fails for a reason that may pass. Default 5. */
  readonly attempts?: number;
  /** How long a connection may be silent before it counts as lost. Default 60 s. */
  readonly stallMs?: number;
  /** Ends everything that the store is doing. */
  readonly signal?: AbortSignal;
}

const storeOptionNames: OptionNames<StoreOptions> = { s3: true, https: true, attempts: true, stallMs: true, signal: true };

/** Nothing is read or written yet, and a directory need not be there.
 *  @param url a path, `file:///path`, `s3://bucket/prefix?endpoint=...&region=...&path-style=...&profile=...&part-size=...`, `https://host/path`
 *  @throws TidemarkError USAGE, PACKAGE_MISSING */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  refuseUnknownOptions(options, storeOptionNames, 'open a store');
  const { s3 = {}, https = {}, attempts = 5, stallMs = 60_000, signal: given } = options;
  const parsed = parseStoreUrl(url);
  // Each request listens to it, and Node warns of more than ten: to a signal of our own, so that others keep their warning.
  const signal = given && AbortSignal.any([given]);
  if (signal) setMaxListeners(0, signal);
  const network = { stallMs, patience: backoff(attempts, signal), ...(signal ? { signal } : {}) };
  if (parsed.kind === 'directory') return new DirectoryStore(parsed.path);
  if (parsed.kind === 'https') return new HttpsStore(parsed.url, { ...https, ...network });
  const { bucket, prefix, location, settings } = parsed;
  return S3Store.open({ ...s3, ...settings, ...network, bucket, prefix, location });
}
