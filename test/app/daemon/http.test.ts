// The HTTP server from outside.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ServeOptions, serveStatus } from '#dist/app/daemon/http.js';
import { createMetrics } from '#dist/app/daemon/metrics.js';
import { TidemarkError } from '#dist/model/errors.js';
import { sampleStatus, troubledStatus } from './sample-status.js';

function serve(options: Partial<ServeOptions> & { status?: () => Promise<ReturnType<typeof sampleStatus>>; alive?: boolean } = {}) {
  const { status = async () => sampleStatus(), alive = true, ...rest } = options;
  const source = { status, alive: () => ({ ok: alive, reason: 'looked at the database 2 s ago' }) };
  return serveStatus({ host: '127.0.0.1', port: 0, source, metrics: createMetrics(), ...rest });
}

test.each([
  ['/', 'text/html; charset=utf-8', /^<!doctype html>/],
  ['/?refresh=30', 'text/html; charset=utf-8', /<meta http-equiv="refresh" content="30">/],
  ['/healthz', 'text/plain; charset=utf-8', /^ok: looked at the database 2 s ago\n$/],
  ['/status', 'application/json', /^\{.*\}\n$/],
  ['/metrics', 'text/plain; version=0.0.4; charset=utf-8', /^tidemark_healthy 1$/m],
])('%s', async (path, type, body) => {
  await using server = await serve();
  const got = await fetch(new URL(path, server.url));
  expect(got.status).toBe(200);
  expect(got.headers.get('content-type')).toBe(type);
  expect(await got.text()).toMatch(body);

  const head = await fetch(new URL(path, server.url), { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toBe(type);
  expect(await head.text()).toBe('');
});

test('no answer is stored, guessed, framed or taken elsewhere', async () => {
  await using server = await serve();
  for (const path of ['/', '/healthz', '/status', '/metrics', '/nothing']) {
    const { headers } = await fetch(new URL(path, server.url));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  }
});

test('/status is the status with all digits, whether things are well or not', async () => {
  await using server = await serve({ status: async () => troubledStatus() });
  const got = await fetch(new URL('/status', server.url));
  expect(got.status).toBe(200);
  expect(await got.json()).toMatchObject({
    healthy: false,
    newest: { id: 'indexer-45360000', position: { height: '45360000', lsn: '1/23456789' }, verification: { rows: '9007199254740993' } },
    failures: { inARow: 2 },
  });
});

test('/healthz is of the daemon, not of the snapshots', async () => {
  await using server = await serve({ status: async () => troubledStatus() });
  expect((await fetch(new URL('/healthz', server.url))).status).toBe(200);
  await using stuck = await serve({ alive: false });
  const got = await fetch(new URL('/healthz', stuck.url));
  expect(got.status).toBe(503);
  expect(await got.text()).toBe('not at work: looked at the database 2 s ago\n');
});

test.each(['/nothing', '/status/', '//', '/toString', '/%00', '/healthz%20'])('%s is not found', async (path) => {
  await using server = await serve();
  const got = await fetch(server.url.slice(0, -1) + path);
  expect(got.status).toBe(404);
});

test('other methods are refused', async () => {
  await using server = await serve();
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const got = await fetch(new URL('/status', server.url), { method, ...(method === 'PUT' ? { body: 'x'.repeat(100_000) } : {}) });
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('GET, HEAD');
  }
});

test.each(['4', '3601', '-30', 'x', '', '30.5', '1e9'])('refresh=%s is left out', async (seconds) => {
  await using server = await serve();
  expect(await (await fetch(new URL(`/?refresh=${seconds}`, server.url))).text()).not.toContain('http-equiv');
});

test('a status that cannot be had is a 500 that says why only where that is safe', async () => {
  const logged: unknown[] = [];
  const log = { warn: (facts: unknown) => void logged.push(facts) };
  await using server = await serve({ status: () => Promise.reject(new TidemarkError('FILE_ERROR', 'list "/x": gone')), log });
  const got = await fetch(new URL('/status', server.url));
  expect([got.status, await got.text()]).toEqual([500, 'list "/x": gone\n']);

  const error = new Error('postgres://user:secret@host');
  await using other = await serve({ status: () => Promise.reject(error), log });
  expect(await (await fetch(other.url)).text()).toBe('this did not work; the log says why\n');
  expect(logged).toMatchObject([{ path: '/status' }, { path: '/', err: error }]);
  expect((await fetch(new URL('/healthz', other.url))).status).toBe(200);
});

test('many that ask at once are one look into the store', async () => {
  let looks = 0;
  let most = 0;
  const status = async () => {
    looks += 1;
    most = Math.max(most, looks);
    for (let turn = 0; turn < 100; turn += 1) await setImmediate(); // others come meanwhile
    looks -= 1;
    return sampleStatus();
  };
  await using server = await serve({ status });
  const codes = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(new URL('/status', server.url))).status));
  expect(new Set(codes)).toEqual(new Set([200]));
  expect(most).toBe(1);
});

test('close waits for answers under way, and for no connection that is only kept', async () => {
  let answer: () => void = () => undefined;
  let asked: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = await serve({
    graceMs: 60_000,
    status: () =>
      new Promise((resolve) => {
        asked();
        answer = () => resolve(sampleStatus());
      }),
  });
  const idle = connect(server.port, '127.0.0.1');
  await once(idle, 'connect');
  await (await fetch(new URL('/healthz', server.url))).text(); // kept alive
  const slow = fetch(new URL('/status', server.url));
  await waiting;
  const closed = server.close();
  expect(server.close()).toBe(closed);
  answer();
  expect(await (await slow).json()).toMatchObject({ prefix: 'indexer' });
  await closed;
  if (!idle.closed) await once(idle, 'close');
  await expect(fetch(server.url)).rejects.toThrow('fetch failed');
});

test('close does not wait for ever for an answer that never comes', async () => {
  let asked: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = await serve({
    graceMs: 1,
    status: () => {
      asked();
      return new Promise(() => undefined);
    },
  });
  const cut = expect(fetch(new URL('/status', server.url))).rejects.toThrow();
  await waiting;
  await server.close();
  await cut;
});

test('a port that is in use is told, with what to do', async () => {
  await using server = await serve();
  await expect(serve({ port: server.port })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: `serve the status at 127.0.0.1:${server.port}: the port is in use`,
    hint: expect.stringContaining('choose another port'),
  });
});

test('an address that is not of this machine is told', async () => {
  await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringContaining('no such address'),
  });
});
