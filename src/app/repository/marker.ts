// The marker beside an archive that is being written (reserve.ts): who writes it, and whether that can still be so.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as z from 'zod';
import { decimal, instant } from '../../archive/json-types.js';
import { isAlive } from '../../store/is-alive.js';
import { readSmall } from '../../store/small-object.js';
import { aDayMs, type Store } from '../../store/store.js';
import { thisMachine } from '../../store/this-machine.js';

export interface Marker {
  /** Random: tells a marker from all others. */
  readonly write: string;
  /** For people. */
  readonly host: string;
  readonly machine: string;
  readonly process: number;
  readonly at: Date;
  /** Of the series' writer (latest.ts); absent for who adds a snapshot beside it. */
  readonly token?: bigint;
}

export const markerRecord: z.ZodType<Marker> = z.object({
  write: z.string(),
  host: z.string(),
  machine: z.string(),
  process: z.int(),
  at: instant,
  token: decimal.exactOptional(),
});

/** Those of this process that are about to write. */
const ofThisProcess = new Set<string>();

/** Until `forget`, it is one of a writer at work. */
export function newMarker(token: bigint | undefined): Marker {
  const write = randomUUID();
  ofThisProcess.add(write);
  return {
    write,
    host: hostname(),
    machine: thisMachine(),
    process: process.pid,
    at: new Date(),
    ...(token === undefined ? {} : { token }),
  };
}

export function forget({ write }: Marker): void {
  ofThisProcess.delete(write);
}

export function markerText(marker: Marker): string {
  return `${JSON.stringify(z.encode(markerRecord, marker))}\n`;
}

/** Undefined where there is none, or none that can be read. @throws TidemarkError STORE_ERROR, FILE_ERROR */
export async function readMarker(store: Store, key: string): Promise<Marker | undefined> {
  const found = await readSmall(store, key);
  if (found === undefined) return undefined;
  try {
    return markerRecord.safeParse(JSON.parse(found.content.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** @param by when it was written, and the token of who has taken the series over, if anybody */
export function isAbandoned(
  marker: Marker | undefined,
  { modifiedAt, token }: { readonly modifiedAt: Date | undefined; readonly token: bigint | undefined },
): boolean {
  const at = marker?.at ?? modifiedAt ?? new Date();
  if (Date.now() - at.getTime() >= aDayMs) return true;
  if (marker === undefined) return false;
  if (marker.token !== undefined && token !== undefined && marker.token < token) return true;
  if (marker.machine !== thisMachine()) return false;
  return marker.process === process.pid ? !ofThisProcess.has(marker.write) : !isAlive(marker.process);
}
