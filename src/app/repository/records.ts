// The records beside the archives of a repository, in their form on disk. Written by this or another version, or by somebody's editor:
// one that cannot be read counts as not being there.
import * as z from 'zod';
import { decimal, hex64, index, instant } from '../../archive/json-types.js';
import { positionRecord } from '../../archive/manifest-schema.js';
import type { Manifest } from '../../model/manifest.js';
import type { DrillRecord, Verification } from '../../model/stored-snapshot.js';

const verification: z.ZodType<Verification> = z.object({
  verifiedAt: instant,
  sha256: hex64,
  bytes: decimal,
  position: positionRecord,
  system: z.string().nullable(),
  database: z.string(),
  serverVersion: index,
  toolVersion: z.string(),
  tables: index,
  rows: decimal,
  rawBytes: decimal,
  durationMs: z.number().nonnegative().exactOptional(),
  others: z.array(z.string()).readonly().exactOptional(),
});

const drill: z.ZodType<DrillRecord> = z.object({
  at: instant,
  durationMs: z.number().nonnegative(),
  ok: z.boolean(),
  rows: decimal.exactOptional(),
  problem: z.string().exactOptional(),
});

/** What is recorded of an archive whose every byte has just been found right. */
export function verificationOf(
  { position, source, toolVersion, totals, archives }: Manifest,
  found: { readonly sha256: string; readonly bytes: bigint; readonly durationMs?: number },
): Verification {
  return {
    verifiedAt: new Date(),
    ...found,
    position,
    system: source.systemIdentifier,
    database: source.database,
    serverVersion: source.serverVersion,
    toolVersion,
    tables: totals.tables,
    rows: totals.rows,
    rawBytes: totals.rawBytes,
    ...(archives === undefined ? {} : { others: archives.map(({ file }) => file) }),
  };
}

export const verificationText = (record: Verification): string => written(verification, record);
export const readVerification = (text: string | undefined): Verification | undefined => read(verification, text);

export const drillText = (record: DrillRecord): string => written(drill, record);
export const readDrill = (text: string | undefined): DrillRecord | undefined => read(drill, text);

function written<T>(schema: z.ZodType<T>, record: T): string {
  return `${JSON.stringify(z.encode(schema, record), undefined, 2)}\n`;
}

function read<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
