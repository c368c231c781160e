// Every fixtures/schema/*.sql with rows in it, through a real archive in one format: schema as pg_dump 18 prints it, rows, sequences and
// materialized views are what they were. One file per format calls this, so that the two run side by side.
import { afterAll, describe, expect, test } from 'vitest';
import type { CopyFormat } from '#dist/model/catalog.js';
import { TidemarkError } from '#dist/model/errors.js';
import { dumpSchema } from '../schema/judge.js';
import { createDatabase } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';
import { fillDatabase } from './fill.js';
import { readFixtures, roundTripVersions } from './fixtures.js';

const fixtures = await readFixtures('schema');

/** @param unfit names of fixtures that have something which cannot travel in binary, and is refused */
export function testEveryFixture(copyFormat: CopyFormat, { unfit = [] }: { readonly unfit?: readonly string[] } = {}): void {
  describe.each(roundTripVersions())(`every fixture in ${copyFormat} on PostgreSQL %i`, (version) => {
    let tables = 0;
    const empty: string[] = [];

    test.each(fixtures.filter(({ from }) => from <= version))('$name', async ({ name, sql, judged }) => {
      await using source = await createDatabase({ version });
      await source.run(sql);
      empty.push(...(await fillDatabase(source)).map((table) => `${name}: ${table}`));
      if (unfit.includes(name)) {
        const refusal = await archiveOf(source, { copyFormat }).catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(TidemarkError);
        expect(refusal).toMatchObject({ code: 'UNSUPPORTED_OBJECT', hint: expect.stringContaining('--copy-format') });
        return;
      }
      const before = await readContents(source);
      await using archive = await archiveOf(source, { copyFormat });
      expect(new Set(archive.manifest.tables.map(({ format }) => format)).size).toBeLessThan(2);
      await using target = await restored(archive, { into: { version } });
      expect(await readContents(target)).toEqual(before);
      if (judged) expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
      tables += archive.manifest.tables.length;
    });

    afterAll(() => {
      if (process.env.TIDEMARK_TEST_PRINT_EMPTY) console.log(empty.join('\n'));
      expect(empty.length, `tables without rows: ${empty.join(', ')}`).toBeLessThan(tables / 4);
    });
  });
}
