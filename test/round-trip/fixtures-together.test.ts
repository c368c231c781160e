// Every fixture on the older versions of PostgreSQL that the run asks for, many in one database, and from there into the newest.
// Case 216.
import { describe, test } from 'vitest';
import { fixturesGoAroundTogether } from './every-fixture.js';
import { fixtureVersions, readFixtures } from './fixtures.js';

const fixtures = await readFixtures();
const versions = fixtureVersions();
const older = versions.slice(0, -1);

// Where one version alone is asked for, that one.
describe.concurrent.each(older.length > 0 ? older : versions)('all fixtures on PostgreSQL %i', (version) => {
  const known = fixtures.filter(({ from }) => from <= version);
  test('come back from the databases that they share', { timeout: 600_000 }, () => fixturesGoAroundTogether(known, version));
});
