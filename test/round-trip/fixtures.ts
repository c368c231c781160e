// The SQL files that make databases for round trips, and the servers that they are tried on.
import { readdir, readFile } from 'node:fs/promises';
import { defaultVersion, requestedVersions, type Version } from '../server/index.js';

export interface Fixture {
  readonly name: string;
  readonly sql: string;
  /** The oldest server that understands it: `-- from: 17`. */
  readonly from: number;
  /** pg_dump 18 can say whether its schema came back: not so with `-- without: pg_dump`. */
  readonly judged: boolean;
}

/** Every fixture of a folder of fixtures/. */
export async function readFixtures(folder: 'schema' | 'data'): Promise<readonly Fixture[]> {
  const url = new URL(`../../fixtures/${folder}/`, import.meta.url);
  const names = (await readdir(url)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, url), 'utf8');
      return { name, sql, from: Number(/^-- from: (\d+)/.exec(sql)?.[1] ?? 0), judged: !/^-- without: pg_dump/.test(sql) };
    }),
  );
}

/** Round trips take their time: the default version alone, unless TIDEMARK_TEST_PG_VERSIONS asks for more. */
export function roundTripVersions(): readonly Version[] {
  return process.env.TIDEMARK_TEST_PG_VERSIONS ? requestedVersions() : [defaultVersion()];
}
