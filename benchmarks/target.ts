// The database that restores go to: on the source's server, by a name that nobody else has, new for each restore, and dropped at the end.
import { randomBytes } from 'node:crypto';
import { connect, databaseUrl } from '../test/server/index.js';
import { type Source, withoutPassword } from './source.js';

export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
  /** Makes it empty again. */
  fresh(): Promise<void>;
}

export async function openTarget({ url: source }: Source): Promise<Target> {
  const name = `tidemark_bench_${randomBytes(6).toString('hex')}`;
  const admin = await connect(source);
  const drop = `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`;
  return {
    ...withoutPassword(databaseUrl(source, name)),
    async fresh() {
      await admin.query(drop);
      await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
      // What the one before left to be written would be written during this one. Not every role may; without it, it is as it is.
      await admin.query('CHECKPOINT').catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      await admin.query(drop);
      await admin.end();
    },
  };
}
