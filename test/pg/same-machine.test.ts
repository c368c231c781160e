import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { isOnThisMachine } from '#dist/pg/same-machine.js';
import type { Session } from '#dist/pg/session.js';

test.each([
  ['127.0.0.1', true],
  // Linux connects to it from 127.0.0.1.
  ['127.0.0.2', false],
])('a server at %s: %s', async (host, here) => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const stream = connect({ host, port: (server.address() as AddressInfo).port });
  await once(stream, 'connect');
  expect(isOnThisMachine({ client: { connection: { stream } } } as unknown as Session)).toBe(here);
  stream.destroy();
  server.close();
});
