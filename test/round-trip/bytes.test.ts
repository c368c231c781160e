// Databases whose text cannot all be UTF-8: SQL_ASCII with any bytes in names, definitions, labels, comments and rows, and encodings with
// characters that Unicode does not have. All of it comes back byte by byte, in the words of pg_dump, which is compared as bytes.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { printSchema } from '#dist/app/snapshot/print-schema.js';
import { openArchive } from '#dist/archive/reader.js';
import { decodeText, encodeText } from '#dist/model/byte-text.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { oracle } from '../schema/judge.js';
import { createDatabase, patience, type TestDatabase } from '../server/index.js';
import { archiveOf, pipe, restored } from './cycle.js';

/** Encodings with bytes that make trouble in each; `unicode`: all of them can be UTF-8. */
const encodings = [
  // Alone, in a wrong order, a surrogate, too long a form, cut short, and beside what is UTF-8.
  { encoding: 'SQL_ASCII', hex: 'e9ff80c328eda080c0aff09f98c3a9e282ac', unicode: false },
  { encoding: 'WIN1252', hex: '8180e9', unicode: false },
  { encoding: 'MULE_INTERNAL', hex: '81e992b0a1', unicode: false },
  { encoding: 'EUC_JP', hex: 'a4a2a9a1', unicode: false },
  { encoding: 'EUC_TW', hex: 'c4a1', unicode: true },
  { encoding: 'EUC_JIS_2004', hex: 'a4a2cfd3', unicode: true },
  { encoding: 'KOI8R', hex: 'c1ffa3', unicode: true },
  { encoding: 'LATIN9', hex: 'a4e980', unicode: true },
] as const;

/** Statements in ASCII: the server makes the bytes. `~` stands for them. */
function everywhere(hex: string): string {
  const bytes = hex.replace(/../g, '\\x$&');
  const statements = [
    `CREATE SCHEMA "s~"`,
    `CREATE TYPE "s~"."mood ~" AS ENUM ('~', 'b~')`,
    `CREATE DOMAIN "s~"."d~" AS text DEFAULT '~' CONSTRAINT "c~" CHECK (VALUE <> 'not ~')`,
    `CREATE TYPE "s~"."pair ~" AS ("a~" text, b "s~"."mood ~")`,
    `CREATE FUNCTION "s~"."f~"("arg ~" text DEFAULT '~') RETURNS text LANGUAGE sql AS $f$ SELECT '~' || $1 /* ~ */ $f$`,
    `CREATE SEQUENCE "s~"."q~"`,
    `CREATE TABLE "s~"."t~" ("id~" int CONSTRAINT "pk~" PRIMARY KEY, "x~" text DEFAULT '~' CONSTRAINT "ch~" CHECK ("x~" <> 'no ~'), m "s~"."mood ~", a text[])`,
    `INSERT INTO "s~"."t~" VALUES (1, '~', '~', ARRAY['~', 'x']), (2, 'plain', NULL, '{}')`,
    `INSERT INTO "s~"."t~" ("id~") VALUES (3)`,
    `CREATE INDEX "i~" ON "s~"."t~" (("x~" || '~')) WHERE "x~" <> 'but ~'`,
    `CREATE STATISTICS "s~"."st~" ON "id~", "x~" FROM "s~"."t~"`,
    `CREATE TABLE "s~"."child ~" ("of~" int CONSTRAINT "fk~" REFERENCES "s~"."t~")`,
    `CREATE TABLE "s~"."whole ~" ("by~" text) PARTITION BY LIST ("by~")`,
    `CREATE TABLE "s~"."part ~" PARTITION OF "s~"."whole ~" FOR VALUES IN ('~')`,
    `CREATE VIEW "s~"."v~" AS SELECT "x~" AS "y~", '~'::text AS z FROM "s~"."t~" WHERE "x~" <> 'but ~'`,
    `CREATE MATERIALIZED VIEW "s~"."m~" AS SELECT "x~" FROM "s~"."t~"`,
    `CREATE FUNCTION "s~"."tf~"() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NULL; -- ~\\n END $f$`,
    `CREATE TRIGGER "tr~" AFTER INSERT ON "s~"."t~" FOR EACH ROW WHEN (new."x~" = '~') EXECUTE FUNCTION "s~"."tf~"('arg ~')`,
    `CREATE RULE "r~" AS ON DELETE TO "s~"."t~" WHERE old."x~" = '~' DO NOTHING`,
    `CREATE POLICY "p~" ON "s~"."t~" USING ("x~" = '~')`,
    `CREATE PUBLICATION "pub~" FOR TABLE "s~"."t~" ("id~", "x~")`,
    `CREATE FOREIGN DATA WRAPPER "w~" OPTIONS ("o~" '~')`,
    `COMMENT ON TABLE "s~"."t~" IS 'of ~'`,
    `COMMENT ON COLUMN "s~"."t~"."x~" IS '~'`,
    `COMMENT ON CONSTRAINT "ch~" ON "s~"."t~" IS '~'`,
    `ALTER FUNCTION "s~"."f~"(text) SET "my.setting" = '~'`,
    `SELECT setval('"s~"."q~"', 7)`,
  ];
  const literal = (text: string): string => `E'${text.replaceAll("'", "\\'").replaceAll('~', bytes)}'`;
  return `SET standard_conforming_strings = on; DO $do$ DECLARE statement text; BEGIN
    FOREACH statement IN ARRAY ARRAY[${statements.map(literal).join(',\n')}] LOOP EXECUTE statement; END LOOP; END $do$`;
}

/** pg asks for UTF8 when it connects, which a database in MULE_INTERNAL refuses. */
async function fill(db: TestDatabase, script: string): Promise<void> {
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write', encoding: 'own' });
  await session.client.query(script);
}

/** A whole database as pg_dump prints it, in bytes of its own; undefined where the judge cannot run. */
async function dumpBytes(url: string, options: readonly string[] = []): Promise<Buffer | undefined> {
  const folder = await oracle();
  if (folder === undefined) return undefined;
  const { stdout } = await promisify(execFile)(`${folder}/pg_dump`, ['--restrict-key=x', '--dbname', url, ...options], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
    env: { ...process.env, PGCLIENTENCODING: 'SQL_ASCII' },
  });
  return stdout;
}

/** What tells of a difference without a screen full of bytes. */
function lines(bytes: Buffer | undefined): readonly string[] {
  return bytes === undefined ? [] : bytes.toString('latin1').split('\n');
}

describe.each(encodings)('$encoding', ({ encoding, hex, unicode }) => {
  const bytes = Buffer.from(hex, 'hex');

  test('comes back byte by byte', async () => {
    await using source = await createDatabase({ encoding });
    await fill(source, everywhere(hex));
    await using archive = await archiveOf(source, { copyFormat: 'text' });
    await using target = await restored(archive, { into: { encoding }, jobs: 2 });
    const dumped = await dumpBytes(source.url);
    if (dumped !== undefined) expect(dumped.indexOf(Buffer.concat([Buffer.from('"t'), bytes, Buffer.from('"')]))).toBeGreaterThan(0);
    expect(lines(await dumpBytes(target.url))).toEqual(lines(dumped));

    await using reader = await openArchive(archive.file);
    const { textEncoding, rowEncoding, tables } = await reader.readCatalog();
    expect({ textEncoding, rowEncoding }).toEqual({ ...(unicode ? {} : { textEncoding: encoding }), rowEncoding: encoding });
    const [table] = tables.filter(({ name }) => name.startsWith('t'));
    expect(archive.manifest.tables.find(({ object }) => object === table?.object)?.name).toBe(table?.name);
    if (!unicode) expect(encodeText(table?.name ?? '')).toEqual(Buffer.concat([Buffer.from('t'), bytes]));

    // Into what is there already: one session, its transaction, and names that are compared with those of the target.
    await restoreSnapshot({ database: target.url, file: archive.file, clean: true });
    expect(lines(await dumpBytes(target.url))).toEqual(lines(dumped));
    await using binary = await archiveOf(source, { copyFormat: 'binary' });
    await restoreSnapshot({ database: target.url, file: binary.file, dataOnly: true, truncate: true, tables: ['s*.*'] });
    expect(lines(await dumpBytes(target.url))).toEqual(lines(dumped));
  });

  test('goes through a pipe, and is chosen by name', async () => {
    await using source = await createDatabase({ encoding });
    await fill(source, everywhere(hex));
    await using target = await createDatabase({ encoding });
    await pipe(source, target, { restore: { jobs: 2 } });
    expect(lines(await dumpBytes(target.url))).toEqual(lines(await dumpBytes(source.url)));
    await using session = await openSession(resolveConnection(source.url, patience), {
      use: 'read',
      ...(unicode ? {} : { encoding: 'own' }),
    });
    const { name } = await session.one<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^s'`);
    await using archive = await archiveOf(source, { tables: [`"${name}".t*`] });
    expect(archive.manifest.tables.map((table) => table.schema)).toEqual([name]);
  });

  const others = unicode ? 'goes into UTF8' : 'is refused by UTF8, and what cannot be converted is named';
  test(others, async () => {
    await using source = await createDatabase({ encoding });
    await fill(source, everywhere(hex));
    await using archive = await archiveOf(source);
    if (unicode) {
      await using target = await restored(archive);
      const options = ['--encoding=UTF8'];
      expect(lines(await dumpBytes(target.url, options))).toEqual(lines(await dumpBytes(source.url, options)));
    } else {
      const refusal = { name: 'TidemarkError', message: expect.stringMatching(/schema s|MULE_INTERNAL/) };
      await expect(restored(archive)).rejects.toMatchObject(refusal);
    }
  });

  test('is printed as SQL that gives the same', async () => {
    await using source = await createDatabase({ encoding });
    await fill(source, everywhere(hex));
    const { preData } = await printSchema({ database: source.url });
    const sql = encodeText(preData);
    if (!unicode) expect(sql.indexOf(Buffer.concat([Buffer.from('"t'), bytes, Buffer.from('"')]))).toBeGreaterThan(0);
    expect(preData).toContain(`SET client_encoding = '${unicode ? 'UTF8' : encoding}'`);
  });
});

test('rows that cannot be converted are refused by UTF8, with their table', async () => {
  await using source = await createDatabase({ encoding: 'WIN1252' });
  await source.run(`CREATE TABLE good (x text); CREATE TABLE bad (x text); INSERT INTO bad VALUES ('fine'), (E'\\x81')`);
  await using archive = await archiveOf(source);
  const message = /rows of table public\.bad: .*0x81.*"WIN1252".*"UTF8" \(row 2 of a chunk\)/;
  const refusal = {
    code: 'RESTORE_FAILED',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('encoding of the source'),
  };
  await expect(restored(archive)).rejects.toMatchObject(refusal);
  await expect(restored(archive, { into: { encoding: 'WIN1252' } }).then((db) => db.drop())).resolves.toBeUndefined();
});

test('strings stand for any bytes, and JSON keeps them', () => {
  let state = Buffer.alloc(0);
  for (let i = 0; i < 2000; i++) {
    state = createHash('sha256').update(state).update(String(i)).digest();
    // Among them many that are nearly UTF-8.
    const sample = Buffer.concat([state.subarray(0, i % 7), Buffer.from('\u{1f600}\u00e9x').subarray(i % 8), state.subarray(0, i % 5)]);
    const text = decodeText(sample);
    expect(encodeText(JSON.parse(JSON.stringify(text)) as string)).toEqual(sample);
    if (Buffer.from(sample.toString('utf8')).equals(sample)) expect(text).toBe(sample.toString('utf8'));
  }
  expect(decodeText(Buffer.from([0xe9]))).toBe('\udce9');
});

test.each([
  ['UTF-8', 'Blo\u00df \u{1f409}'],
  ['other bytes', 'Blo\udcdf'],
  ['nothing', ''],
])('%s is written with room around it', (_, text) => {
  const bytes = encodeText(text);
  const roomy = encodeText(text, 3, 2);
  expect(roomy.length).toBe(3 + bytes.length + 2);
  expect(roomy.subarray(3, -2)).toEqual(bytes);
});
