// Every fixtures/schema/*.sql with rows in it, and every fixtures/data/*.sql, through a real archive in one format: schema as pg_dump 18 prints it, rows, sequences and
// materialized views are what they were. One file per format calls this, so that the two run side by side.
import { afterAll, describe, expect, test } from 'vitest';
import type { CopyFormat } from '#dist/model/catalog.js';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase, type TestDatabase, type Version } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import { type Fixture, readFixtures, roundTripVersions } from './fixtures.js';

const schemas = await readFixtures('schema');
const data = await readFixtures('data');

/** @param unfit names of fixtures that have something which cannot travel in binary: that is refused, and they travel as 'auto' has it */
export function testEveryFixture(copyFormat: CopyFormat, { unfit = [] }: { readonly unfit?: readonly string[] } = {}): void {
  describe.each(roundTripVersions())(`every fixture in ${copyFormat} on PostgreSQL %i`, (version) => {
    let tables = 0;
    const empty: string[] = [];

    test.each(schemas.filter(({ from }) => from <= version))('schema/$name', async (fixture) => {
      await using source = await createDatabase({ version });
      await source.run(fixture.sql);
      empty.push(...(await fillDatabase(source)).map((table) => `${fixture.name}: ${table}`));
      tables += await goAround(source, fixture, version);
    });

    test.each(data.filter(({ from }) => from <= version))('data/$name', async (fixture) => {
      await using source = await createDatabase({ version });
      await source.run(fixture.sql);
      await goAround(source, fixture, version);
    });

    afterAll(() => {
      expect(empty.length, `tables without rows: ${empty.join(', ')}`).toBeLessThan(tables / 4 + 5);
    });
  });

  async function goAround(source: TestDatabase, { name, judged }: Fixture, version: Version): Promise<number> {
    const before = await readContents(source);
    const refused = unfit.includes(name);
    if (refused) {
      const refusal = { code: 'UNSUPPORTED_OBJECT', hint: expect.stringContaining('--copy-format auto') };
      await expect(archiveOf(source, { copyFormat })).rejects.toMatchObject(refusal);
    }
    await using archive = await archiveOf(source, { copyFormat: refused ? 'auto' : copyFormat });
    const { tables } = archive.manifest;
    if (!refused) expect(tables.filter(({ format }) => format !== copyFormat)).toEqual([]);
    await using target = await restored(archive, { into: { version } });
    expect(await readContents(target)).toEqual(before);
    if (judged) expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
    return tables.length;
  }
}
