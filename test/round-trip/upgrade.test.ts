// From an older server into the newest: every fixture that the older one understands comes up without an error and with the same rows, and
// from there on its schema stays as it is. For the versions that TIDEMARK_TEST_PG_VERSIONS names.
import { describe, expect, test } from 'vitest';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase, type Version } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import { type Fixture, readFixtures, roundTripVersions } from './fixtures.js';

const newest: Version = 18;
const older = roundTripVersions().filter((version) => version < newest);
const fixtures = [
  ...(await readFixtures('schema')).map((fixture) => ({ ...fixture, folder: 'schema' })),
  ...(await readFixtures('data')).map((fixture) => ({ ...fixture, folder: 'data' })),
];

/** PostgreSQL 18 knows no child without the NOT NULL of its parent, and its pg_upgrade refuses such a database, too. */
const refused = new Map([['not-null.sql', 'cannot drop inherited constraint']]);

// Without an older server there is still one way up: none at all, from the newest to itself.
describe.each(older.length > 0 ? older : [newest])(`from PostgreSQL %i to ${newest}`, (version) => {
  const known = fixtures.filter(({ from }) => from <= version);
  test.each(older.length > 0 ? known : known.slice(0, 1))('$folder/$name', (fixture) => goUp(version, fixture));
});

async function goUp(version: Version, { name, sql, judged, folder }: Fixture & { readonly folder: string }): Promise<void> {
  await using source = await createDatabase({ version });
  await source.run(sql);
  if (folder === 'schema') await fillDatabase(source);
  const before = await readContents(source);
  await using archive = await archiveOf(source);
  const refusal = version < newest ? refused.get(name) : undefined;
  if (refusal !== undefined) {
    const failed = { code: 'RESTORE_FAILED', message: expect.stringContaining(refusal) };
    await expect(restored(archive, { into: { version: newest } })).rejects.toMatchObject(failed);
    return;
  }
  await using first = await restored(archive, { into: { version: newest } });
  expect(await readContents(first)).toEqual(before);
  await using again = await archiveOf(first);
  await using second = await restored(again, { into: { version: newest } });
  expect(await readContents(second)).toEqual(before);
  if (judged) expect(await dumpSchema(second.url)).toEqual(await dumpSchema(first.url));
}
