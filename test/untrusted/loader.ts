// A database that a role owns which can do nothing else, as docs/untrusted.md has it.
import { createDatabase, createRole, type DatabaseOptions, type TestDatabase } from '../server/index.js';

export interface LoaderDatabase extends AsyncDisposable {
  readonly database: TestDatabase;
  /** Connects as the role. */
  readonly url: string;
  readonly role: string;
}

/** @param attributes of the role, beyond LOGIN */
export async function createLoaderDatabase({
  attributes = '',
  ...options
}: DatabaseOptions & { attributes?: string } = {}): Promise<LoaderDatabase> {
  const version = options.version === undefined ? {} : { version: options.version };
  const role = await createRole({ ...version, attributes: `LOGIN ${attributes}` });
  const database = await createDatabase(options);
  await database.run(`ALTER DATABASE "${database.name}" OWNER TO "${role.name}"; GRANT ALL ON SCHEMA public TO "${role.name}"`);
  return {
    database,
    url: role.as(database.url),
    role: role.name,
    async [Symbol.asyncDispose]() {
      await database.drop();
      await role.drop();
    },
  };
}
