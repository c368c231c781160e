// A small HTTP server of files in memory, as people publish snapshots: ranges, ETags, conditions; every request is on record.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly origin: string;
  /** By path, with a slash before it. */
  readonly files: Map<string, Buffer>;
  /** `METHOD path range` of each request. */
  readonly seen: { readonly what: string; readonly headers: IncomingMessage['headers'] }[];
  /** Bytes of bodies that were sent. */
  bytes: number;
  /** How many bytes of its body the n-th request is sent before the connection ends; default: all. Undefined: no answer at all.
   *  A promise holds the request up. */
  sends: (n: number, what: string) => number | undefined | Promise<number | undefined>;
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, Buffer>();
  const etags = new WeakMap<Buffer, string>();
  const etagOf = (content: Buffer): string => {
    const etag = etags.get(content) ?? `"${createHash('md5').update(content).digest('hex')}"`;
    etags.set(content, etag);
    return etag;
  };
  const server = createServer(async ({ method, url = '/', headers }, response) => {
    const { pathname } = new URL(url, 'http://host');
    const content = files.get(decodeURIComponent(pathname));
    const what = `${method} ${pathname} ${headers.range ?? ''}`.trimEnd();
    const send = await one.sends(one.seen.push({ what, headers }) - 1, what);
    if (send === undefined) return void response.destroy();
    if (content === undefined) return void response.writeHead(404).end();
    const etag = etagOf(content);
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return void response.writeHead(412).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    const end = Math.min(range?.[2] ? Number(range[2]) + 1 : content.length, content.length);
    if (range && first >= content.length) return void response.writeHead(416).end();
    const body = content.subarray(first, end);
    const about = { etag, 'content-length': body.length };
    if (range) response.writeHead(206, { ...about, 'content-range': `bytes ${first}-${end - 1}/${content.length}` });
    else response.writeHead(200, about);
    if (method === 'HEAD') return void response.end();
    one.bytes += Math.min(send, body.length);
    if (send >= body.length) return void response.end(body);
    response.write(body.subarray(0, send), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const one: FileServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    seen: [],
    bytes: 0,
    sends: () => Number.POSITIVE_INFINITY,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return one;
}
