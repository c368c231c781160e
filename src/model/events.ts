// Everything that a running snapshot, restore or verification has to say, as one union. Progress lines, `--json` and later logs and
// metrics are views of it.
import type { LeftOut } from './manifest.js';

export type TidemarkEvent =
  | { readonly type: 'phase'; readonly phase: string; readonly detail?: string }
  /** Work ahead, once it is known: estimated from the catalogs on snapshot, exact on restore and verify. */
  | { readonly type: 'plan'; readonly tables: number; readonly rows: bigint; readonly bytes: bigint; readonly exact: boolean }
  /** Progress since the start: rows and raw bytes done, compressed bytes written or read. */
  | { readonly type: 'progress'; readonly rows: bigint; readonly rawBytes: bigint; readonly compressedBytes: bigint }
  | { readonly type: 'table'; readonly schema: string; readonly name: string; readonly rows: bigint; readonly rawBytes: bigint }
  /** What settings of snapshots are worth, of `tune`: bytes on the server's disk in a second, and for the whole database the ratio of these to
   *  the archive's. */
  | {
      readonly type: 'trial';
      readonly settings: Readonly<Record<string, string | number>>;
      readonly bytesPerSecond: number;
      readonly ratio: number;
    }
  | { readonly type: 'retry'; readonly attempt: number; readonly reason: string }
  | { readonly type: 'left-out'; readonly object: LeftOut }
  | { readonly type: 'notice'; readonly message: string };

export type EventListener = (event: TidemarkEvent) => void;
