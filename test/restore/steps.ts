// A database to run steps in, and steps.
import type { Catalog, Step } from '#dist/model/catalog.js';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, patience, type TestDatabase } from '../server/index.js';

export interface Target extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly session: Session;
  tables(): Promise<readonly string[]>;
}

export async function makeTarget(): Promise<Target> {
  const db = await createDatabase();
  const session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  return {
    db,
    session,
    tables: async () =>
      (await db.query<{ name: string }>('SELECT tablename AS name FROM pg_tables WHERE schemaname = $$public$$ ORDER BY 1')).map(
        ({ name }) => name,
      ),
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

/** A table each. */
export function catalogOf(statements: readonly string[]): Catalog {
  return {
    objects: statements.map((_, id) => ({ id, kind: 'table', schema: 'public', name: `t${id}` })),
    steps: statements.map((text, id): Step => {
      return { id, object: id, section: 'pre-data', facet: 'definition', statements: [text], needs: [] };
    }),
    tables: [],
  };
}

export function create(count: number): string[] {
  return Array.from({ length: count }, (_, id) => `CREATE TABLE public.t${id} () -- no columns`);
}

/** As a restore runs steps where no transaction is open. */
export const outside = { inTransaction: false };
