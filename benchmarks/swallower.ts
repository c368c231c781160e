// A session with a process that speaks just enough of PostgreSQL's protocol to let COPY FROM STDIN run, and drops the rows: what is left to
// measure is our side. https://www.postgresql.org/docs/current/protocol-flow.html
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Session } from '#dist/pg/session.js';

export interface Swallower extends AsyncDisposable {
  readonly session: Session;
}

export async function createSwallower(): Promise<Swallower> {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const [port] = (await once(child, 'message')) as [number];
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'nobody', database: 'none', password: '', ssl: false });
  await client.connect();
  const session = new Session(client, { version: 180000, serverEncoding: 'UTF8', encoding: 'UTF8', where: 'nowhere' });
  return {
    session,
    async [Symbol.asyncDispose]() {
      await client.end();
      child.disconnect();
    },
  };
}

/** A message of the server: type, length, body. */
function reply(type: string, body: readonly number[] | string): Buffer {
  const bytes = Buffer.from(body as string);
  const header = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([header, bytes]);
}

const ready = reply('Z', 'I');
/** By the client's message. Parse, Bind and Execute are answered at Flush; CopyDone at the Sync after it. */
const answers: Readonly<Record<string, Buffer>> = {
  H: Buffer.concat([reply('1', ''), reply('2', ''), reply('G', [0, 0, 0])]),
  S: Buffer.concat([reply('C', 'COPY 1\0'), ready]),
};

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let greeted = false;
  /** Bytes of the message at hand that are still to come. */
  let left = 0;
  let cut: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined); // the client is gone
  socket.on('data', (piece) => {
    let at = 0;
    let bytes = piece;
    if (left === 0 && cut.length > 0) bytes = Buffer.concat([cut, piece]);
    cut = Buffer.alloc(0);
    while (at < bytes.length) {
      const skipped = Math.min(left, bytes.length - at);
      left -= skipped;
      at += skipped;
      const header = greeted ? 5 : 4; // the first message has no type
      if (left > 0 || at === bytes.length) continue;
      if (bytes.length - at < header) {
        cut = Buffer.from(bytes.subarray(at));
        return;
      }
      const type = String.fromCharCode(bytes[at] as number);
      left = bytes.readUInt32BE(at + header - 4) - 4;
      at += header;
      if (!greeted) socket.write(Buffer.concat([reply('R', [0, 0, 0, 0]), ready]));
      else if (answers[type] !== undefined) socket.write(answers[type]);
      greeted = true;
    }
  });
}

if (process.argv[2] === 'serve' && process.send !== undefined) {
  const server = createServer(serve).listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
  process.once('disconnect', () => process.exit());
}
