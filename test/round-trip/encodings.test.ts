// Databases that are not in UTF-8: back into the same encoding, into another one, and a refusal where characters or bytes have no place.
import { describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { archiveOf, pipe, restored } from './cycle.js';

/** Every character of ISO 8859-1 but NUL, in rows, names, defaults and comments. */
const latin1 = `
  CREATE TABLE "caf\u00e9" ("stra\u00dfe" text DEFAULT '\u00e4\u00f6\u00fc', c char(3), j jsonb, a text[], v varchar(2)[]);
  INSERT INTO "caf\u00e9" SELECT chr(g), chr(g), NULL, ARRAY[chr(g), 'x'] FROM generate_series(1, 255) g;
  INSERT INTO "caf\u00e9" (j) VALUES ('{"\u00e9": "\u00ff"}');
  CREATE TYPE mood AS ENUM ('\u00e9', '\u00fc');
  CREATE TABLE moods (m mood); INSERT INTO moods VALUES ('\u00e9'), ('\u00fc');
  COMMENT ON TABLE "caf\u00e9" IS 'gar\u00e7on'`;

const lost = `
  CREATE TABLE bytes (id int PRIMARY KEY, t text, c varchar(5), a text[]);
  INSERT INTO bytes VALUES (1, E'\\xe9\\xff\\x80', E'\\xfe\\n', ARRAY[E'\\xc3\\x28']), (2, E'\\xc3\\xa9', 'x', NULL), (3, 'plain', '', '{}')`;

/** Rows as bytes of the database's own encoding, or as text of what a client sees. */
async function rowsOf(db: TestDatabase, table: string, { encoding }: { encoding?: string } = {}): Promise<unknown[]> {
  const seen = encoding ? `encode(convert_to(row::text, '${encoding}'), 'hex')` : 'row::text';
  return (await db.query<{ seen: string }>(`SELECT ${seen} AS seen FROM ${table} row ORDER BY row::text COLLATE "C"`)).map(
    (row) => row.seen,
  );
}

/** Bytes of a database without an encoding. */
async function bytesOf(db: TestDatabase): Promise<unknown[]> {
  await using session = await db.connect();
  await session.query(`SET client_encoding = SQL_ASCII`);
  return (await session.query(`SELECT id, textsend(t) AS t, varcharsend(c) AS c, array_send(a) AS a FROM bytes ORDER BY id`)).rows;
}

const formats = ['text', 'binary'] as const;

describe('a LATIN1 database', () => {
  test.each(formats)('comes back in %s, into LATIN1 and into UTF8', async (copyFormat) => {
    await using source = await createDatabase({ encoding: 'LATIN1' });
    await source.run(latin1);
    await using archive = await archiveOf(source, { copyFormat });
    expect(archive.manifest.source.encoding).toBe('LATIN1');
    for (const encoding of ['LATIN1', 'UTF8']) {
      await using target = await restored(archive, { into: { encoding } });
      expect(await rowsOf(target, '"caf\u00e9"')).toEqual(await rowsOf(source, '"caf\u00e9"'));
      expect(await rowsOf(target, '"caf\u00e9"', { encoding: 'LATIN1' })).toEqual(
        await rowsOf(source, '"caf\u00e9"', { encoding: 'LATIN1' }),
      );
      expect(await rowsOf(target, 'moods')).toEqual(['(\u00e9)', '(\u00fc)']);
      expect(await target.query(`SELECT obj_description('"caf\u00e9"'::regclass) AS comment`)).toEqual([{ comment: 'gar\u00e7on' }]);
      await target.run(`INSERT INTO "caf\u00e9" DEFAULT VALUES`);
      expect(await target.query(`SELECT count(*)::int AS n FROM "caf\u00e9" WHERE "stra\u00dfe" = '\u00e4\u00f6\u00fc'`)).toEqual([
        { n: 2 },
      ]);
    }
  });

  test('takes no database in UTF8, and is told so before anything is done', async () => {
    await using source = await createDatabase();
    await source.run(`CREATE TABLE t (x text); INSERT INTO t VALUES ('\u20ac')`);
    await using archive = await archiveOf(source);
    await expect(restored(archive, { into: { encoding: 'LATIN1' } })).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining('LATIN1'),
      hint: expect.stringContaining('ENCODING'),
    });
  });

  test('takes from a pipe what fits, and refuses the character that does not', async () => {
    await using source = await createDatabase();
    await source.run(`CREATE TABLE t (x text); INSERT INTO t VALUES ('\u00e9')`);
    await using target = await createDatabase({ encoding: 'LATIN1' });
    await pipe(source, target);
    expect(await rowsOf(target, 't')).toEqual(['(\u00e9)']);
    await source.run(`INSERT INTO t VALUES ('\u20ac')`);
    await using second = await createDatabase({ encoding: 'LATIN1' });
    await expect(pipe(source, second)).rejects.toMatchObject({ code: 'RESTORE_FAILED', details: { incomplete: true } });
  });
});

describe('a database without an encoding', () => {
  test.each(formats)('comes back in %s, byte by byte', async (copyFormat) => {
    await using source = await createDatabase({ encoding: 'SQL_ASCII' });
    await source.run(lost);
    await using archive = await archiveOf(source, { copyFormat });
    await using target = await restored(archive, { into: { encoding: 'SQL_ASCII' } });
    expect(await bytesOf(target)).toEqual(await bytesOf(source));
    await target.run('TRUNCATE bytes');
    await restoreSnapshot({ database: target.url, file: archive.file, dataOnly: true });
    expect(await bytesOf(target)).toEqual(await bytesOf(source));
  });

  test('goes into UTF8 where its bytes are UTF-8, and is refused where they are not', async () => {
    await using source = await createDatabase({ encoding: 'SQL_ASCII' });
    await source.run(lost);
    await using archive = await archiveOf(source);
    await expect(restored(archive)).rejects.toMatchObject({ code: 'RESTORE_FAILED', message: expect.stringContaining('UTF8') });
    await source.run('DELETE FROM bytes WHERE id = 1');
    await using rest = await archiveOf(source);
    await using target = await restored(rest);
    expect(await rowsOf(target, 'bytes')).toEqual(['(2,\u00e9,x,)', '(3,plain,"",{})']);
  });
});
