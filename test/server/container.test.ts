// Whether a Docker engine answers is found out quickly, whatever is or is not there.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { engineAnswers } from './container.js';

async function listening(server: Server): Promise<AsyncDisposable & { port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

test('an engine that answers its ping is there', async () => {
  await using engine = await listening(
    createServer((request, response) => response.writeHead(request.url === '/_ping' ? 200 : 404).end('OK')),
  );
  expect(await engineAnswers(`tcp://127.0.0.1:${engine.port}`)).toBe(true);
});

test('one that takes the connection and says nothing is not', async () => {
  await using engine = await listening(createServer(() => undefined));
  expect(await engineAnswers(`tcp://127.0.0.1:${engine.port}`)).toBe(false);
});

test.each([
  ['answers with an error', 500],
  ['is a proxy that asks for a login', 407],
])('one that %s is not', async (_what, status) => {
  await using engine = await listening(createServer((_request, response) => response.writeHead(status).end()));
  expect(await engineAnswers(`tcp://127.0.0.1:${engine.port}`)).toBe(false);
});

test.each(['unix:///nonexistent/docker.sock', 'tcp://127.0.0.1:1', 'ssh://user@host', 'not a URL'])('none is at %s', async (dockerHost) => {
  expect(await engineAnswers(dockerHost)).toBe(false);
});
