// `tidemark run`, as a process: begins, looks, takes, serves, reloads, ends.
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../server/index.js';
import { startChain } from './daemon-process.js';

test('takes one at once, the next when the height has passed its mark, and ends in order', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon();
  expect(await daemon.line(/^created/, 0)).toMatchObject({ level: 'info', msg: 'created chain-1', height: '1' });
  await chain.processTo(150n);
  expect(await daemon.line(/^created/, daemon.lines.length)).toMatchObject({ msg: 'created chain-150' });
  daemon.signal('SIGTERM');
  expect(await daemon.ended).toBe(0);
  expect(daemon.lines.at(-1)).toMatchObject({ msg: 'ended' });
  expect(daemon.stderr).toBe('');
  expect(await chain.archives()).toEqual(['chain-1.tar.zst', 'chain-150.tar.zst']);
  expect((await chain.files()).filter((name) => name.startsWith('.') && !name.includes('.token-'))).toEqual([]);
  await eventually('its sessions are gone', async () => (await chain.sessions()) === 0);
});

test('a notification makes it look at once; the folder may be emptied meanwhile', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon({ poll: { every: '1h', listen: 'new block' } });
  await daemon.line(/^created/, 0);
  await eventually('it listens', async () => {
    const rows = await chain.db.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'tidemark listener' AND query LIKE 'LISTEN%'`,
    );
    return rows.length > 0;
  });
  await rm(chain.store, { recursive: true });
  await chain.processTo(5n);
  const created = daemon.line(/^created/);
  await chain.db.run('NOTIFY "new block"');
  expect(await created).toMatchObject({ msg: 'created chain-5' });
});

test('SIGUSR2 makes it take one now', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon({ poll: { every: '1h' } });
  await daemon.line(/^created/, 0);
  const created = daemon.line(/^created/);
  await chain.processTo(5n);
  daemon.signal('SIGUSR2');
  expect(await created).toMatchObject({ msg: 'created chain-5', reason: 'asked for' });
});

test('serves how things stand, to programs and to people', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon({ http: { port: 0 } });
  const { url } = await daemon.line(/^status page at/, 0);
  await daemon.line(/^created/, 0);
  const get = async (path: string) => await fetch(`${url}${path}`.replace(/([^:])\/\//, '$1/'));
  const health = await get('/healthz');
  expect([health.status, await health.text()]).toEqual([200, expect.stringMatching(/^ok: /)]);
  expect(await (await get('/status')).json()).toMatchObject({ healthy: true, prefix: 'chain', newest: { id: 'chain-1' } });
  expect(await (await get('/metrics')).text()).toContain('tidemark_snapshots_created_total 1');
  expect(await (await get('/')).text()).toContain('chain-1');
});

test('SIGHUP takes the configuration as it is now; a wrong one leaves the old one at work', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon();
  await daemon.line(/^created/, 0);
  const file = await chain.configure({ prefix: 'other', retention: { last: 1 } });
  let told = daemon.line(/^created/);
  daemon.signal('SIGHUP');
  expect(await told).toMatchObject({ msg: 'created other-1' });
  await writeFile(file, '{ "store": "elsewhere", "retain": 1 }');
  told = daemon.line(/could not take the changed configuration/);
  daemon.signal('SIGHUP');
  expect(await told).toMatchObject({ level: 'error', err: { code: 'USAGE', message: expect.stringContaining('retain') } });
  await chain.processTo(150n);
  expect(await daemon.line(/^removed/)).toMatchObject({ msg: 'removed other-1' });
  expect(await chain.archives()).toEqual(['chain-1.tar.zst', 'other-150.tar.zst']);
});

test('a configuration that cannot be served leaves the old one at work, where it was served', async () => {
  await using chain = await startChain();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const daemon = await chain.daemon({ http: { port: 0 } });
    const { url } = await daemon.line(/^status page at/, 0);
    await daemon.line(/^created/, 0);
    await chain.configure({ prefix: 'other', http: { port: (taken.address() as AddressInfo).port } });
    const told = daemon.line(/could not take the changed configuration/);
    daemon.signal('SIGHUP');
    expect(await told).toMatchObject({ err: { code: 'LISTEN_FAILED' } });
    const created = daemon.line(({ msg }) => msg === 'created chain-150');
    await chain.processTo(150n);
    await created;
    expect((await fetch(String(url))).status).toBe(200);
  } finally {
    taken.close();
  }
});

test('at the end it takes a last one where the rules say so', async () => {
  await using chain = await startChain();
  const daemon = await chain.daemon({ atShutdown: true });
  await daemon.line(/^created/, 0);
  await chain.processTo(7n);
  daemon.signal('SIGTERM');
  expect(await daemon.ended).toBe(0);
  expect(await chain.archives()).toEqual(['chain-1.tar.zst', 'chain-7.tar.zst']);
});

test('tells a URL of success, and another one of failure', async () => {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      bodies.push([request.url, JSON.parse(text)]);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await using chain = await startChain();
    const webhook = { success: `${origin}/good`, failure: `${origin}/bad` };
    const daemon = await chain.daemon({ webhook });
    await daemon.line(/^created/, 0);
    await chain.db.run('ALTER TABLE blocks RENAME TO blocks_of_old');
    await daemon.line(/height query/, 0);
    await chain.db.run('ALTER TABLE blocks_of_old RENAME TO blocks');
    await chain.configure({ webhook, reserve: '1000PB' });
    daemon.signal('SIGHUP');
    // With the former one the snapshot of this height would be taken, and none would fail.
    await daemon.line(/^took the configuration/, 0);
    await chain.processTo(500n);
    await daemon.line(/^snapshot failed/, 0);
    daemon.signal('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(bodies).toEqual(
      expect.arrayContaining([
        ['/good', expect.anything()],
        ['/bad', expect.anything()],
      ]),
    );
  } finally {
    server.close();
  }
});

test('what keeps it from starting is told, with an exit code', async () => {
  await using chain = await startChain();
  const wrong = await chain.daemon({ rules: [] });
  expect(await wrong.ended).toBe(2);
  expect(wrong.stderr).toContain('tidemark.config.json');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const { port } = taken.address() as AddressInfo;
    const late = await chain.daemon({ http: { port } });
    expect(await late.ended).toBe(7);
    expect(late.stderr).toContain(String(port));
  } finally {
    taken.close();
  }
});
