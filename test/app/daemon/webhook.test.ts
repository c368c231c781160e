// Calls to a real HTTP server that answers as it is told. Pauses and timeouts are the test's own.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createWebhook, type WebhookOptions } from '#dist/app/daemon/webhook.js';
import type { SchedulerEvent } from '#dist/app/schedule/events.js';
import { TidemarkError } from '#dist/model/errors.js';
import { now, sampleSnapshot } from './sample-status.js';

const snapshot = sampleSnapshot(0);
const created: SchedulerEvent = { type: 'created', snapshot, reason: 'every 151200 of height', durationMs: 95_400 };
const failed: SchedulerEvent = {
  type: 'failed',
  error: new TidemarkError('DISK_FULL', 'write archive: no space left on device', { hint: 'make room' }),
  next: [],
  durationMs: 7,
};
const drilled = (ok: boolean): SchedulerEvent => ({
  type: 'drilled',
  snapshot,
  drill: { at: now, durationMs: 1, ok, ...(ok ? { rows: 5n } : { problem: 'rows are missing' }) },
});

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

type Reaction = number | 'hang' | { readonly redirect: string };

/** Reacts to the nth call as told, to further ones with 200. */
async function startReceiver(...reactions: Reaction[]) {
  const calls: Call[] = [];
  const hanging: ServerResponse[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const body = await text(request);
    calls.push({ method, path, headers, body: body === '' ? undefined : JSON.parse(body) });
    const reaction = reactions[calls.length - 1] ?? 200;
    server.emit('called');
    if (reaction === 'hang') hanging.push(response);
    else if (typeof reaction === 'number') response.writeHead(reaction).end('thank you');
    else response.writeHead(302, { location: reaction.redirect }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    origin: `http://127.0.0.1:${port}`,
    called: () => once(server, 'called'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function webhookFor(options: Partial<WebhookOptions>) {
  const troubles: TidemarkError[] = [];
  const pauses: number[] = [];
  const webhook = createWebhook({
    timeoutMs: 10_000,
    onTrouble: (error) => troubles.push(error),
    wait: async (ms) => void pauses.push(ms),
    ...options,
  });
  return { webhook, troubles, pauses };
}

test('a snapshot is told to the URL for success', async () => {
  await using receiver = await startReceiver();
  const { webhook, troubles } = webhookFor({ success: `${receiver.origin}/ping/uuid`, failure: `${receiver.origin}/fail` });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toEqual([
    {
      method: 'POST',
      path: '/ping/uuid',
      headers: expect.objectContaining({ 'content-type': 'application/json', 'user-agent': expect.stringMatching(/^tidemark\//) }),
      body: {
        event: 'created',
        snapshot: 'indexer-45360000',
        height: '45360000',
        at: snapshot.position.at.toISOString(),
        sha256: 'ab'.repeat(32),
        bytes: '1234567890',
        rows: '9007199254740993',
        durationMs: 95_400,
        reason: 'every 151200 of height',
      },
    },
  ]);
  expect(troubles).toEqual([]);
});

test('a failure is told to the URL for failure', async () => {
  await using receiver = await startReceiver();
  const { webhook } = webhookFor({ success: `${receiver.origin}/ok`, failure: `${receiver.origin}/fail` });
  webhook.onEvent(failed);
  await webhook.settled();
  expect(receiver.calls).toMatchObject([
    {
      path: '/fail',
      body: { event: 'failed', code: 'DISK_FULL', message: 'write archive: no space left on device', hint: 'make room', durationMs: 7 },
    },
  ]);
});

test('drills are told, a good one not while snapshots fail', async () => {
  await using receiver = await startReceiver();
  const { webhook } = webhookFor({ success: `${receiver.origin}/ok`, failure: `${receiver.origin}/fail` });
  for (const event of [drilled(true), drilled(false), failed, drilled(true), created, drilled(true)]) webhook.onEvent(event);
  await webhook.settled();
  expect(receiver.calls.map(({ path, body }) => `${path} ${(body as { event: string }).event}`)).toEqual([
    '/ok drilled',
    '/fail drilled',
    '/fail failed',
    '/ok created',
    '/ok drilled',
  ]);
  expect(receiver.calls[1]?.body).toMatchObject({ snapshot: 'indexer-45360000', ok: false, problem: 'rows are missing' });
});

test('nothing is called for other events, or without a URL', async () => {
  await using receiver = await startReceiver();
  const { webhook } = webhookFor({ success: `${receiver.origin}/ok` });
  for (const event of [failed, { type: 'removed', snapshot }, { type: 'creating', reason: 'x' }] satisfies SchedulerEvent[])
    webhook.onEvent(event);
  await webhook.settled();
  expect(receiver.calls).toEqual([]);
});

test('a server that fails gets it again, after growing pauses', async () => {
  await using receiver = await startReceiver(500, 503);
  const { webhook, troubles, pauses } = webhookFor({ success: receiver.origin });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toHaveLength(3);
  expect(pauses).toEqual([1000, 5000]);
  expect(troubles).toEqual([]);
});

test('three attempts are all', async () => {
  await using receiver = await startReceiver(500, 500, 500, 500);
  const { webhook, troubles } = webhookFor({ success: `${receiver.origin}/secret-uuid?token=secret` });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toHaveLength(3);
  expect(troubles).toMatchObject([
    {
      code: 'WEBHOOK_FAILED',
      message: `call the webhook at ${receiver.origin}: it answers HTTP 500, at attempt 3`,
      hint: expect.any(String),
    },
  ]);
  expect(JSON.stringify(troubles[0]) + String(troubles[0]?.stack)).not.toContain('secret');
});

test('what the caller got wrong is not tried again', async () => {
  await using receiver = await startReceiver(404);
  const { webhook, troubles } = webhookFor({ success: receiver.origin });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toHaveLength(1);
  expect(troubles).toMatchObject([{ message: expect.stringContaining('it answers HTTP 404') }]);
});

test('a redirect is not followed', async () => {
  await using elsewhere = await startReceiver();
  await using receiver = await startReceiver({ redirect: `${elsewhere.origin}/there` });
  const { webhook, troubles } = webhookFor({ success: receiver.origin });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toHaveLength(1);
  expect(elsewhere.calls).toEqual([]);
  expect(troubles).toMatchObject([
    { message: expect.stringContaining('redirects elsewhere (HTTP 302)'), hint: expect.stringContaining('redirects') },
  ]);
});

test('a connection that is refused is tried again, then told', async () => {
  const receiver = await startReceiver();
  await receiver[Symbol.asyncDispose]();
  const { webhook, troubles, pauses } = webhookFor({ success: `${receiver.origin}/secret` });
  webhook.onEvent(created);
  await webhook.settled();
  expect(pauses).toEqual([1000, 5000]);
  expect(troubles.map(({ message }) => message)).toEqual([
    `call the webhook at ${receiver.origin}: it cannot be reached (ECONNREFUSED), at attempt 3`,
  ]);
});

test('a server that hangs is left after the time for an attempt', async () => {
  await using receiver = await startReceiver('hang');
  const timeouts: AbortController[] = [];
  const asked: number[] = [];
  const { webhook, troubles } = webhookFor({
    success: receiver.origin,
    timeout: (ms) => {
      asked.push(ms);
      timeouts.push(new AbortController());
      return timeouts.at(-1)?.signal as AbortSignal;
    },
  });
  const called = receiver.called();
  webhook.onEvent(created);
  await called;
  timeouts[0]?.abort();
  await webhook.settled();
  expect(receiver.calls).toHaveLength(2);
  expect(asked).toEqual([10_000, 10_000]);
  expect(troubles).toEqual([]);
});

test('at the end, a signal cuts short what hangs, and what waits', async () => {
  await using receiver = await startReceiver('hang');
  const { webhook, troubles } = webhookFor({ success: receiver.origin, failure: receiver.origin });
  const called = receiver.called();
  webhook.onEvent(created);
  webhook.onEvent(failed);
  await called;
  await webhook.settled({ signal: AbortSignal.abort() });
  expect(receiver.calls).toHaveLength(1);
  expect(troubles.map(({ message }) => message)).toEqual(Array(2).fill(`call the webhook at ${receiver.origin}: the process ends`));
});

test('a pause ends with the process, too', async () => {
  await using receiver = await startReceiver(500);
  const stop = new AbortController();
  let paused: () => void = () => undefined;
  const pausing = new Promise<void>((resolve) => {
    paused = resolve;
  });
  const { webhook, troubles } = webhookFor({
    success: receiver.origin,
    wait: (_, signal) => {
      paused();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  webhook.onEvent(created);
  await pausing;
  const settled = webhook.settled({ signal: stop.signal });
  stop.abort();
  await settled;
  expect(troubles).toHaveLength(1);
});

test('calls come in the order of their events, one at a time', async () => {
  await using receiver = await startReceiver(500, 500);
  const { webhook } = webhookFor({ success: `${receiver.origin}/ok`, failure: `${receiver.origin}/fail` });
  webhook.onEvent(failed);
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls.map(({ path }) => path)).toEqual(['/fail', '/fail', '/fail', '/ok']);
});

test('calls that pile up are refused', async () => {
  await using receiver = await startReceiver('hang');
  const { webhook, troubles } = webhookFor({ success: receiver.origin });
  for (let count = 0; count < 52; count += 1) webhook.onEvent(created);
  expect(troubles.map(({ message }) => message)).toEqual(Array(2).fill(expect.stringContaining('50 calls are waiting')));
  await webhook.settled({ signal: AbortSignal.abort() });
});

test('a listener that throws does no harm', async () => {
  await using receiver = await startReceiver(404);
  const { webhook } = webhookFor({
    success: receiver.origin,
    onTrouble: () => {
      throw new Error('mine');
    },
  });
  webhook.onEvent(created);
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls).toHaveLength(2);
});

test('user and password of the URL go into the header', async () => {
  await using receiver = await startReceiver();
  const { webhook } = webhookFor({ success: receiver.origin.replace('//', '//me:p%40ss@') });
  webhook.onEvent(created);
  await webhook.settled();
  expect(receiver.calls[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
});

test.each(['secret', 'ftp://secret.example/', 'file:///secret', 'http://', 'http://%zz:secret@example.com/'])(
  '%s cannot be called',
  (url) => {
    const act = (): unknown => createWebhook({ failure: url, timeoutMs: 1 });
    expect(act).toThrow(expect.objectContaining({ code: 'USAGE', message: 'set up the webhook for failure: its URL cannot be called' }));
    expect(act).not.toThrow(/secret/);
  },
);
