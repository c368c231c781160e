// Every fixtures/schema/*.sql with rows in it, and every fixtures/data/*.sql, through real archives in text and in binary: schema as
// pg_dump 18 prints it, rows, sequences and materialized views are what they were. Two files share them, so that they run side by side.
import { afterAll, describe, expect, test } from 'vitest';
import type { CopyFormat } from '#dist/model/catalog.js';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase, type TestDatabase, type Version } from '../server/index.js';
import { type Contents, readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import { readFixtures, roundTripVersions } from './fixtures.js';

/** Something in these cannot travel in binary: that is refused where binary is asked for, and they travel as 'auto' has it. */
const unfitForBinary = new Set([
  'schema/inheritance.sql',
  'schema/loops.sql',
  'schema/table.sql',
  'schema/text-search.sql',
  'data/composites.sql',
  'data/extensions.sql',
  'data/others.sql',
]);

const fixtures = (
  await Promise.all((['schema', 'data'] as const).map(async (folder) => (await readFixtures(folder)).map((one) => ({ ...one, folder }))))
).flat();

/** @param half 0 or 1: every other fixture, beginning with that one */
export function testEveryFixture(half: 0 | 1): void {
  const mine = fixtures.filter((_fixture, place) => place % 2 === half);

  describe.each(roundTripVersions())('every fixture on PostgreSQL %i', (version) => {
    let tables = 0;
    const empty: string[] = [];

    test.each(mine.filter(({ from }) => from <= version))('$folder/$name', async ({ folder, name, sql, judged }) => {
      await using source = await createDatabase({ version });
      await source.run(sql);
      if (folder === 'schema') empty.push(...(await fillDatabase(source)).map((table) => `${name}: ${table}`));
      const before = await readContents(source);
      tables += Object.keys(before.rows).length;
      const unfit = unfitForBinary.has(`${folder}/${name}`);
      if (unfit) {
        const refusal = { code: 'UNSUPPORTED_OBJECT', hint: expect.stringContaining('--copy-format auto') };
        await expect(archiveOf(source, { copyFormat: 'binary' })).rejects.toMatchObject(refusal);
      }
      await goAround(source, before, { copyFormat: 'text', version, judged });
      // The way of the schema is the same: once is enough for it.
      await goAround(source, before, { copyFormat: unfit ? 'auto' : 'binary', version, judged: false });
    });

    afterAll(() => {
      expect(empty.length, `tables without rows: ${empty.join(', ')}`).toBeLessThan(tables / 4 + 5);
    });
  });
}

interface Way {
  readonly copyFormat: CopyFormat | 'auto';
  readonly version: Version;
  /** pg_dump compares the schemas. */
  readonly judged: boolean;
}

async function goAround(source: TestDatabase, before: Contents, { copyFormat, version, judged }: Way): Promise<void> {
  await using archive = await archiveOf(source, { copyFormat });
  const { tables } = archive.manifest;
  if (copyFormat !== 'auto') expect(tables.filter(({ format }) => format !== copyFormat)).toEqual([]);
  await using target = await restored(archive, { into: { version } });
  expect(await readContents(target)).toEqual(before);
  if (judged) expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
}
