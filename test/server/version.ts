// The PostgreSQL versions that tests run against, and the ones taken when a test names none.

export const versions = [14, 15, 16, 17, 18] as const;

/** A major version of PostgreSQL. */
export type Version = (typeof versions)[number];

/** The version of tests that name none: TIDEMARK_TEST_PG_VERSION, else 18.
 *  @throws Error where the variable holds something else */
export function defaultVersion(env: NodeJS.ProcessEnv = process.env): Version {
  const text = env.TIDEMARK_TEST_PG_VERSION;
  return text ? parseVersion(text) : 18;
}

/** The oldest version whose binaries npm has for this platform: 14 is there for Linux on x64 only. */
export const oldestHere: Version = process.platform === 'linux' && process.arch === 'x64' ? 14 : 15;

/** The versions of tests that go through several (`describe.each(requestedVersions())`): TIDEMARK_TEST_PG_VERSIONS, as `all` or `14,16`;
 *  by default the oldest and the newest.
 *  @throws Error where the variable holds something else */
export function requestedVersions(env: NodeJS.ProcessEnv = process.env): readonly Version[] {
  const text = env.TIDEMARK_TEST_PG_VERSIONS;
  if (!text) return [oldestHere, 18];
  return text.trim() === 'all' ? versions : text.split(',').map(parseVersion);
}

/** @throws Error where the text is none of the versions */
export function parseVersion(text: string): Version {
  const found = versions.find((version) => String(version) === text.trim());
  if (found === undefined) throw new Error(`choose a PostgreSQL version: ${JSON.stringify(text)} is none of ${versions.join(', ')}`);
  return found;
}
