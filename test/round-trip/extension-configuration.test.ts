// Tables and sequences of extensions whose contents are the user's. No extension of contrib has any, and its files would be the whole
// server's: so one of them gets some, on both sides, as its script would have made them. Cases 25, 26 and 30.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase, requestedVersions, type TestDatabase, type Version } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, pipe } from './cycle.js';

/** What the script of the extension makes: `places` refers to `kinds`, which sorts behind it. A trigger would add rows to `log`. */
const script = `
  CREATE EXTENSION citext;
  CREATE SCHEMA ext;
  CREATE TABLE ext.kinds (id int PRIMARY KEY, name text);
  CREATE TABLE ext.all_places (id int PRIMARY KEY, kind int REFERENCES ext.kinds, parent int REFERENCES ext.all_places, "own?" boolean NOT NULL,
    n int GENERATED ALWAYS AS (id * 2) STORED);
  CREATE TABLE ext.private (secret text);
  CREATE TABLE ext.log (what text);
  CREATE FUNCTION ext.write() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO ext.log VALUES ('written'); RETURN NEW; END$$;
  CREATE TRIGGER written AFTER INSERT ON ext.kinds FOR EACH ROW EXECUTE FUNCTION ext.write();
  CREATE SEQUENCE ext.counter;
  INSERT INTO ext.all_places VALUES (1, NULL, NULL, false), (2, NULL, 1, false);
  INSERT INTO ext.private VALUES ('of the extension');
  ALTER EXTENSION citext ADD TABLE ext.kinds; ALTER EXTENSION citext ADD TABLE ext.all_places; ALTER EXTENSION citext ADD SCHEMA ext;
  ALTER EXTENSION citext ADD TABLE ext.private; ALTER EXTENSION citext ADD TABLE ext.log;
  ALTER EXTENSION citext ADD FUNCTION ext.write(); ALTER EXTENSION citext ADD SEQUENCE ext.counter;
  COMMENT ON TABLE ext.kinds IS 'of the extension';
  UPDATE pg_extension SET extconfig = ARRAY['ext.all_places'::regclass, 'ext.kinds', 'ext.counter'],
    extcondition = ARRAY['WHERE "own?" OR id = ANY (ARRAY[-1])', '', ''] WHERE extname = 'citext'`;

const users = `
  SET session_replication_role = replica;
  INSERT INTO ext.kinds VALUES (1, 'one'), (2, 'two');
  INSERT INTO ext.all_places VALUES (10, 2, 11, true), (11, 1, 2, true), (12, NULL, 10, true);
  INSERT INTO ext.private VALUES ('of nobody');
  SELECT setval('ext.counter', 42);
  SET session_replication_role = origin;
  CREATE TABLE mine (place int, n text);
  INSERT INTO mine VALUES (10, 'x');
  CREATE VIEW places AS SELECT id, n FROM ext.all_places;
  CREATE VIEW ext.users AS SELECT id FROM ext.kinds`;

async function prepared(version: Version): Promise<TestDatabase> {
  const db = await createDatabase({ version });
  await db.run(script);
  return db;
}

describe.each(requestedVersions())('tables of extensions on PostgreSQL %i', (version) => {
  let source: TestDatabase;
  beforeAll(async () => {
    source = await prepared(version);
    await source.run(users);
  });
  afterAll(() => source.drop());

  const filled = async (db: TestDatabase) => {
    const { rows, sequences } = await readContents(db);
    const count = (name: string): number => rows[name]?.length ?? 0;
    return { kinds: count('ext.kinds'), places: count('ext.all_places'), mine: count('public.mine'), log: count('ext.log'), sequences };
  };
  const counter = (value: string) => ({ 'ext.counter': value });

  test("the rows and values that are the user's come along, and no others", async () => {
    await source.run('ALTER TABLE mine ADD CONSTRAINT refers FOREIGN KEY (place) REFERENCES ext.all_places');
    await using archive = await archiveOf(source);
    await using target = await prepared(version);
    await restoreSnapshot({ database: target.url, file: archive.file, jobs: 2 });
    const before = await readContents(source);
    const after = await readContents(target);
    expect(after).toEqual({ ...before, rows: { ...before.rows, 'ext.private': ['("of the extension")'] } });
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
    await source.run('ALTER TABLE mine DROP CONSTRAINT refers');

    await target.run(`UPDATE ext.all_places SET kind = NULL; DELETE FROM ext.kinds WHERE id = 1; DELETE FROM ext.all_places WHERE id = 12`);
    await restoreSnapshot({ database: target.url, file: archive.file, truncate: true });
    expect(await readContents(target)).toEqual(after);
  });

  test('through a pipe', async () => {
    await using target = await prepared(version);
    await pipe(source, target);
    expect(await filled(target)).toEqual({ kinds: 2, places: 5, mine: 1, log: 0, sequences: counter('42 true') });
  });

  test.each([
    [{ schemaOnly: true }, { kinds: 0, places: 2, mine: 0, value: '1 false' }],
    [{ excludeTableData: ['ext.kinds', 'mine'] }, { kinds: 0, places: 5, mine: 0, value: '42 true' }],
    [{ excludeTables: ['ext.all_places', 'mine'] }, { kinds: 2, places: 2, mine: 0, value: '42 true' }],
    [{ tables: ['mine'] }, { kinds: 0, places: 2, mine: 1, value: '1 false' }],
    [{ tables: ['ext.kinds'] }, { kinds: 2, places: 2, mine: 0, value: '1 false' }],
    [{ tables: ['mine', 'counter'] }, { kinds: 0, places: 2, mine: 1, value: '42 true' }],
    [{ schemas: ['ext'] }, { kinds: 2, places: 5, mine: 0, value: '42 true' }],
    [
      { schemas: ['public'], extensions: ['citext'] },
      { kinds: 2, places: 5, mine: 1, value: '42 true' },
    ],
    [
      { excludeExtensions: ['citext'], excludeTables: ['mine'] },
      { kinds: 0, places: 2, mine: 0, value: '1 false' },
    ],
  ] as const)('%j', async (options, { value, ...expected }) => {
    await using archive = await archiveOf(source, options);
    await using target = await prepared(version);
    // Without the rows that it refers to, the table of the user is no matter here.
    if (expected.kinds + expected.places < 7 && expected.mine === 1)
      await source.run('ALTER TABLE mine DROP CONSTRAINT IF EXISTS mine_place_fkey');
    await restoreSnapshot({ database: target.url, file: archive.file });
    expect(await filled(target)).toEqual({ ...expected, log: 0, sequences: counter(value) });
  });
});
