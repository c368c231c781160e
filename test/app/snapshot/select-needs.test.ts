// What chosen tables need without pg_depend saying so, or by a detour: casts, dictionaries and parsers behind a configuration. Chosen
// while the snapshot is taken, or from a whole one while it is restored.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveOf, restored } from '../../round-trip/cycle.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

const schema = `
  CREATE SCHEMA words; CREATE SCHEMA app; CREATE SCHEMA other;
  CREATE TEXT SEARCH TEMPLATE words.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);
  CREATE TEXT SEARCH DICTIONARY words.stop (TEMPLATE = words.plain, stopwords = english);
  CREATE TEXT SEARCH DICTIONARY words.unused (TEMPLATE = simple);
  CREATE TEXT SEARCH PARSER words.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
  CREATE TEXT SEARCH CONFIGURATION words.config (PARSER = words.parser);
  ALTER TEXT SEARCH CONFIGURATION words.config ADD MAPPING FOR asciiword WITH words.stop;
  CREATE TABLE app.document (body text, words tsvector GENERATED ALWAYS AS (to_tsvector('words.config', body)) STORED);
  INSERT INTO app.document (body) VALUES ('The word of the house');
  CREATE TYPE app.level AS ENUM ('low', 'high');
  CREATE FUNCTION app.level_of(integer) RETURNS app.level LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN $1 > 9 THEN 'high'::app.level ELSE 'low' END$$;
  CREATE CAST (integer AS app.level) WITH FUNCTION app.level_of(integer) AS ASSIGNMENT;
  CREATE CAST (app.level AS text) WITH INOUT AS ASSIGNMENT;
  CREATE CAST (point AS integer) WITH INOUT;
  CREATE TYPE other.pair AS (a integer, b integer);
  CREATE CAST (other.pair AS app.level) WITH INOUT;
  CREATE TABLE app.measure (n integer, level app.level DEFAULT 10, big boolean GENERATED ALWAYS AS (n::app.level = 'high'::app.level) STORED);
  CREATE VIEW app.notes AS SELECT n, level, n::app.level::text AS note, length(level::text) AS size, big FROM app.measure;
  INSERT INTO app.measure (n) VALUES (5), (15);`;

let source: TestDatabase;
beforeAll(async () => {
  source = await createDatabase();
  await source.run(schema);
});
afterAll(() => source.drop());

/** What of these kinds there is, as the server calls it. */
async function made(db: TestDatabase): Promise<readonly string[]> {
  const rows = await db.query<{ name: string }>(`
    SELECT concat(o.type, ' ', o.identity) AS name
      FROM (SELECT 'pg_cast'::regclass AS classid, oid FROM pg_cast UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
            UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
            UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template) c, pg_identify_object(c.classid, c.oid, 0) o
     WHERE c.oid >= 16384 ORDER BY 1`);
  return rows.map(({ name }) => name);
}

describe.each([
  ['the snapshot', async (tables: string[]) => ({ archive: await archiveOf(source, { tables }), restore: {} })],
  ['the restore', async (tables: string[]) => ({ archive: await archiveOf(source), restore: { tables } })],
])('chosen by %s', (_who, choose) => {
  test('a generated column over a configuration of the user', async () => {
    const { archive, restore } = await choose(['app.document']);
    await using _archive = archive;
    await using target = await restored(archive, restore);
    expect(await made(target)).toEqual([
      'cast (pg_catalog.point AS integer)',
      'text search configuration words.config',
      'text search dictionary words.stop',
      'text search parser words.parser',
      'text search template words.plain',
    ]);
    await target.run(`INSERT INTO app.document (body) VALUES ('the houses')`);
    expect(await target.query('SELECT words::text FROM app.document')).toEqual([{ words: `'house':5 'word':2` }, { words: `'houses':2` }]);
    // Into a database that has all of it already only the table is made.
    await target.run('DROP TABLE app.document');
    await using again = await restored(archive, { ...restore, into: { template: target.name }, tables: ['app.document'] });
    expect(await made(again)).toHaveLength(5);
    expect(await again.query('SELECT count(*)::int AS n FROM app.document')).toEqual([{ n: 1 }]);
  });

  test('casts with a function and without', async () => {
    const { archive, restore } = await choose(['app.measure', 'app.notes']);
    await using _archive = archive;
    await using target = await restored(archive, restore);
    expect(await made(target)).toEqual([
      'cast (app.level AS pg_catalog.text)',
      'cast (integer AS app.level)',
      'cast (pg_catalog.point AS integer)',
    ]);
    await target.run('INSERT INTO app.measure (n) VALUES (20)');
    expect(await target.query('SELECT level, note, size, big FROM app.notes ORDER BY n')).toEqual(
      ['low', 'high', 'high'].map((note) => ({ level: 'high', note, size: 4, big: note === 'high' })),
    );
    await target.run('DROP TABLE app.measure CASCADE');
    await using again = await restored(archive, { ...restore, into: { template: target.name }, tables: ['app.measure', 'app.notes'] });
    expect(await made(again)).toHaveLength(3);
  });
});
