import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { type Copy, copyAllOut, copyOut } from '#dist/pg/copy-out.js';
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

/** Copies into one gatherer each, and says what became of them. */
function several(statements: readonly string[]) {
  const gathered = statements.map(() => gather());
  const story: string[] = [];
  const copies = statements.map((statement, i): Copy => {
    const { target } = gathered[i] as (typeof gathered)[number];
    return {
      statement,
      begin: () => {
        story.push(`begin ${i}`);
        return target;
      },
      end: (rows) => {
        target.end();
        story.push(`end ${i}: ${rows}`);
      },
    };
  });
  return { copies, story, bodies: () => gathered.map(({ bodies }) => bodies.join('')) };
}

describe.each(ways)('several COPYs in one message, through %s', (_, copiesOut) => {
  const first = [...begin, copyDone, commandComplete('COPY 2')];

  it.each([
    ['there are fewer answers than statements', [...first, readyForQuery], false],
    ['the second is no COPY', [...first, commandComplete('SELECT 0'), readyForQuery], false],
    ['the second ends without CopyDone', [...first, ...begin, commandComplete('COPY 2'), readyForQuery], false],
    ['the second has no command tag', [...first, ...begin, copyDone, readyForQuery], false],
    ['rows come between the two', [...first, row('3'), ...begin, copyDone, commandComplete('COPY 2'), readyForQuery], false],
    ['an error instead of the second', [...first, error, readyForQuery], false],
    ['the connection closes between the two', first, true],
    ['the connection closes before it is ready', [...first, ...first], true],
    ['there are more answers than statements', [...first, ...first, ...first, readyForQuery], false],
  ])('rejects: %s', async (__, script, close) => {
    await using server = await startFakeServer(script, { close });
    const session = await scripted(server.port, copiesOut);
    const { copies, story } = several(['COPY t TO STDOUT', 'COPY u TO STDOUT']);
    try {
      await expect(copyAllOut(session, copies)).rejects.toThrow();
      expect(story.slice(0, 3)).toEqual(['begin 0', 'end 0: 2', 'begin 1']);
    } finally {
      session.destroy();
    }
  });

  it('gives to each what is its own, and the session can go on', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const counts = [3, 0, 100_000, 1];
    const rows = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');
    const { copies, story, bodies } = several(counts.map((n) => `COPY (SELECT i FROM generate_series(1, ${n}) i) TO STDOUT`));
    await copyAllOut(session, copies);
    expect(story).toEqual(counts.flatMap((n, i) => [`begin ${i}`, `end ${i}: ${n}`]));
    expect(bodies()).toEqual(counts.map(rows));
    expect(await session.one('SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('gives the error of the one that fails, does not run those after it, and the session can go on', async () => {
    await using db = await createDatabase();
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const { copies, story } = several([
      'COPY (SELECT 1) TO STDOUT',
      'COPY (SELECT 1 / (5 - i) FROM generate_series(1, 9) i) TO STDOUT',
      'COPY (SELECT 1) TO STDOUT',
    ]);
    await expect(copyAllOut(session, copies)).rejects.toThrow('division by zero');
    expect(story).toEqual(['begin 0', 'end 0: 1', 'begin 1']);
    expect(await session.one('SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('cuts the connection where a result is not taken', async () => {
    await using db = await createDatabase();
    const session = await openSession(resolveConnection(db.url, patience), { use: 'read', copiesOut });
    const { copies } = several(['COPY (SELECT 1) TO STDOUT', 'COPY (SELECT 2) TO STDOUT']);
    const end = (): void => {
      throw new Error('not what was wanted');
    };
    await expect(copyAllOut(session, [{ ...(copies[0] as Copy), end }, copies[1] as Copy])).rejects.toThrow('not what was wanted');
    await expect(session.one('SELECT 1 AS one')).rejects.toMatchObject({ name: 'TidemarkError' });
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
