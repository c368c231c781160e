// A database as an indexer has it, with events in ranges of a thousand heights, some of them split further; and the same contents compared.
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import type { Manifest } from '#dist/model/manifest.js';
import { readContents } from '../../round-trip/contents.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

const schema = `
  CREATE TYPE status AS ENUM ('new', 'done');
  CREATE TYPE pair AS (a int, b status);
  CREATE DOMAIN label AS text CHECK (VALUE <> '');
  CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
  CREATE TABLE events (height bigint NOT NULL, n int NOT NULL, kind status NOT NULL DEFAULT 'new', p pair, l label, data jsonb, PRIMARY KEY (height, n))
    PARTITION BY RANGE (height);
  CREATE TABLE moves (height int NOT NULL, chain text NOT NULL, payload bytea) PARTITION BY RANGE (height);
  CREATE TABLE rest PARTITION OF events DEFAULT;`;

/** A thousand heights of events and moves, and their blocks. */
export const addThousand = (from: number): string => `
  CREATE TABLE events_${from} PARTITION OF events FOR VALUES FROM (${from}) TO (${from + 1000});
  CREATE TABLE moves_${from} PARTITION OF moves FOR VALUES FROM (${from}) TO (${from + 1000}) PARTITION BY LIST (chain);
  CREATE TABLE moves_${from}_a PARTITION OF moves_${from} FOR VALUES IN ('a');
  CREATE TABLE moves_${from}_b PARTITION OF moves_${from} FOR VALUES IN ('b', NULL);
  INSERT INTO blocks SELECT g, md5(g::text) FROM generate_series(${from}, ${from + 999}) g;
  INSERT INTO events SELECT g, m, 'done', ROW(m, 'new'::status)::pair, 'l' || g, jsonb_build_object('h', g, 'x', md5(g || '-' || m)) FROM generate_series(${from}, ${from + 999}) g, generate_series(1, 4) m;
  INSERT INTO moves SELECT g, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END, sha256(g::text::bytea) FROM generate_series(${from}, ${from + 999}) g;`;

export async function makeIndexer(
  heights: readonly number[] = [0, 1000],
  options: Parameters<typeof createDatabase>[0] = {},
): Promise<TestDatabase> {
  const db = await createDatabase(options);
  await db.run(schema);
  for (const from of heights) await db.run(addThousand(from));
  return db;
}

export interface Taken {
  readonly file: string;
  readonly manifest: Manifest;
  readonly bytes: bigint;
  readonly notices: readonly string[];
}

/** Up to the newest block. */
export async function take(db: Pick<TestDatabase, 'url'>, file: string, base?: string): Promise<Taken> {
  const notices: string[] = [];
  const { manifest, bytes } = await takeSnapshot({
    database: db.url,
    file,
    jobs: 2,
    heightQuery: 'SELECT max(height) FROM public.blocks',
    completed: { tables: ['events', 'public.moves'], ...(base === undefined ? {} : { base }) },
    onEvent: (event: TidemarkEvent) => void (event.type === 'notice' && notices.push(event.message)),
  });
  return { file, manifest, bytes, notices };
}

/** Names of the tables whose rows are in other archives, by these archives. */
export function referred({ tables, archives = [] }: Manifest): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    archives.map(({ file }, at) => [
      file,
      tables
        .filter((table) => table.in === at)
        .map(({ name }) => name)
        .sort(),
    ]),
  );
}

export async function contents(db: TestDatabase): Promise<Awaited<ReturnType<typeof readContents>>> {
  return await readContents(db);
}
