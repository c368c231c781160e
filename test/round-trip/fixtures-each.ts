// Every fixture, a few in one database, on the newest PostgreSQL that the run asks for. Two files share them and run side by side.
import { afterAll, describe, expect, test } from 'vitest';
import type { Version } from '../server/index.js';
import { fixturesGoAround, likenessOf } from './every-fixture.js';
import { fixtureVersions, readFixtures } from './fixtures.js';
import { groupsOf } from './share-databases.js';

const version = fixtureVersions().at(-1) as Version;
const fixtures = (await readFixtures()).filter(({ from }) => from <= version);

/** TIDEMARK_TEST_FIXTURES=1: each in a database of its own, which takes four times as long. */
const groups = groupsOf(fixtures, Number(process.env.TIDEMARK_TEST_FIXTURES ?? 8), likenessOf);

/** @param half 0 or 1: every other group, beginning with that one */
export function testEachFixture(half: 0 | 1): void {
  const mine = groups
    .filter((_group, place) => place % 2 === half)
    .map((group) => ({ group, names: group.map(({ folder, name }) => `${folder}/${name}`).join(', ') }));

  describe(`fixtures on PostgreSQL ${version}`, () => {
    let tables = 0;
    const empty: string[] = [];

    test.each(mine)('$names', { timeout: 180_000 }, async ({ group }) => {
      const filled = await fixturesGoAround(group, version);
      tables += filled.tables;
      empty.push(...filled.empty);
    });

    afterAll(() => {
      expect(empty.length, `tables without rows: ${empty.join(', ')}`).toBeLessThan(tables / 4 + 5);
    });
  });
}
