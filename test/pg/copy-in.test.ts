// COPY FROM STDIN against a real server: what it counts, and every way in which it can fail.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { copyIn } from '#dist/pg/copy-in.js';
import { openSession, type Session, streamOf } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, eventually, patience, type TestDatabase } from '../server/index.js';

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await createDatabase();
  await database.run('CREATE TABLE t (id integer PRIMARY KEY, v text)');
});
afterAll(() => database.drop());

beforeEach(async () => {
  await database.run('TRUNCATE t');
  session = await openSession(resolveConnection(database.url, patience), { use: 'write' });
  return () => session.close();
});

const sql = 'COPY public.t (id, v) FROM STDIN';

/** Rows `from` to `to` in text, `width` characters each. */
function rows(from: number, to: number, width = 10): Buffer {
  const value = 'x'.repeat(width);
  return Buffer.from(Array.from({ length: to - from }, (_, at) => `${from + at}\t${value}\n`).join(''));
}

async function count(): Promise<number> {
  const [row] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM t');
  return row?.n ?? -1;
}

/** The session has nothing of the COPY left on it. */
async function expectUsable(): Promise<void> {
  await expect(session.one('SELECT 1 AS one')).resolves.toEqual({ one: 1 });
}

describe('success', () => {
  test('gives the count of the command tag, and the session goes on', async () => {
    await expect(copyIn(session, sql, [rows(0, 1000)])).resolves.toBe(1000n);
    await expectUsable();
    await expect(copyIn(session, sql, [rows(1000, 1001)])).resolves.toBe(1n);
    expect(await count()).toBe(1001);
  });

  test('no bytes are no rows', async () => {
    await expect(copyIn(session, sql, [])).resolves.toBe(0n);
    await expectUsable();
  });

  test('rows may be cut anywhere, and be far larger than a piece', async () => {
    const bytes = Buffer.concat([rows(0, 3, 700_001), rows(3, 5000)]);
    async function* cut() {
      for (let at = 0; at < bytes.length; at += 123_457) yield bytes.subarray(at, at + 123_457);
    }
    await expect(copyIn(session, sql, cut())).resolves.toBe(5000n);
    const [row] = await database.query('SELECT min(length(v)) AS least, max(length(v)) AS most FROM t');
    expect(row).toEqual({ least: 10, most: 700_001 });
  });

  test('within a transaction the rows are part of it', async () => {
    await session.query('BEGIN');
    await copyIn(session, sql, [rows(0, 10)]);
    await session.query('ROLLBACK');
    expect(await count()).toBe(0);
  });
});

describe('failure', () => {
  test('a second statement in the text is refused', async () => {
    await expect(copyIn(session, `${sql}; DROP TABLE public.t`, [rows(0, 1)])).rejects.toMatchObject({ details: { sqlstate: '42601' } });
    await expectUsable();
    expect(await count()).toBe(0);
  });

  test('a table that is not there', async () => {
    await expect(copyIn(session, 'COPY public.missing FROM STDIN', [rows(0, 1)])).rejects.toMatchObject({ details: { sqlstate: '42P01' } });
    await expectUsable();
  });

  test('a bad row in the middle stops the sending at once', async () => {
    let taken = 0;
    async function* endless() {
      yield Buffer.from('1\tx\n1\tx\n');
      for (;;) {
        taken += 1;
        yield rows(taken * 1000, taken * 1000 + 1000, 1000);
      }
    }
    await expect(copyIn(session, sql, endless())).rejects.toMatchObject({ code: 'SERVER_ERROR', details: { sqlstate: '23505' } });
    // Of a megabyte each: what is on its way when the server says so is less than that many.
    expect(taken).toBeLessThan(50);
    await expectUsable();
    expect(await count()).toBe(0);
  });

  test('a bad row is reported while the source stands still', async () => {
    async function* stalled() {
      yield Buffer.from('not a number\tx\n');
      await new Promise(() => undefined);
    }
    await expect(copyIn(session, sql, stalled())).rejects.toMatchObject({ details: { sqlstate: '22P02' } });
    await expectUsable();
  });

  test('rows that end in the middle of one', async () => {
    await expect(copyIn(session, sql, [Buffer.from('1\tx\n2')])).rejects.toMatchObject({ details: { sqlstate: '22P04' } });
    await expectUsable();
    expect(await count()).toBe(0);
  });

  test('a deferred constraint fails after the command tag: no success', async () => {
    await database.run('CREATE TABLE child (id integer REFERENCES t DEFERRABLE INITIALLY DEFERRED)');
    await expect(copyIn(session, 'COPY public.child FROM STDIN', [Buffer.from('7\n')])).rejects.toMatchObject({
      details: { sqlstate: '23503' },
    });
    await expectUsable();
    await database.run('DROP TABLE child');
  });

  test('an error of the source takes the rows back and is passed on', async () => {
    const reason = new Error('the disk is gone');
    async function* failing() {
      yield rows(0, 100);
      throw reason;
    }
    await expect(copyIn(session, sql, failing())).rejects.toBe(reason);
    await expectUsable();
    expect(await count()).toBe(0);
  });

  test('a backend that is terminated', async () => {
    const { pid } = await session.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    async function* interrupted() {
      yield rows(0, 1000);
      await database.query('SELECT pg_terminate_backend($1, 10000)', [pid]);
      for (let at = 1; ; at += 1) yield rows(at * 1000, at * 1000 + 1000, 1000);
    }
    await expect(copyIn(session, sql, interrupted())).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await count()).toBe(0);
  });

  test('a socket that is cut before the server asks for rows', async () => {
    // The table is locked, so the server does not get as far as asking for rows.
    await using blocker = await database.connect();
    await blocker.query('BEGIN; LOCK TABLE t');
    const copying = copyIn(session, sql, [rows(0, 10)]);
    session.destroy();
    await expect(copying).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await blocker.query('ROLLBACK');
  });

  test('a socket that is cut while it is full', async () => {
    // A trigger that waits for a lock: the server takes the first row and no more, and the socket fills up.
    await database.run(`CREATE TABLE gate (); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN LOCK TABLE public.gate; RETURN new; END'; CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()`);
    await using blocker = await database.connect();
    await blocker.query('BEGIN; LOCK TABLE gate');
    const socket = streamOf(session.client);
    let blocked = 0;
    async function* endless() {
      for (let at = 0; ; at += 1) {
        // One that is written to without end would grow: the source is asked for more only when the socket has drained.
        if (socket.writableNeedDrain) blocked += 1;
        yield rows(at * 1000, at * 1000 + 1000, 1000);
      }
    }
    const copying = copyIn(session, sql, endless());
    copying.catch(() => undefined);
    await eventually('the socket is full', () => socket.writableNeedDrain);
    session.destroy();
    await expect(copying).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(blocked).toBe(0);
    await blocker.query('ROLLBACK');
    await database.run('DROP TRIGGER wait ON t; DROP FUNCTION wait; DROP TABLE gate');
  });
});
