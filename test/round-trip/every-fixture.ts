// Fixtures through real archives: the schema is what it was, as pg_dump 18 prints it, as the catalogs have it and as we read it; so are
// rows, sequences and materialized views. On the newest PostgreSQL each in a database of its own; on older ones as many together as fit.

import { expect } from 'vitest';
import { openArchive } from '#dist/archive/reader.js';
import type { Catalog, CopyFormat } from '#dist/model/catalog.js';
import { catalogFacts } from '../schema/facts.js';
import { comparable, dumpSchema, readSchema } from '../schema/judge.js';
import { createDatabase, type TestDatabase, type Version } from '../server/index.js';
import { type Contents, readContents } from './contents.js';
import { type Archive, archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import type { Fixture } from './fixtures.js';

const newest: Version = 18;

/** Something in these cannot travel in binary: that is refused where binary is asked for, and they travel as 'auto' has it. */
const unfitForBinary = new Set(['composites.sql', 'extensions.sql', 'others.sql']);

/** How a fixture, or several in one database, are judged. */
interface Expectation {
  readonly version: Version;
  /** Those of 'data' are there for their rows; some change settings of the database, which judges of schemas would see. */
  readonly folder: Fixture['folder'];
  /** pg_dump 18 can say whether the schema came back. */
  readonly judged: boolean;
}

/** One fixture in a database of its own. A schema's tables get rows; a fixture of rows goes in text and in binary or, where that
 *  cannot be, as 'auto' has it.
 *  @returns how many tables there were, and the names of those without rows */
export async function fixtureGoesAround({ folder, name, sql, judged }: Fixture, version: Version): Promise<Filled> {
  await using source = await createDatabase({ version });
  await source.run(sql);
  const empty = folder === 'schema' ? await fillDatabase(source) : [];
  const before = await readContents(source);
  if (folder === 'schema') await databaseGoesAround(source, before, { version, folder, judged });
  else await formatsGoAround(source, before, { version, fit: !unfitForBinary.has(name) });
  return { tables: Object.keys(before.rows).length, empty: empty.map((table) => `${name}: ${table}`) };
}

export interface Filled {
  readonly tables: number;
  readonly empty: readonly string[];
}

/** All fixtures in as few databases as they fit in: one that clashes with those before it even in a schema of its own waits for the next. From 14 and 16 on into the
 *  newest PostgreSQL, too. */
export async function fixturesGoAroundTogether(fixtures: readonly Fixture[], version: Version): Promise<void> {
  const alike = new Map<string, { readonly expected: Expectation; readonly fixtures: Fixture[] }>();
  // The functions of a language depend on its transforms, but those that were there before do not: not so after a restore.
  const first = ({ name }: Fixture): number => (name === 'transform.sql' ? 0 : 1);
  for (const fixture of fixtures.toSorted((a, b) => first(a) - first(b))) {
    const { folder, judged } = fixture;
    const expected = { version, folder, judged };
    const key = JSON.stringify(expected);
    alike.set(key, { expected, fixtures: [...(alike.get(key)?.fixtures ?? []), fixture] });
  }
  for (const { expected, fixtures: some } of alike.values()) {
    let waiting: readonly Fixture[] = some;
    while (waiting.length > 0) waiting = await oneDatabaseGoesAround(waiting, expected);
  }
}

/** @returns the fixtures that did not fit in */
async function oneDatabaseGoesAround(fixtures: readonly Fixture[], expected: Expectation): Promise<readonly Fixture[]> {
  await using source = await createDatabase({ version: expected.version });
  const inside: string[] = [];
  const waiting: Fixture[] = [];
  for (const fixture of fixtures) {
    const failure = await fitsIn(source, fixture, inside.length);
    if (failure === undefined) inside.push(fixture.name);
    else if (inside.length === 0) throw failure;
    else waiting.push(fixture);
  }
  if (expected.folder === 'schema') await fillDatabase(source);
  try {
    await databaseGoesAround(source, await readContents(source), expected);
  } catch (error) {
    throw new Error(`${inside.join(', ')} in one database: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  return waiting;
}

/** Many have a table `t`: what clashes with the others goes into a schema of its own, where all that it says is without one.
 *  @returns why it did not fit in; nothing of it is then there */
export async function fitsIn(source: TestDatabase, { sql }: Fixture, place: number): Promise<unknown> {
  try {
    await source.run(sql);
    return undefined;
  } catch (failure) {
    if (place === 0) return failure;
    const apart = `"apart ${place}"`;
    return source.run(`CREATE SCHEMA ${apart}; SET search_path = ${apart}, public;\n${sql}`).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
}

async function databaseGoesAround(source: TestDatabase, before: Contents, { version, folder, judged }: Expectation): Promise<void> {
  await using archive = await archiveOf(source);
  {
    await using target = await comesBack(archive, version, before);
    if (folder === 'schema') {
      if (judged) expect(entriesOf(await dumpSchema(target.url))).toEqual(entriesOf(await dumpSchema(source.url)));
      expect(await catalogFacts(target)).toEqual(await catalogFacts(source));
      expect(comparable(await readSchema(target.url))).toEqual(comparable(await catalogOf(archive)));
    }
    // Rows of foreign tables are read when asked for.
    expect(archive.manifest.leftOut.filter(({ kind }) => kind !== 'foreign data')).toEqual([]);
  }
  if (version !== 14 && version !== 16) return;
  await using _newer = await comesBack(archive, newest, before);
}

/** Where functions call each other, pg_dump's order goes by OIDs. What each entry says must be the same. */
function entriesOf(dump: string | undefined): readonly string[] | undefined {
  return dump?.split(/^--\n(?=-- Name: )/m).toSorted();
}

async function formatsGoAround(
  source: TestDatabase,
  before: Contents,
  { version, fit }: { readonly version: Version; readonly fit: boolean },
): Promise<void> {
  await using text = await archiveIn('text', source);
  await using _text = await comesBack(text, version, before);
  if (fit) {
    await using binary = await archiveIn('binary', source);
    await using _binary = await comesBack(binary, version, before);
  } else {
    const refused = { code: 'UNSUPPORTED_OBJECT', hint: expect.stringContaining('--copy-format auto') };
    await expect(archiveOf(source, { copyFormat: 'binary' })).rejects.toMatchObject(refused);
    await using auto = await archiveOf(source);
    await using _auto = await comesBack(auto, version, before);
  }
}

async function archiveIn(copyFormat: CopyFormat, source: TestDatabase): Promise<Archive> {
  const archive = await archiveOf(source, { copyFormat });
  expect(archive.manifest.tables.filter(({ format }) => format !== copyFormat)).toEqual([]);
  return archive;
}

async function comesBack(archive: Archive, version: Version, before: Contents): Promise<TestDatabase> {
  const target = await restored(archive, { into: { version } });
  try {
    expect(await readContents(target)).toEqual(before);
    return target;
  } catch (error) {
    await target.drop();
    throw error;
  }
}

async function catalogOf({ file }: Archive): Promise<Catalog> {
  const reader = await openArchive(file);
  try {
    return await reader.readCatalog();
  } finally {
    await reader.close();
  }
}
