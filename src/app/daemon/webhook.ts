// Tells a URL of each success and another one of each failure: a dead man's switch, or a chat. Never throws into its host, and never says
// more of a URL than its origin, as the rest is often the key to it.
import { setTimeout as pause } from 'node:timers/promises';
import { TidemarkError } from '../../model/errors.js';
import { toolVersion } from '../../model/tool-version.js';
import { toJson } from '../json.js';
import type { SchedulerEvent } from '../schedule/events.js';

export interface WebhookOptions {
  /** http(s) URL that is told of each snapshot, and of each drill that went well. */
  readonly success?: string | undefined;
  /** http(s) URL that is told of each failure. */
  readonly failure?: string | undefined;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** A call that got through to nobody. */
  readonly onTrouble?: (error: TidemarkError) => void;
  readonly fetch?: typeof globalThis.fetch;
  /** Pauses between two attempts; rejects when the signal says so. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A signal that says so after the time for an attempt. */
  readonly timeout?: (ms: number) => AbortSignal;
}

export interface Webhook {
  onEvent(event: SchedulerEvent): void;
  /** Resolves when all calls so far have ended, well or not. The signal makes them end now. */
  settled(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** After the first attempt, and after the second. */
const pausesMs = [1000, 5000];
/** Of calls that wait for the one before; beyond it something has been wrong for long. */
const maxWaiting = 50;

/** @throws TidemarkError USAGE for a URL that cannot be called */
export function createWebhook(options: WebhookOptions): Webhook {
  const { onTrouble = () => undefined } = options;
  const success = options.success === undefined ? undefined : parseTarget(options.success, 'success');
  const failure = options.failure === undefined ? undefined : parseTarget(options.failure, 'failure');
  const ending = new AbortController();
  // One after the other: a failure that is told late must not arrive after the success that followed it.
  let last = Promise.resolve();
  let waiting = 0;
  let failing = false;

  const call = (target: Target | undefined, body: unknown): void => {
    if (target === undefined) return;
    if (waiting >= maxWaiting) {
      onTrouble(troubleWith(target, `${maxWaiting} calls are waiting already`));
      return;
    }
    waiting += 1;
    last = last
      .then(() => deliver(target, toJson(body), { ...options, ending: ending.signal }))
      .then((trouble) => {
        waiting -= 1;
        if (trouble !== undefined) onTrouble(troubleWith(target, trouble));
      })
      .catch(() => undefined); // a listener's own error
  };

  return {
    onEvent(event) {
      if (event.type === 'created') {
        failing = false;
        call(success, bodyOfCreated(event));
      } else if (event.type === 'failed') {
        failing = true;
        call(failure, bodyOfFailed(event));
      } else if (event.type === 'drilled') {
        // A drill of an old snapshot is no sign that there are new ones: where they fail, the switch stays as it is.
        if (!event.drill.ok || !failing) call(event.drill.ok ? success : failure, bodyOfDrilled(event));
      }
    },
    async settled({ signal } = {}) {
      const end = (): void => ending.abort();
      if (signal?.aborted) end();
      signal?.addEventListener('abort', end, { once: true });
      try {
        await last;
      } finally {
        signal?.removeEventListener('abort', end);
      }
    },
  };
}

interface Target {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

function parseTarget(text: string, name: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const credentials = url && credentialsOf(url);
  if (url === undefined || credentials === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new TidemarkError('USAGE', `set up the webhook for ${name}: its URL cannot be called`, { hint: 'give a URL of http or https' });
  }
  const headers = { 'content-type': 'application/json', 'user-agent': `tidemark/${toolVersion}` };
  if (credentials === ':') return { url, headers };
  // fetch refuses URLs with credentials.
  url.username = '';
  url.password = '';
  return { url, headers: { ...headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

/** `user:password`; undefined where they cannot be read. */
function credentialsOf({ username, password }: URL): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    return undefined;
  }
}

interface Attempts extends Pick<WebhookOptions, 'timeoutMs' | 'fetch' | 'wait' | 'timeout'> {
  readonly ending: AbortSignal;
}

/** Undefined where it got through; else what happened the last time. */
async function deliver(target: Target, body: string, attempts: Attempts): Promise<string | undefined> {
  const { ending, wait = (ms, signal) => pause(ms, undefined, { signal }) } = attempts;
  for (let attempt = 0; ; attempt += 1) {
    const { problem, again } = await post(target, body, attempts);
    if (problem === undefined) return undefined;
    const ms = pausesMs[attempt];
    if (!again || ms === undefined || ending.aborted) return attempt === 0 ? problem : `${problem}, at attempt ${attempt + 1}`;
    try {
      await wait(ms, ending);
    } catch {
      return problem;
    }
  }
}

interface Outcome {
  readonly problem?: string;
  /** Whether another attempt may go better. */
  readonly again?: boolean;
}

async function post(target: Target, body: string, { timeoutMs, ending, ...given }: Attempts): Promise<Outcome> {
  const { fetch = globalThis.fetch, timeout = AbortSignal.timeout } = given;
  const late = timeout(timeoutMs);
  const { url, headers } = target;
  try {
    // A redirect would turn the POST into a GET of something else, and take the URL's secrets there.
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.any([late, ending]) });
    await response.body?.cancel();
    if (response.ok) return {};
    if (response.status >= 300 && response.status < 400) return { problem: `it redirects elsewhere (HTTP ${response.status})` };
    return { problem: `it answers HTTP ${response.status}`, again: response.status >= 500 };
  } catch (error) {
    if (ending.aborted) return { problem: 'the process ends' };
    if (late.aborted) return { problem: `no answer within ${timeoutMs} ms`, again: true };
    return { problem: `it cannot be reached${reasonOf(error)}`, again: true };
  }
}

/** Only the code: a message may hold the URL. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
}

function troubleWith({ url }: Target, what: string): TidemarkError {
  return new TidemarkError('WEBHOOK_FAILED', `call the webhook at ${url.origin}: ${what}`, {
    hint: what.startsWith('it redirects') ? 'give the URL that it redirects to' : 'check the URL, and whether it is reachable from here',
  });
}

type EventOf<T extends SchedulerEvent['type']> = Extract<SchedulerEvent, { readonly type: T }>;

function bodyOfCreated({ type, snapshot, reason, durationMs }: EventOf<'created'>): unknown {
  const { id, position, bytes, verification } = snapshot;
  return {
    event: type,
    snapshot: id,
    height: position.height,
    at: position.at,
    sha256: verification.sha256,
    bytes,
    rows: verification.rows,
    durationMs,
    reason,
  };
}

function bodyOfFailed({ type, error, durationMs }: EventOf<'failed'>): unknown {
  return { event: type, code: error.code, message: error.message, hint: error.hint, durationMs };
}

function bodyOfDrilled({ type, snapshot, drill }: EventOf<'drilled'>): unknown {
  return { event: type, snapshot: snapshot.id, height: snapshot.position.height, ...drill };
}
