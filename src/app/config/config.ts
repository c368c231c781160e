// What a configuration is once it is read: everything parsed, every default filled in, every path absolute. Those who work by it need
// nothing of files, environment variables or schemas.
import type { ConnectionSettings } from '../../pg/settings.js';
import type { CronRule, RetentionPolicy, Schedule, TimeRule } from '../../rules/index.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';
import type { LayoutName } from '../repository/layout.js';
import type { SnapshotSettings } from './schema.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface Config {
  /** With the role, where there is one. Holds the password: never print it. */
  readonly database: ConnectionSettings;
  /** Absolute path of a directory, which may not be there yet, or a URL. */
  readonly store: string;
  /** What names of snapshots begin with. */
  readonly prefix: string;
  readonly layout: LayoutName;
  /** Absolute path. */
  readonly signKey?: string;
  /** Recipients, or `@` and an absolute path. */
  readonly encryptTo?: readonly string[];
  /** Keys as they are, or absolute paths. */
  readonly verifyKeys?: readonly string[];
  /** Absolute paths. */
  readonly identities?: readonly string[];
  readonly position: Omit<PositionQueries, 'height'>;
  /** As takeSnapshot takes them. */
  readonly snapshot: SnapshotSettings;
  readonly schedule: Schedule;
  readonly retention: RetentionPolicy;
  readonly poll: { readonly everyMs: number; readonly listen?: string };
  /** Absent: nothing is served. Port 0: any that is free. */
  readonly http?: { readonly host: string; readonly port: number };
  readonly log: { readonly level: LogLevel };
  /** The addresses are as good as passwords: never print them. */
  readonly webhook: { readonly success?: string; readonly failure?: string; readonly timeoutMs: number };
  readonly leaseMs: number;
  readonly drill?: { readonly rule: TimeRule | CronRule; readonly database?: ConnectionSettings };
  readonly reserveBytes: bigint;
}

/** A configuration, and where it is from. */
export interface LoadedConfig extends Config {
  /** Absolute path; absent where all is from the environment. */
  readonly file?: string;
  /** The preset that rules or retention are from. */
  readonly preset?: string;
  /** Keys that environment variables gave: `{ variable: 'TIDEMARK_STORE', key: 'store' }`. */
  readonly fromEnvironment: readonly { readonly variable: string; readonly key: string }[];
}
