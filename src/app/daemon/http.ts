// The daemon's HTTP server: whether it is at work, how things stand for programs and for people, and metrics. It only answers; what there
// is to answer comes from its source. Nothing here needs a login, and no answer holds a secret.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { TidemarkError } from '../../model/errors.js';
import { toJson } from '../json.js';
import type { Status } from '../schedule/status.js';
import type { Logger } from './log.js';
import type { Metrics } from './metrics.js';
import { pagePolicy, renderPage } from './page.js';

export interface StatusSource {
  status(): Promise<Status>;
  /** Whether the daemon itself is at work: whether it looks at its database. Not whether there are fresh snapshots. */
  alive(): { readonly ok: boolean; readonly reason: string };
}

export interface ServeOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly source: StatusSource;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly log?: Pick<Logger, 'warn'>;
  /** How long close() waits for answers under way. Default 2,000. */
  readonly graceMs?: number;
}

export interface StatusServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets answers under way get through, and cuts whoever stays on. */
  close(): Promise<void>;
}

interface Answer {
  readonly code?: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Resolves when requests are taken.
 *  @throws TidemarkError LISTEN_FAILED */
export async function serveStatus({ host, port, source, metrics, log, graceMs = 2000 }: ServeOptions): Promise<StatusServer> {
  const status = shared(() => source.status());
  const routes: Readonly<Record<string, (query: string) => Answer | Promise<Answer>>> = {
    '/': async (query) => {
      const body = renderPage(await status(), { now: new Date(), ...refreshOf(query) });
      return { type: 'text/html; charset=utf-8', body, headers: { 'content-security-policy': pagePolicy } };
    },
    '/healthz': () => {
      const { ok, reason } = source.alive();
      return { code: ok ? 200 : 503, ...text(`${ok ? 'ok' : 'not at work'}: ${reason}`) };
    },
    '/metrics': async () => ({ type: metrics.contentType, body: await metrics.render(await status()) }),
    '/status': async () => ({ type: 'application/json', body: `${toJson(await status())}\n` }),
  };

  const answer = async ({ method = '', url = '' }: IncomingMessage): Promise<Answer> => {
    const [path = '', query = ''] = url.split('?', 2);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return { code: 404, ...text('there is nothing here') };
    if (method !== 'GET' && method !== 'HEAD')
      return { code: 405, ...text('GET and HEAD only'), headers: { allow: 'GET, HEAD', connection: 'close' } };
    try {
      return await route(query);
    } catch (error) {
      log?.warn({ err: error, path }, 'a request could not be answered');
      // What others throw may name anything.
      return { code: 500, ...text(error instanceof TidemarkError ? error.message : 'this did not work; the log says why') };
    }
  };

  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const done = answer(request)
      .then((found) => send(response, found))
      .catch(() => undefined) // the client has gone
      .finally(() => underWay.delete(done));
    underWay.add(done);
  });
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenFailed(error, host, port);
  }
  const { port: bound } = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closeServer();
    return closed;
  };
  const closeServer = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    let late: NodeJS.Timeout | undefined;
    const grace = new Promise((resolve) => {
      late = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.allSettled(underWay), grace]);
    clearTimeout(late);
    server.closeAllConnections();
    await ended;
  };
  return { url: `http://${hostOfUrl(host)}:${bound}/`, port: bound, close, [Symbol.asyncDispose]: close };
}

/** Many that ask at once get one answer: it is a look into the store. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function send(response: ServerResponse, { code = 200, type, body, headers = {} }: Answer): Promise<void> {
  const bytes = Buffer.from(body);
  response.writeHead(code, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(bytes); // of a HEAD, node:http keeps the body back
  await finished(response);
}

function text(line: string): Answer {
  return { type: 'text/plain; charset=utf-8', body: `${line}\n` };
}

/** `refresh=30`: whoever leaves the page open may have it renew itself. */
function refreshOf(query: string): { refreshSeconds?: number } {
  const seconds = Number(new URLSearchParams(query).get('refresh') ?? Number.NaN);
  return Number.isInteger(seconds) && seconds >= 5 && seconds <= 3600 ? { refreshSeconds: seconds } : {};
}

function hostOfUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

const listenProblems: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EADDRINUSE: ['the port is in use', 'choose another port, or end the program that has it; port 0 takes any that is free'],
  EACCES: ['this port is not for everybody', 'choose a port from 1024 on'],
  EADDRNOTAVAIL: ['this machine has no such address', 'choose an address of this machine, or 0.0.0.0 for all of them'],
  ENOTFOUND: ['there is no such host', 'choose an address of this machine, or 0.0.0.0 for all of them'],
};

function listenFailed(error: unknown, host: string, port: number): TidemarkError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [what, hint] = (Object.hasOwn(listenProblems, code) && listenProblems[code]) || [message];
  const hinted = hint === undefined ? {} : { hint };
  return new TidemarkError('LISTEN_FAILED', `serve the status at ${hostOfUrl(host)}:${port}: ${what}`, { ...hinted, cause: error });
}
