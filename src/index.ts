// The public API of tidemark: the use cases, their options and results, the events they report and the error they throw.

export { type ArchiveList, type ListEntry, type ListOptions, listArchive } from './app/archive/list-archive.js';
export { type PulledArchive, type PullOptions, type PullResult, pullSnapshot } from './app/archive/pull.js';
export { type ShownSnapshot, showSnapshot } from './app/archive/show-snapshot.js';
export { type VerifyReport, type VerifySnapshotOptions, verifySnapshot } from './app/archive/verify-snapshot.js';
export { type BootstrapOptions, type BootstrapResult, bootstrap, type Restorable } from './app/bootstrap/bootstrap.js';
export type { TriedSnapshot } from './app/bootstrap/no-snapshot.js';
export type { Config, LoadedConfig } from './app/config/config.js';
export { type LoadOptions as LoadConfigOptions, loadConfig } from './app/config/load.js';
export type { ConfigInput } from './app/config/schema.js';
export type { Database } from './app/connection.js';
export {
  type ChangedObject,
  type DiffedSnapshot,
  type DiffOptions,
  diffSnapshots,
  type LargeObjectsDiff,
  type ObjectDiff,
  type RowSamples,
  type SchemaDiff,
  type SequenceValue,
  type SnapshotDiff,
  type SnapshotFact,
  type TableDiff,
  type ValueDiff,
} from './app/diff/diff-snapshots.js';
export { type DrillOptions, type DrillResult, drillSnapshot } from './app/drill/drill.js';
export { type ExportOptions, type ExportResult, exportTables } from './app/export/export-tables.js';
export { type ImportOptions, type ImportResult, importTables } from './app/import/import-tables.js';
export type { LayoutName } from './app/repository/layout.js';
export { type PruneOptions, type PruneResult, pruneSnapshots } from './app/repository/prune-snapshots.js';
export {
  type LatestSnapshot,
  latestSnapshot,
  type PublishOptions,
  type PublishResult,
  type PushOptions,
  type PushResult,
  publishSnapshot,
  pushSnapshot,
} from './app/repository/publish-snapshot.js';
export {
  type Listing,
  listSnapshots,
  type NamedSnapshot,
  type PinOptions,
  pinSnapshot,
  type RepositoryOptions,
  unpinSnapshot,
} from './app/repository/stored-snapshots.js';
export type { RestoreOptions } from './app/restore/options.js';
export { type RestoreResult, restoreSnapshot } from './app/restore/restore-snapshot.js';
export type { Allowance, Suspect, UntrustedOptions, UntrustedReport } from './app/restore/untrusted.js';
export { type PutBack, type UntuneOptions, untuneServer } from './app/restore/untune-server.js';
export { createScheduler } from './app/schedule/create-scheduler.js';
export type { SchedulerEvent, SchedulerListener } from './app/schedule/events.js';
export type { Advance, Scheduler, SchedulerOptions } from './app/schedule/scheduler.js';
export type { JudgedSnapshot, Status } from './app/schedule/status.js';
export type { CheckedSignature } from './app/seal/check-signature.js';
export { generateKeys, type KeygenOptions, type MadeKeys } from './app/seal/keygen.js';
export type { TrustOptions } from './app/seal/open-sealed.js';
export type { CompletedOptions, SnapshotOptions } from './app/snapshot/options.js';
export { printSchema, type SchemaOptions, type SchemaText } from './app/snapshot/print-schema.js';
export { type SnapshotResult, takeSnapshot } from './app/snapshot/take-snapshot.js';
export type { TuneOptions } from './app/tune/options.js';
export type { Measured as TuneTrial, Settings as TunedSettings } from './app/tune/trials.js';
export { type TuneResult, tuneSnapshot } from './app/tune/tune.js';
export type { Column, CopyFormat } from './model/catalog.js';
export { type ErrorCode, TidemarkError } from './model/errors.js';
export type { EventListener, TidemarkEvent } from './model/events.js';
export type { ExportedFile, ExportedSequence, ExportedTable, ExportFormat, ExportManifest } from './model/export.js';
export type {
  CompletedPartition,
  FrameSize,
  LeftOut,
  Manifest,
  OtherArchive,
  SourceInfo,
  StoredChunk,
  StoredMember,
  TableEntry,
} from './model/manifest.js';
export type { Position } from './model/position.js';
export type { DrillRecord, StoredSnapshot, UnknownSnapshot, Verification } from './model/stored-snapshot.js';
export type { ConnectionSettings } from './pg/settings.js';
export { openStore, type StoreOptions } from './store/open-store.js';
export type { ByteRange, CleanUpOptions, GetOptions, PutOptions, Store, StoredObject } from './store/store.js';
