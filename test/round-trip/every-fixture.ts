// Fixtures through real archives: the schema is what it was, as pg_dump 18 prints it, as the catalogs have it and as we read it; so are
// rows, sequences and materialized views. On the newest PostgreSQL a few in one database; on older ones as many together as fit.

import { expect } from 'vitest';
import { openArchive } from '#dist/archive/reader.js';
import type { Catalog, CopyFormat } from '#dist/model/catalog.js';
import { catalogFacts } from '../schema/facts.js';
import { comparable, dumpSchema, readSchema } from '../schema/judge.js';
import type { TestDatabase, Version } from '../server/index.js';
import { type Contents, readContents } from './contents.js';
import { type Archive, archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import type { Fixture } from './fixtures.js';
import { groupsOf, shareDatabases } from './share-databases.js';

const newest: Version = 18;

/** Something in these cannot travel in binary: that is refused where binary is asked for, and they travel as 'auto' has it. */
const unfitForBinary = new Set(['composites.sql', 'extensions.sql', 'others.sql']);

export function fitForBinary({ folder, name }: Fixture): boolean {
  return folder === 'schema' || !unfitForBinary.has(name);
}

/** How a fixture, or several in one database, are judged. */
interface Expectation {
  readonly version: Version;
  /** Those of 'data' are there for their rows; some change settings of the database, which judges of schemas would see. */
  readonly folder: Fixture['folder'];
  /** pg_dump 18 can say whether the schema came back. */
  readonly judged: boolean;
}

/** Fixtures that are alike, in as few databases as they fit in. A schema's tables get rows; fixtures of rows go in text and in binary or,
 *  where that cannot be, as 'auto' has it.
 *  @returns how many tables there were, and the names of those without rows */
export async function fixturesGoAround(fixtures: readonly Fixture[], version: Version): Promise<Filled> {
  let tables = 0;
  const empty: string[] = [];
  const folder = fixtures[0]?.folder ?? 'schema';
  const judged = fixtures.every((fixture) => fixture.judged);
  const fit = fixtures.every(fitForBinary);
  await shareDatabases(fixtures, version, async (source) => {
    if (folder === 'schema') empty.push(...(await fillDatabase(source)));
    const before = await readContents(source);
    tables += Object.keys(before.rows).length;
    if (folder === 'schema') await databaseGoesAround(source, before, { version, folder, judged });
    else await formatsGoAround(source, before, { version, fit });
  });
  return { tables, empty };
}

export interface Filled {
  readonly tables: number;
  readonly empty: readonly string[];
}

/** What fixtures that share a database must agree in; one whose rows cannot go in binary is refused by itself. */
export function likenessOf(fixture: Fixture): string {
  const { folder, judged, name } = fixture;
  return JSON.stringify(fitForBinary(fixture) ? { folder, judged } : name);
}

/** All fixtures in as few databases as they fit in, rows in one format. From 14 and 16 on into the newest PostgreSQL, too. */
export async function fixturesGoAroundTogether(fixtures: readonly Fixture[], version: Version): Promise<void> {
  for (const alike of groupsOf(fixtures, fixtures.length, ({ folder, judged }) => JSON.stringify({ folder, judged }))) {
    const folder = alike[0]?.folder ?? 'schema';
    const judged = alike.every((fixture) => fixture.judged);
    await shareDatabases(alike, version, async (source) => {
      if (folder === 'schema') await fillDatabase(source);
      await databaseGoesAround(source, await readContents(source), { version, folder, judged });
    });
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
