// Stands before an HTTP server and harms chosen requests: each way in which a server or a network between fails, with the work done or not.
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export const faults = [
  /** Not done, and an error that says so. */
  'error',
  /** Not done; the connection ends. */
  'refuse',
  /** Done; the connection ends before the reply. */
  'drop',
  /** Done; the connection ends in the middle of the reply's body, or of its headers. */
  'cut',
  /** Done; the reply's body ends early, in order. */
  'short',
  /** Not done; a reply of success with an error in its body. */
  '200-error',
  /** Done; a reply of success with an error in its body. */
  'done-200-error',
  /** Not done; no reply ever. */
  'stall',
] as const;

/** `lie`: not done, and a reply as if it was. Nobody gets over that, and where nothing is looked at again (a removal) nobody can tell. */
export type Fault = (typeof faults)[number] | 'lie';

export interface FaultyProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** `METHOD path?query` of all requests since it was last set to []. */
  seen: string[];
  /** Which fault the n-th request since has, from 0 on; undefined: none. */
  fault: (n: number, request: string) => Fault | undefined;
}

const lie =
  '<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult><Key>x</Key><ETag>&quot;lie&quot;</ETag></CompleteMultipartUploadResult>';
const errorBody =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>';

export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url}`;
    const fault = proxy.fault(proxy.seen.length, what);
    proxy.seen.push(what);
    harm(fault, request, response).catch(() => response.destroy());
  });

  async function harm(fault: Fault | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await collect(request);
    if (fault === 'refuse') return void response.destroy();
    if (fault === 'stall') return;
    if (fault === 'error') return void response.writeHead(503, { 'content-type': 'application/xml' }).end(errorBody);
    if (fault === '200-error') return void response.writeHead(200, { 'content-type': 'application/xml' }).end(errorBody);
    if (fault === 'lie') return void response.writeHead(200, { etag: '"lie"', 'content-type': 'application/xml' }).end(lie);
    const reply = await forward(request, body);
    const content = await collect(reply);
    if (fault === 'drop') return void response.destroy();
    if (fault === 'done-200-error') return void response.writeHead(200, { 'content-type': 'application/xml' }).end(errorBody);
    const half = content.subarray(0, content.length >> 1);
    if (fault === 'short' && half.length > 0) {
      const { 'content-length': _, ...headers } = reply.headers;
      return void response.writeHead(reply.statusCode ?? 500, { ...headers, 'content-length': half.length }).end(half);
    }
    if (fault === 'cut') {
      if (half.length === 0) return void response.destroy();
      response.writeHead(reply.statusCode ?? 500, { ...reply.headers, 'content-length': content.length });
      response.write(half, () => response.destroy());
      return;
    }
    response.writeHead(reply.statusCode ?? 500, reply.headers).end(content);
  }

  function forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      send({ hostname, port, method, path: url, headers: { ...headers, connection: 'close' } }, resolve)
        .on('error', reject)
        .end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultyProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
