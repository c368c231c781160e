// A pooler as small as can be: one session with the server, whose owner is whoever runs a statement, or whoever came first.
import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

interface Message {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Splits a stream into messages of the protocol; the first one of a client has no type. */
async function* messages(socket: Socket, { untyped = false } = {}): AsyncGenerator<Message> {
  let pending = Buffer.alloc(0);
  let head = untyped ? 0 : 1;
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= head + 4 && pending.length >= head + pending.readInt32BE(head)) {
      const length = head + pending.readInt32BE(head);
      yield { type: head === 0 ? 'startup' : String.fromCharCode(pending[0] ?? 0), bytes: pending.subarray(0, length) };
      pending = pending.subarray(length);
      head = 1;
    }
  }
}

export interface Pooler extends AsyncDisposable {
  readonly port: number;
  /** Runs a statement in the session that was opened first. */
  say(sql: string): void;
}

/** Starts it. In mode 'transaction' all clients share one session; in mode 'session' each has its own. Clients are given process numbers
 *  that are not the server's.
 *  @param url of a server that asks for no password */
export async function startPooler(url: string, mode: 'transaction' | 'session'): Promise<Pooler> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let first: Backend | undefined;

  const server = createServer(async (client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    let backend: Backend | undefined;
    try {
      for await (const { type, bytes } of messages(client, { untyped: true })) {
        if (type === 'startup') {
          backend = mode === 'transaction' ? first : undefined;
          backend ??= await Backend.open({ host: hostname, port: Number(port) }, bytes);
          first ??= backend;
          sockets.add(backend.socket);
          client.write(backend.greeting);
        } else if (type === 'X') client.end();
        else backend?.pass(client, type, bytes);
      }
    } catch {
      // The client has gone.
    }
    if (mode === 'session') backend?.socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    say: (sql) => first?.say(sql),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One session with the server. */
class Backend {
  readonly socket: Socket;
  /** What the server said at the start, with another process number. */
  greeting = Buffer.alloc(0);
  /** Whom the next answers are for, one for each that ends with ReadyForQuery. */
  readonly #owners: (Socket | undefined)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(address: { host: string; port: number }, startup: Buffer): Promise<Backend> {
    const socket = tcpConnect(address);
    socket.on('error', () => undefined);
    socket.write(startup);
    const backend = new Backend(socket);
    const answers = messages(socket);
    for (;;) {
      const { value, done } = await answers.next();
      if (done) throw new Error('the server ended');
      if (value.type === 'K') value.bytes.writeInt32BE(1, 5);
      backend.greeting = Buffer.concat([backend.greeting, value.bytes]);
      if (value.type === 'Z') break;
    }
    backend.#answer(answers).catch(() => undefined); // the server, or the test, has ended it
    return backend;
  }

  pass(client: Socket, type: string, bytes: Buffer): void {
    if (type === 'Q' || type === 'S') this.#owners.push(client);
    this.socket.write(bytes);
  }

  say(sql: string): void {
    this.#owners.push(undefined);
    const text = Buffer.from(`Q....${sql}\0`);
    text.writeInt32BE(text.length - 1, 1);
    this.socket.write(text);
  }

  async #answer(answers: AsyncGenerator<Message>): Promise<void> {
    for await (const { type, bytes } of answers) {
      this.#owners[0]?.write(bytes);
      if (type === 'Z') this.#owners.shift();
    }
  }
}
