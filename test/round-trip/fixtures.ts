// The SQL files that make databases for round trips, and the servers that they are tried on.
import { readdir, readFile } from 'node:fs/promises';
import { oldestHere, requestedVersions, type Version, versions } from '../server/index.js';

export interface Fixture {
  /** Those of 'schema' get rows from the tests; those of 'data' have their own. */
  readonly folder: 'schema' | 'data';
  readonly name: string;
  readonly sql: string;
  /** The oldest server that understands it: `-- from: 17`. */
  readonly from: number;
  /** pg_dump 18 can say whether its schema came back: not so with `-- without: pg_dump`. */
  readonly judged: boolean;
}

/** Every fixtures/schema/*.sql and fixtures/data/*.sql. */
export async function readFixtures(): Promise<readonly Fixture[]> {
  return (await Promise.all([readFolder('schema'), readFolder('data')])).flat();
}

async function readFolder(folder: Fixture['folder']): Promise<readonly Fixture[]> {
  const url = new URL(`../../fixtures/${folder}/`, import.meta.url);
  const names = (await readdir(url)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, url), 'utf8');
      const from = Number(/^-- from: (\d+)/.exec(sql)?.[1] ?? 0);
      return { folder, name, sql, from, judged: !/^-- without: pg_dump/.test(sql) };
    }),
  );
}

/** The versions that fixtures are tried on, oldest first: all that there are here, unless TIDEMARK_TEST_PG_VERSIONS asks for some. */
export function fixtureVersions(): readonly Version[] {
  return process.env.TIDEMARK_TEST_PG_VERSIONS ? requestedVersions().toSorted() : versions.filter((version) => version >= oldestHere);
}
