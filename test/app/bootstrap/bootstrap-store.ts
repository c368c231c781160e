// A store with snapshots of a small chain, for bootstraps and drills: one archive a height, made once a test file.
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { temporaryDirectory } from '../../temporary-directory.js';

export const schema = `
  CREATE SCHEMA chain;
  CREATE TABLE chain.blocks (height bigint PRIMARY KEY, hash text NOT NULL);
  CREATE TABLE chain.state (dirty boolean NOT NULL);
  CREATE TABLE chain.streams (name text PRIMARY KEY, last_sequence bigint NOT NULL);
  CREATE VIEW chain.tip AS SELECT max(height) AS height FROM chain.blocks;
  CREATE MATERIALIZED VIEW chain.counts AS SELECT count(*) AS n FROM chain.blocks;
  CREATE INDEX ON chain.blocks (hash);
  CREATE FUNCTION chain.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE UPDATE ON chain.blocks FOR EACH ROW EXECUTE FUNCTION chain.touch();
  INSERT INTO chain.state VALUES (false);`;

export const invalid = 'SELECT dirty FROM chain.state';
export const position = {
  heightQuery: 'SELECT max(height) FROM chain.blocks',
  streamsQuery: 'SELECT name, last_sequence FROM chain.streams',
};

/** Brings a chain to a height. Its stream `txs` stands at ten times that. */
export async function advance(database: TestDatabase, height: number): Promise<void> {
  await database.run(`
    INSERT INTO chain.blocks SELECT g, md5(g::text) FROM generate_series(1 + (SELECT coalesce(max(height), 0) FROM chain.blocks), ${height}) g;
    INSERT INTO chain.streams VALUES ('txs', ${height * 10}) ON CONFLICT (name) DO UPDATE SET last_sequence = excluded.last_sequence`);
}

export interface Chain extends AsyncDisposable {
  readonly source: TestDatabase;
  /** Path of the archive of a height. */
  archiveOf(height: number): string;
  /** A folder with nothing but copies of the archives of these heights: `chain-<height>.tar.zst`. */
  storeOf(...heights: readonly number[]): Promise<{ readonly path: string } & AsyncDisposable>;
}

/** @param dirtyAt a height at which the snapshot is of a chain that is marked dirty */
export async function makeChain({ heights, dirtyAt }: { readonly heights: readonly number[]; readonly dirtyAt?: number }): Promise<Chain> {
  const folder = await temporaryDirectory();
  const source = await createDatabase();
  await source.run(schema);
  for (const height of heights) {
    await advance(source, height);
    await source.run(`UPDATE chain.state SET dirty = ${height === dirtyAt}`);
    await takeSnapshot({ database: source.url, file: join(folder.path, `${height}`), jobs: 1, compressLevel: 1, ...position });
  }
  return {
    source,
    archiveOf: (height) => join(folder.path, `${height}`),
    storeOf: async (...some) => {
      const store = await temporaryDirectory();
      for (const height of some) await copyFile(join(folder.path, `${height}`), join(store.path, `chain-${height}.tar.zst`));
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await source.drop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Flips a bit in the middle of the rows: the size stays. */
export async function flipByte(path: string): Promise<void> {
  const { openArchive } = await import('#dist/archive/reader.js');
  const archive = await openArchive(path);
  const chunk = archive.manifest.tables.find(({ name }) => name === 'blocks')?.chunks[0];
  await archive.close();
  if (chunk === undefined) throw new Error('there are no rows to damage');
  const file = await open(path, 'r+');
  try {
    const at = Number(chunk.offset + chunk.length / 2n);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0x10]), 0, 1, at);
  } finally {
    await file.close();
  }
}
