// A scripted server that speaks just enough of PostgreSQL's protocol to begin a COPY, and then ends it as the script says. Only for
// endings that no real server can be made to give.
import { createServer, type Socket } from 'node:net';

export function message(type: string, body: string | Buffer = ''): Buffer {
  const content = Buffer.from(body as string, 'latin1');
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([header, content]);
}

const authenticationOk = message('R', '\0\0\0\0');
export const readyForQuery = message('Z', 'I');
export const copyOutResponse = message('H', '\0\0\0');
export const copyDone = message('c');
export const error = message('E', 'SERROR\0VERROR\0C57014\0Mbroken on purpose\0\0');
export const commandComplete = (tag: string): Buffer => message('C', `${tag}\0`);
export const row = (text: string): Buffer => message('d', `${text}\n`);

export interface FakeServer extends AsyncDisposable {
  readonly port: number;
}

/** Answers every query with the bytes of the script, then closes the connection where `close` says so. */
export async function startFakeServer(script: readonly Buffer[], { close }: { readonly close: boolean }): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let started = false;
    socket.on('data', (data) => {
      if (!started) {
        started = true;
        socket.write(Buffer.concat([authenticationOk, readyForQuery]));
      } else if (data[0] === 0x51) {
        socket.write(Buffer.concat(script));
        if (close) socket.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server has no port');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
