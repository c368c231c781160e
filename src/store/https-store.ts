// A store that others publish over HTTPS, for reading: an object is what lies at the URL of the store with the key behind it. Nothing is
// listed or written there. Secrets (a password, a token in the query) are sent, and are in no message.
import { TidemarkError } from '../model/errors.js';
import { checkKey } from './key.js';
import { backoff, type Patience, patiently } from './patience.js';
import { type Answer, resumingRead, type Wanted } from './resuming-read.js';
import type { GetOptions, Store, StoredObject } from './store.js';
import { changed, missing, outOfRange } from './store-errors.js';

export interface HttpsOptions {
  /** Sent with each request to the store's own host. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the global one: for a proxy, say. */
  readonly fetch?: typeof fetch;
}

export interface HttpsStoreOptions extends HttpsOptions {
  readonly stallMs: number;
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
}

const mostRedirects = 5;
const readOnlyHint = 'it can be read only; write to the place that it is served from';

/** The network's fault, or a passing one of the server. */
class Passing extends Error {}

export class HttpsStore implements Store {
  readonly location: string;
  readonly writable = false;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: HttpsStoreOptions;
  readonly #patience: Patience;

  /** @throws TidemarkError USAGE for a URL of plain HTTP, but on this machine */
  constructor(url: URL, options: HttpsStoreOptions) {
    const base = new URL(url);
    this.location = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
    if (!isSafe(base)) {
      throw new TidemarkError('USAGE', `open the store ${this.location}: plain HTTP can be read and changed by anybody on the way`, {
        hint: 'use https://; http:// is for this machine alone',
      });
    }
    const { username, password } = base;
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
    this.#headers = { ...(username === '' && password === '' ? {} : { authorization: `Basic ${basic}` }), ...options.headers };
    base.username = '';
    base.password = '';
    this.#base = base;
    this.#options = options;
    this.#patience = options.patience ?? backoff(5, options.signal);
  }

  async *list(): AsyncGenerator<StoredObject, void> {
    yield* this.#refuseList();
  }

  #refuseList(): readonly StoredObject[] {
    throw new TidemarkError('USAGE', `list ${this.location}: HTTPS has no lists`, {
      hint: 'name the snapshot; latest.json tells the newest one',
    });
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    try {
      return await patiently(this.#patience, isPassing, async () => {
        await using exchange = await this.#send('HEAD', key, {});
        const { response } = exchange;
        if (response.status === 404 || response.status === 410) return undefined;
        this.#refuse(key, response);
        const bytes = length(response);
        if (bytes === undefined)
          throw this.#error(key, 'the server does not say how long it is', 'serve it as a file, not compressed on the way');
        const at = new Date(response.headers.get('last-modified') ?? Number.NaN);
        return { key, bytes, version: versionOf(response, bytes), modifiedAt: Number.isNaN(at.getTime()) ? undefined : at };
      });
    } catch (error) {
      throw this.#explain(key, error);
    }
  }

  get(key: string, options: GetOptions = {}): AsyncIterable<Uint8Array> {
    checkKey(key);
    return this.#read(key, options);
  }

  put(): Promise<never> {
    return Promise.reject(new TidemarkError('USAGE', `write to ${this.location}: HTTPS is for reading`, { hint: readOnlyHint }));
  }

  remove(): Promise<never> {
    return Promise.reject(new TidemarkError('USAGE', `remove from ${this.location}: HTTPS is for reading`, { hint: readOnlyHint }));
  }

  cleanUp(): Promise<never> {
    return Promise.reject(new TidemarkError('USAGE', `clean up ${this.location}: HTTPS is for reading`, { hint: readOnlyHint }));
  }

  async free(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async *#read(key: string, options: GetOptions): AsyncGenerator<Uint8Array, void> {
    const { location } = this;
    if (options.range?.bytes === 0n) {
      const found = await this.stat(key);
      if (found === undefined) throw missing(location, key);
      if (options.version !== undefined && found.version !== options.version) throw changed(location, key);
      if (options.range.from > found.bytes) throw outOfRange(location, key, found.bytes);
      return;
    }
    yield* resumingRead({
      location,
      key,
      ...options,
      patience: this.#patience,
      open: (wanted) => this.#open(key, wanted),
      isTransient: isPassing,
      explain: (error) => this.#explain(key, error),
    });
  }

  async #open(key: string, { from, end, version }: Wanted): Promise<Answer> {
    const isWhole = from === 0n && end === undefined;
    const exchange = await this.#send('GET', key, {
      ...(isWhole ? {} : { range: `bytes=${from}-${end === undefined ? '' : end - 1n}` }),
      // A weak ETag never matches. https://www.rfc-editor.org/rfc/rfc9110#name-if-match
      ...(version?.startsWith('"') ? { 'if-match': version } : {}),
    });
    try {
      const { response } = exchange;
      if (response.status === 412) throw changed(this.location, key);
      const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
      if (response.status === 416) throw outOfRange(this.location, key, (await this.stat(key))?.bytes ?? 0n);
      this.#refuse(key, response);
      if (!isWhole && (response.status !== 206 || range === null)) {
        throw this.#error(key, 'the server does not know ranges', 'serve it by one that does, or load the whole file first');
      }
      const whole = length(response);
      const [, first, last, total] = range ?? [];
      if (range === null && whole === undefined)
        throw this.#error(key, 'the server does not say how long it is', 'serve it as a file, not compressed on the way');
      const answered = range
        ? { from: BigInt(first ?? 0), end: BigInt(last ?? 0) + 1n, bytes: BigInt(total ?? 0) }
        : { from: 0n, end: whole ?? 0n, bytes: whole ?? 0n };
      return { ...answered, version: versionOf(response, answered.bytes), body: exchange.body() };
    } catch (error) {
      await exchange[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Follows redirects, to HTTPS only; what is secret goes to the store's own host only. */
  async #send(method: 'GET' | 'HEAD', key: string, headers: Record<string, string>): Promise<Exchange> {
    let url = this.#urlOf(key);
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const own = url.origin === this.#base.origin ? this.#headers : {};
      const exchange = await Exchange.begin(
        url.href,
        { method, headers: { ...own, ...headers, 'accept-encoding': 'identity' } },
        this.#options,
      );
      const { response } = exchange;
      const to = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || to === null) return exchange;
      await exchange[Symbol.asyncDispose]();
      const next = URL.canParse(to, url.href) ? new URL(to, url) : undefined;
      if (next === undefined || !(next.protocol === 'https:' || next.origin === this.#base.origin)) {
        throw this.#error(key, 'the server sends to another place that is not HTTPS', 'name the place where it is served by HTTPS');
      }
      url = next;
    }
    throw this.#error(key, `more than ${mostRedirects} redirects`, 'name the place where it is served');
  }

  #urlOf(key: string): URL {
    checkKey(key);
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${key.split('/').map(encodeURIComponent).join('/')}`;
    return url;
  }

  /** @throws for all but success */
  #refuse(key: string, response: Response): void {
    const { status, headers } = response;
    if (status === 404 || status === 410) throw missing(this.location, key);
    if (status >= 500 || status === 408 || status === 429) throw new Passing(`the server answers ${status}`);
    if (status !== 200 && status !== 206) {
      const hint = status === 401 || status === 403 ? 'check the user, the password or the token of its URL' : 'check its URL';
      throw this.#error(key, `the server answers ${status}`, hint, { status });
    }
    const encoding = headers.get('content-encoding');
    if (encoding !== null && encoding !== 'identity') throw this.#error(key, 'the server compresses it on the way', 'serve it as it is');
  }

  #error(key: string, what: string, hint: string, details: Record<string, unknown> = {}): TidemarkError {
    return new TidemarkError('STORE_ERROR', `read ${key} of ${this.location}: ${what}`, { hint, details: { key, ...details } });
  }

  #explain(key: string, error: unknown): Error {
    if (error instanceof TidemarkError) return error;
    if (this.#options.signal?.aborted) return new TidemarkError('ABORTED', `read ${key} of ${this.location}: stopped`);
    return this.#error(key, reasonOf(error), 'check the network and the server; it was tried several times');
  }
}

/** One request and its answer; given up when nothing comes for a while. */
class Exchange implements AsyncDisposable {
  readonly response: Response;
  readonly #controller: AbortController;
  readonly #stallMs: number;
  readonly #end: () => void;

  private constructor(response: Response, controller: AbortController, stallMs: number, end: () => void) {
    this.response = response;
    this.#controller = controller;
    this.#stallMs = stallMs;
    this.#end = end;
  }

  static async begin(
    url: string,
    init: { readonly method: string; readonly headers: Record<string, string> },
    { fetch: get = fetch, stallMs, signal }: HttpsStoreOptions,
  ): Promise<Exchange> {
    const controller = new AbortController();
    const stop = () => controller.abort();
    const end = () => signal?.removeEventListener('abort', stop);
    if (signal?.aborted) throw new TidemarkError('ABORTED', 'read from a store: stopped');
    signal?.addEventListener('abort', stop);
    try {
      const request = get(url, { ...init, redirect: 'manual', signal: controller.signal });
      return new Exchange(await withinTime(request, stallMs, controller), controller, stallMs, end);
    } catch (error) {
      end();
      throw signal?.aborted ? new TidemarkError('ABORTED', 'read from a store: stopped') : new Passing(reasonOf(error));
    }
  }

  async *body(): AsyncGenerator<Uint8Array, void> {
    try {
      const reader = this.response.body?.getReader();
      for (;;) {
        const { done, value } = (await (reader && withinTime(reader.read(), this.#stallMs, this.#controller))) ?? {
          done: true,
          value: undefined,
        };
        if (done || value === undefined) return;
        yield value;
      }
    } catch (error) {
      throw new Passing(reasonOf(error));
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    this.#controller.abort();
  }
}

async function withinTime<T>(work: Promise<T>, ms: number, controller: AbortController): Promise<T> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort();
  }, ms);
  try {
    return await work;
  } catch (error) {
    throw isLate ? new Error(`nothing came for ${ms} ms`) : error;
  } finally {
    clearTimeout(timer);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Passing;
}

/** fetch says "fetch failed", and why in the cause; its messages hold no URL, a cause's code is that of the network. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? message;
}

function length(response: Response): bigint | undefined {
  const text = response.headers.get('content-length');
  return text !== null && /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/** An ETag; where there is none, the time of the last change and the length. */
function versionOf({ headers }: Response, bytes: bigint): string {
  return headers.get('etag') ?? `${headers.get('last-modified') ?? ''} ${bytes}`;
}

/** Nobody is between us and a server on this machine. */
function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
