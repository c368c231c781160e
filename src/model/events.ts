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
  | { readonly type: 'retry'; readonly attempt: number; readonly reason: string }
  | { readonly type: 'left-out'; readonly object: LeftOut }
  | { readonly type: 'notice'; readonly message: string };

export type EventListener = (event: TidemarkEvent) => void;
