// A TCP proxy between tidemark and a real server that cuts the stream of the server at a given byte, in one of two ways.
import { createServer, type Server, Socket } from 'node:net';

export interface ProxyOptions {
  readonly url: string;
  /** Which connection to harm, in the order of their coming, from 0. */
  readonly connection: number;
  /** After how many bytes from the server. */
  readonly afterBytes: number;
  /** An orderly end, or a reset. */
  readonly how: 'FIN' | 'RST';
}

export interface Proxy extends AsyncDisposable {
  /** The same database, through the proxy. */
  readonly url: string;
  /** Whether the cut was made: the connection had that many bytes. */
  readonly cut: () => boolean;
}

export async function startProxy({ url, connection, afterBytes, how }: ProxyOptions): Promise<Proxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let connections = 0;
  let cut = false;
  const server: Server = createServer({ allowHalfOpen: false }, (client) => {
    const harmed = connections === connection;
    connections += 1;
    let left = afterBytes;
    const upstream = new Socket().connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (data) => upstream.write(data));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (data) => {
      if (!harmed || data.length < left) {
        left -= data.length;
        if (!client.write(data)) {
          upstream.pause();
          client.once('drain', () => upstream.resume());
        }
        return;
      }
      cut = true;
      client.write(data.subarray(0, left), () => (how === 'RST' ? client.resetAndDestroy() : client.end()));
      upstream.removeAllListeners('data');
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(address.port);
  // One connection a session: otherwise one that was cut at its first byte, the answer to a request for TLS, is tried again without.
  through.searchParams.set('sslmode', 'disable');
  return {
    url: through.href,
    cut: () => cut,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
