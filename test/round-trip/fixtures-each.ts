// Every fixture in a database of its own, on the newest PostgreSQL that the run asks for. Two files share them and run side by side.
import { afterAll, describe, expect, test } from 'vitest';
import type { Version } from '../server/index.js';
import { fixtureGoesAround } from './every-fixture.js';
import { fixtureVersions, readFixtures } from './fixtures.js';

const version = fixtureVersions().at(-1) as Version;
const fixtures = (await readFixtures()).filter(({ from }) => from <= version);

/** @param half 0 or 1: every other fixture, beginning with that one */
export function testEachFixture(half: 0 | 1): void {
  const mine = fixtures.filter((_fixture, place) => place % 2 === half);

  describe(`each fixture on PostgreSQL ${version}`, () => {
    let tables = 0;
    const empty: string[] = [];

    test.each(mine)('$folder/$name', async (fixture) => {
      const filled = await fixtureGoesAround(fixture, version);
      tables += filled.tables;
      empty.push(...filled.empty);
    });

    afterAll(() => {
      expect(empty.length, `tables without rows: ${empty.join(', ')}`).toBeLessThan(tables / 4 + 5);
    });
  });
}
