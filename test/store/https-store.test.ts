// Reading over HTTP: ranges, versions, connections that break, redirects, servers that do not know ranges; secrets are sent, and in no message.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { HttpsStore } from '#dist/store/https-store.js';
import { openStore } from '#dist/store/open-store.js';
import { readSmall } from '#dist/store/small-object.js';
import { read } from './contract.js';

const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
const patience = { attempts: 3, wait: () => Promise.resolve() };

type Answer = (request: IncomingMessage, response: ServerResponse, n: number) => void;

let answer: Answer;
let seen: IncomingMessage[] = [];
let origin: string;
const server = createServer((request, response) => {
  seen.push(request);
  answer(request, response, seen.length - 1);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answer = serve();
});

const store = (path = '/some/place') => new HttpsStore(new URL(`${origin}${path}`), { stallMs: 200, patience });

/** A server of files. @param send how much of a body it sends before it breaks, by request */
function serve(send: (n: number) => number = () => Number.POSITIVE_INFINITY, etag = (_: number) => '"v1"'): Answer {
  return ({ headers, method, url }, response, n) => {
    if (!url?.startsWith('/some/place/one')) return void response.writeHead(404).end();
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag(n)) return void response.writeHead(412).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    if (first >= content.length) return void response.writeHead(416).end();
    const end = Math.min(range?.[2] ? Number(range[2]) + 1 : content.length, content.length);
    const body = content.subarray(first, end);
    const about = { etag: etag(n), 'content-length': body.length };
    if (range) response.writeHead(206, { ...about, 'content-range': `bytes ${first}-${end - 1}/${content.length}` });
    else response.writeHead(200, about);
    if (method === 'HEAD') return void response.end();
    if (send(n) >= body.length) return void response.end(body);
    response.write(body.subarray(0, send(n)), () => response.destroy());
  };
}

test('look, read, read a range', async () => {
  const found = await store().stat('one.bin');
  expect(found).toEqual({ key: 'one.bin', bytes: 100_000n, version: '"v1"' });
  expect(await read(store(), 'one.bin')).toEqual(content);
  expect(await read(store(), 'one.bin', { range: { from: 1000n, bytes: 5n }, version: '"v1"' })).toEqual(content.subarray(1000, 1005));
  expect((await readSmall(store('/some/place/'), 'one.bin'))?.content).toEqual(content);
  expect(await store().stat('none')).toBeUndefined();
  await expect(read(store(), 'none')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await expect(read(store(), 'one.bin', { range: { from: 99_999n, bytes: 2n } })).rejects.toMatchObject({ code: 'STORE_ERROR' });
  await expect(read(store(), 'one.bin', { range: { from: 100_000n, bytes: 1n } })).rejects.toMatchObject({ code: 'STORE_ERROR' });
  await expect(readSmall(store(), 'one.bin', 1000)).rejects.toMatchObject({ code: 'STORE_ERROR' });
});

test('a connection that breaks is taken up where it broke, as long as there is progress', async () => {
  answer = serve(() => 7000);
  expect(await read(store(), 'one.bin')).toEqual(content);
  expect(seen.length).toBeGreaterThan(10);
  expect(seen[1]?.headers).toMatchObject({ range: expect.stringMatching(/^bytes=\d+-99999$/), 'if-match': '"v1"' });
});

test('one that breaks at once is given up', async () => {
  answer = serve(() => 0);
  await expect(read(store(), 'one.bin')).rejects.toMatchObject({ code: 'STORE_ERROR' });
  expect(seen).toHaveLength(3);
});

test.each([
  ['with a strong ETag', (n: number) => `"v${n}"`],
  ['with a weak one', (n: number) => `W/"v${n}"`],
])('what was replaced between two requests is an error: %s', async (_, etag) => {
  answer = serve(() => 50_000, etag);
  await expect(read(store(), 'one.bin')).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
  await expect(read(store(), 'one.bin', { version: '"other"' })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
});

test('a server that is busy, and one that says nothing', async () => {
  const files = serve();
  answer = (request, response, n) => void (n === 0 ? response.writeHead(503).end() : n === 1 ? undefined : files(request, response, n));
  expect(await read(store(), 'one.bin')).toEqual(content);
  answer = () => undefined;
  await expect(store().stat('one.bin')).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining('nothing came for 200 ms'),
  });
});

test('a server that does not know ranges is told of where one is needed', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-length': content.length, etag: '"v1"' }).end(content);
  expect(await read(store(), 'one.bin')).toEqual(content);
  await expect(read(store(), 'one.bin', { range: { from: 5n, bytes: 5n } })).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining('does not know ranges'),
    hint: expect.any(String),
  });
});

test('what is compressed on the way is refused', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-length': 3, 'content-encoding': 'br' }).end('abc');
  await expect(read(store(), 'one.bin')).rejects.toMatchObject({ code: 'STORE_ERROR' });
});

test('redirects: to HTTPS, without what is secret; nowhere else', async () => {
  const asked: { url: string; authorization: string | null }[] = [];
  const elsewhere: typeof fetch = async (input, init) => {
    const url = String(input);
    asked.push({ url, authorization: new Headers(init?.headers).get('authorization') });
    if (url.startsWith('https://cdn.test/')) return fetch(`${origin}/some/place/one.bin`, init);
    return new Response(null, { status: 302, headers: { location: 'https://cdn.test/x' } });
  };
  const redirected = new HttpsStore(new URL('https://user:pass%20word@host.test/dir'), { stallMs: 200, patience, fetch: elsewhere });
  expect(await read(redirected, 'one.bin')).toEqual(content);
  expect(asked).toEqual([
    { url: 'https://host.test/dir/one.bin', authorization: `Basic ${Buffer.from('user:pass word').toString('base64')}` },
    { url: 'https://cdn.test/x', authorization: null },
  ]);
  for (const to of ['http://cdn.test/x', 'http://127.0.0.1:1/x', 'file:///etc/passwd', 'http://']) {
    answer = (_, response) => void response.writeHead(301, { location: to }).end();
    seen = [];
    await expect(read(store(), 'one.bin')).rejects.toMatchObject({ code: 'STORE_ERROR' });
    expect(seen).toHaveLength(1);
  }
  answer = (_, response) => void response.writeHead(302, { location: '/loop' }).end();
  await expect(read(store(), 'one.bin')).rejects.toMatchObject({ code: 'STORE_ERROR', message: expect.stringContaining('redirects') });
});

test('nothing is listed or written', async () => {
  const readable = await openStore('https://host.test/dir');
  for (const work of [
    () => readable.list()[Symbol.asyncIterator]().next(),
    () => readable.put('x', content as never),
    () => readable.remove('x'),
    () => readable.cleanUp(),
  ]) {
    await expect(work()).rejects.toMatchObject({ code: 'USAGE', hint: expect.any(String) });
  }
  await expect(openStore('http://host.test/dir')).rejects.toMatchObject({ code: 'USAGE' });
});

test('no secret is in a message', async () => {
  answer = (_, response) => void response.writeHead(403).end();
  const url = origin.replace('//', '//user:s3cretword@');
  const secret = await openStore(`${url}/some/place?token=s3crettoken`, { attempts: 1 });
  const error = await read(secret, 'one.bin').catch((one: unknown) => one);
  expect(seen[0]?.url).toBe('/some/place/one.bin?token=s3crettoken');
  expect(seen[0]?.headers.authorization).toMatch(/^Basic /);
  expect(`${JSON.stringify(error)} ${(error as Error).message} ${String((error as Error).cause)}`).not.toMatch(/s3cret/);
  expect(secret.location).toBe(`${origin}/some/place`);
});
