import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { copyOut } from '#dist/pg/copy-out.js';
import { CopySocket } from '#dist/pg/copy-socket.js';
import { openSession, Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { ChunkBuilder } from '#dist/snapshot/chunk-builder.js';
import { commandComplete, copyDone, copyOutResponse, error, message, readyForQuery, row, startFakeServer } from '../faults/fake-server.js';
import { createDatabase, patience } from '../server/index.js';

function gather() {
  const bodies: string[] = [];
  const target = new ChunkBuilder(
    {
      format: 'text',
      chunkBytes: 1 << 20,
      spoolPath: () => '/nowhere',
      take: ({ buffer, bodyBytes }) => void bodies.push(buffer.toString('latin1', 512, 512 + bodyBytes)),
    },
    ChunkBuilder.allocate(1 << 20),
  );
  return { target, bodies };
}

const begin = [copyOutResponse, row('1'), row('2')];

/** Through Node's own way of reading a socket, as under TLS, and through ours. */
const ways = [
  ['a plain socket', false],
  ['a CopySocket', true],
] as const;

async function scripted(port: number, copiesOut: boolean): Promise<Session> {
  const stream = copiesOut ? { stream: () => new CopySocket() } : {};
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'nobody', database: 'none', ssl: false, ...stream });
  client.on('error', () => undefined);
  await client.connect();
  return new Session(client, { version: 180000, serverEncoding: 'UTF8', encoding: 'UTF8', where: 'a scripted server' });
}

describe.each(ways)('copyOut on broken endings, through %s', (_, copiesOut) => {
  it.each([
    ['the connection closes after rows', begin, true],
    ['the connection closes within a row', [...begin, Buffer.from([0x64, 0, 0, 0, 99, 0x61])], true],
    ['the connection closes after CopyDone', [...begin, copyDone], true],
    ['the connection closes after the command tag', [...begin, copyDone, commandComplete('COPY 2')], true],
    ['no CopyDone before the command tag', [...begin, commandComplete('COPY 2'), readyForQuery], false],
    ['no CopyDone before ReadyForQuery', [...begin, readyForQuery], false],
    ['no command tag', [...begin, copyDone, readyForQuery], false],
    ['a command tag of something else', [...begin, copyDone, commandComplete('SELECT 2'), readyForQuery], false],
    ['an error after rows', [...begin, error, readyForQuery], false],
    ['an error after CopyDone', [...begin, copyDone, error, readyForQuery], false],
    ['an error after the command tag', [...begin, copyDone, commandComplete('COPY 2'), error, readyForQuery], false],
    ['a message that cannot come there', [...begin, message('T', '\0\0'), copyDone, commandComplete('COPY 2'), readyForQuery], false],
    ['no COPY at all', [commandComplete('SELECT 0'), readyForQuery], false],
  ])('rejects: %s', async (__, script, close) => {
    await using server = await startFakeServer(script, { close });
    const session = await scripted(server.port, copiesOut);
    try {
      await expect(copyOut(session, 'COPY t TO STDOUT', gather().target)).rejects.toThrow();
    } finally {
      session.destroy();
    }
  });

  it('resolves with the row count of a right ending', async () => {
    await using server = await startFakeServer([...begin, copyDone, commandComplete('COPY 2'), readyForQuery], { close: false });
    const session = await scripted(server.port, copiesOut);
    const { target, bodies } = gather();
    await expect(copyOut(session, 'COPY t TO STDOUT', target)).resolves.toBe(2n);
    target.end();
    expect(bodies).toEqual(['1\n2\n']);
    session.destroy();
  });
});

describe.each(ways)('copyOut on a real server, through %s', (_, copiesOut) => {
  it('gives all rows, and the session can go on', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const { target, bodies } = gather();
    const rows = await copyOut(session, `COPY (SELECT i, repeat('x', i % 50) FROM generate_series(1, 100000) i) TO STDOUT`, target);
    target.end();
    expect(rows).toBe(100_000n);
    expect(target.rows).toBe(100_000n);
    expect(bodies.join('')).toBe(Array.from({ length: 100_000 }, (_, i) => `${i + 1}\t${'x'.repeat((i + 1) % 50)}\n`).join(''));
    expect(await session.one('SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('gives the error of the server in the middle of rows, and the session can go on', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const failing = copyOut(session, 'COPY (SELECT 1 / (50000 - i) FROM generate_series(1, 100000) i) TO STDOUT', gather().target);
    await expect(failing).rejects.toThrow('division by zero');
    expect(await session.one('SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('waits while the target is full', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const { target } = gather();
    target.full = true;
    const done = copyOut(session, `COPY (SELECT repeat('x', 1000) FROM generate_series(1, 50000)) TO STDOUT`, target);
    // The socket's own buffers fill; then the server can only wait for its client.
    await using watcher = await db.connect();
    for (;;) {
      const { rows } = await watcher.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite'`,
      );
      if (rows.length > 0) break;
    }
    expect(target.rows).toBeLessThan(50_000n);
    target.full = false;
    target.onRoom?.();
    expect(await done).toBe(50_000n);
  });
});
