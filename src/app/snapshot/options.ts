// The options of a snapshot as a caller gives them, and as they are once checked and filled up. Those that restores have, too, are in
// common-options.ts.
import type { Writable } from 'node:stream';
import type { CopyFormat } from '../../model/catalog.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { type Pattern, parseExtensionPattern, parsePattern } from '../../selection/pattern.js';
import { chunkLimits } from '../../snapshot/chunk-size.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';
import { positionQueryNames } from '../../snapshot/position-queries.js';
import type { OpenedArchive, StoreOptions } from '../archive/open-bytes.js';
import { type CommonOptions, type CommonPlan, commonOptionNames, refuse, refuseBoth, settleCommon } from '../common-options.js';
import type { TrustOptions } from '../seal/open-sealed.js';
import { trustOptionNames } from '../seal/open-sealed.js';
import type { SealingOptions } from '../seal/settle-sealing.js';
import { sealingOptionNames } from '../seal/settle-sealing.js';

/** `jobs`: worker threads at most, one for each 32 MiB on the server's disk, each with a connection of its own; the control connection comes
 *  on top, and one more while the schema is read. Below a MiB no thread is started: rows are read and compressed in this one. With 1 each
 *  table is read in one scan, which leaves the server's cache to others. */
export interface SnapshotOptions extends PositionQueries, CommonOptions, SealingOptions {
  /** Path of the archive, or a stream that takes it in order (then there are no sidecars; it is for its owner to end). */
  readonly file: string | Writable;
  /** zstd level, -7 to 22 without 0, or 'auto' (default): 3, unless a sample of the rows at the beginning says that another is faster, or
   *  smaller for nothing. */
  readonly compressLevel?: number | 'auto';
  /** 'auto' (default): binary for tables of types whose binary form is the same on every server, unless all are integers, booleans and
   *  enums, or a sample says that text is as fast and smaller; else text.
   *  'binary': all tables, for servers of the same version; a column that cannot travel so is an error. */
  readonly copyFormat?: CopyFormat | 'auto';
  /** Bytes of rows at which a chunk is closed, 256 KiB to 64 MiB; default 4 MiB, from 400 GB on as many as make 100,000
   *  chunks of the whole. A chunk is a frame of its own, so this is also how far back
   *  zstd looks for what repeats. Each worker needs some four times as much memory; who restores or verifies needs as much. */
  readonly chunkBytes?: number;
  /** Takes the options of user mappings and the connection strings of subscriptions along as they are; default: without what may be a
   *  password or key, and listed. */
  readonly secrets?: boolean;
  /** Takes along what belongs to the whole server: roles, memberships, privileges on parameters, tablespaces. Default: none of it. */
  readonly globals?: boolean;
  /** With `globals`: takes the password hashes of the roles along, which only superusers can read. Default: without. */
  readonly rolePasswords?: boolean;
  /** Takes the planner's statistics along: all of them (they are data: the most common values of columns are among them, also of tables whose
   *  rows are left out by `excludeTableData`), or none. 'auto' (default): from PostgreSQL 18 on those of tables that would take long to
   *  analyze again, where they are up to date, and of rows that are taken along, too. Values that were deleted since the last ANALYZE may
   *  be among them. */
  readonly statistics?: boolean | 'auto';
  /** Patterns of foreign servers whose tables' rows are taken along. They are read when their turn comes, not at the snapshot's instant. */
  readonly includeForeignData?: readonly string[];
  /** How long a table lock may be waited for, in ms; readers that come after us wait as long at most. 0: for ever. Default 10 s. */
  readonly lockTimeoutMs?: number;
  /** The transaction is given up when it gets older than this, in ms: an old one keeps the server from cleaning up. Default: never. */
  readonly maxAgeMs?: number;
  /** Exports partitions once that are complete. Needs a height. */
  readonly completed?: CompletedOptions;
  /** Goes on without objects of kinds that are not known, and lists them in the manifest. */
  readonly skipUnsupported?: boolean;
  /** How often to start over when DDL came in between. Default 5 attempts. */
  readonly attempts?: number;
}

export const snapshotOptionNames: OptionNames<SnapshotOptions> = {
  file: true,
  compressLevel: true,
  copyFormat: true,
  chunkBytes: true,
  secrets: true,
  globals: true,
  rolePasswords: true,
  statistics: true,
  includeForeignData: true,
  lockTimeoutMs: true,
  maxAgeMs: true,
  completed: true,
  skipUnsupported: true,
  attempts: true,
  ...commonOptionNames,
  ...positionQueryNames,
  ...sealingOptionNames,
};

/** Partitions by height whose rows do not change any more are exported once; later snapshots refer to them. */
export interface CompletedOptions extends TrustOptions {
  /** Patterns of partitioned tables. Their partitions up to the height of the snapshot are looked at: what is proven to be as it was when
   *  `base` was taken is referred to, all else is exported, so that a later snapshot can refer to it. */
  readonly tables: readonly string[];
  /** The snapshot to refer to: path or URL, or an archive that is open, which is closed at the end. It must lie in the same file system or
   *  store as the new one, and stay there for as long as the new one is to be restored. Default: none, everything is exported. */
  readonly base?: string | OpenedArchive;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
}

const completedOptionNames: OptionNames<CompletedOptions> = { tables: true, base: true, store: true, ...trustOptionNames };

export interface SnapshotPlan extends CommonPlan {
  readonly compressLevel: number | 'auto';
  readonly copyFormat: CopyFormat | 'auto';
  /** Undefined: as the size of the database asks for. */
  readonly chunkBytes: number | undefined;
  readonly secrets: boolean;
  readonly globals: { readonly passwords: boolean } | undefined;
  readonly statistics: boolean | 'auto';
  readonly foreignServers: readonly Pattern[];
  readonly lockTimeoutMs: number;
  readonly maxAgeMs: number | undefined;
  readonly skipUnsupported: boolean;
  /** Partitioned tables whose completed partitions are exported once. */
  readonly completedOnce: readonly Pattern[];
  /** 'own': names and statements in the database's encoding, since not all of them can be UTF-8. */
  readonly encoding: 'own' | undefined;
  readonly attempts: number;
  readonly position: PositionQueries;
}

/** Checks the options. @param attempt what messages begin with
 *  @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function planSnapshot(options: Omit<SnapshotOptions, 'file'>, attempt = 'take a snapshot'): SnapshotPlan {
  const { compressLevel = 'auto', chunkBytes, lockTimeoutMs = 10_000, maxAgeMs, attempts = 5 } = options;
  refuse(
    compressLevel !== 'auto' && (!Number.isInteger(compressLevel) || compressLevel < -7 || compressLevel > 22 || compressLevel === 0),
    `${attempt}: the compression level must be a whole number from 1 to 22, or from -7 to -1, or auto`,
  );
  refuse(
    chunkBytes !== undefined && (!Number.isInteger(chunkBytes) || chunkBytes < chunkLimits.least || chunkBytes > chunkLimits.most),
    `${attempt}: the chunk size must be from 256KiB to 64MiB`,
  );
  refuse(!(lockTimeoutMs >= 0) || lockTimeoutMs > 2 ** 31 - 1, `${attempt}: the lock timeout must not be negative`);
  refuse(maxAgeMs !== undefined && !(maxAgeMs > 0), `${attempt}: the maximum age must be greater than zero`);
  refuse(!Number.isInteger(attempts) || attempts < 1, `${attempt}: attempts must be a whole number from 1`);
  refuseBoth(options, ['height', 'heightQuery'], attempt);
  if (options.statistics === true) {
    refuseBoth(options, ['schemaOnly', 'statistics'], attempt);
    refuseBoth(options, ['dataOnly', 'statistics'], attempt);
  }
  refuse(
    options.height !== undefined && (options.height < 0n || options.height >= 10n ** 19n),
    `${attempt}: the height must have 1 to 19 digits and no sign`,
  );
  refuse(options.rolePasswords === true && !options.globals, `${attempt}: role-passwords needs globals`);
  const { completed } = options;
  if (completed !== undefined) refuseUnknownOptions(completed, completedOptionNames, `${attempt}: completed`);
  refuse(completed !== undefined && completed.tables.length === 0, `${attempt}: completed needs the pattern of a partitioned table`);
  refuse(
    completed !== undefined && options.height === undefined && options.heightQuery === undefined,
    `${attempt}: which partitions are complete is told by the height: completed-once needs height or height-query`,
  );
  const common = settleCommon(options, { attempt });
  const foreignServers = (options.includeForeignData ?? []).map((text) => parseExtensionPattern(text));
  refuse(
    foreignServers.length > 0 && !common.contents.sections.has('data'),
    `${attempt}: include-foreign-data is about rows, which are not asked for`,
  );
  refuse(options.statistics === true && !common.contents.sections.has('data'), `${attempt}: statistics are data, which is not asked for`);
  refuse(
    completed !== undefined && !common.contents.sections.has('data'),
    `${attempt}: completed-once is about rows, which are not asked for`,
  );
  return {
    ...common,
    completedOnce: (completed?.tables ?? []).map((text) => parsePattern(text, { database: common.connection.database })),
    compressLevel,
    copyFormat: options.copyFormat ?? 'auto',
    chunkBytes,
    secrets: options.secrets ?? false,
    globals: options.globals ? { passwords: options.rolePasswords ?? false } : undefined,
    statistics: common.contents.sections.has('data') && !options.dataOnly && (options.statistics ?? 'auto'),
    foreignServers,
    asked: { ...common.asked, ...(foreignServers.length === 0 ? {} : { includeForeignData: foreignServers.map(({ text }) => text) }) },
    lockTimeoutMs,
    maxAgeMs,
    skipUnsupported: options.skipUnsupported ?? false,
    encoding: undefined,
    attempts,
    position: {
      ...(options.height === undefined ? {} : { height: options.height }),
      ...(options.heightQuery === undefined ? {} : { heightQuery: options.heightQuery }),
      ...(options.hashQuery === undefined ? {} : { hashQuery: options.hashQuery }),
      ...(options.streamsQuery === undefined ? {} : { streamsQuery: options.streamsQuery }),
    },
  };
}
