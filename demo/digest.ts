// Digests of a whole database, computed apart from the code that is to be proven: rows by the server's own hashing of their text, the
// order of rows not counting; the schema by the text of its definitions.
import { createHash } from 'node:crypto';
import { printSchema } from 'tidemark';
import { connect } from '../test/server/index.js';

/** Digest by name: one for each table and materialized view, one for the schema. */
export async function digestDatabase(url: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  await using database = await connect(url);
  const { rows: tables } = await database.query<{ name: string }>(`
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1`);
  for (const { name } of tables) {
    const { rows } = await database.query<{ count: string; digest: string }>(
      `SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text || '/' || coalesce(sum(hashtextextended(t::text, 1)::numeric), 0) AS digest FROM ${name} t`,
    );
    const [row] = rows;
    digests.set(`${name} (${row?.count} rows)`, createHash('sha256').update(`${row?.count} ${row?.digest}`).digest('hex'));
  }
  const { preData, postData } = await printSchema({ database: url });
  digests.set('schema', createHash('sha256').update(preData).update(postData).digest('hex'));
  return digests;
}
