// `latest.json` of a store: for each series the newest snapshot that was published, for those who cannot list the store, or only read it.
// It is written after everything that it points to, only ever forward, and on the condition that nobody else has written it meanwhile. The
// token of a series' writer is in it, too: a writer that was overtaken finds another one there, and fails.
import * as z from 'zod';
import { decimal, hex64, instant, record } from '../../archive/json-types.js';
import { positionRecord } from '../../archive/manifest-schema.js';
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { newestFirst } from '../../rules/order.js';
import { putSmall, readSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';

export const latestKey = 'latest.json';

/** The newest snapshot of a series. Keys are those of the store. */
export interface LatestSnapshot {
  readonly id: string;
  readonly archive: string;
  readonly checksum: string;
  readonly manifest: string;
  readonly bytes: bigint;
  readonly sha256: string;
  readonly position: Position;
  readonly system: string | null;
  readonly publishedAt: Date;
}

interface Latest {
  readonly tidemark: 1;
  readonly snapshots: Readonly<Record<string, LatestSnapshot>>;
  /** By series: of several that each take themselves for its writer, only the one that took over last has this token. */
  readonly writers: Readonly<Record<string, bigint>>;
}

const schema: z.ZodType<Latest> = z.object({
  tidemark: z.literal(1),
  snapshots: record(
    z.object({
      id: z.string(),
      archive: z.string(),
      checksum: z.string(),
      manifest: z.string(),
      bytes: decimal,
      sha256: hex64,
      position: positionRecord,
      system: z.string().nullable(),
      publishedAt: instant,
    }),
  ),
  writers: record(decimal),
});

const nothing: Latest = { tidemark: 1, snapshots: {}, writers: {} };

/** Others that write at the same time win at most so often before it is given up. */
const turns = 100;

/** What a store points to, by series. @throws TidemarkError STORE_ERROR, FILE_ERROR where there is something else of that name */
export async function readLatest(store: Store): Promise<Readonly<Record<string, LatestSnapshot>>> {
  return (await read(store)).latest.snapshots;
}

/** Takes over a series: who took it over before can point to nothing any more. @returns the token */
export async function takeOverLatest(store: Store, series: string): Promise<bigint> {
  let token = 0n;
  await change(store, ({ writers, ...rest }) => {
    token = (own(writers, series) ?? 0n) + 1n;
    return { ...rest, writers: { ...writers, [series]: token } };
  });
  return token;
}

/** @throws TidemarkError LOCK_LOST where another process has taken over since */
export async function checkLatest(store: Store, held: Held): Promise<void> {
  refuseOvertaken(store, (await read(store)).latest, held);
}

/** A series, and the token that its writer was given. */
export interface Held {
  readonly series: string;
  readonly token: bigint;
}

/** Points to a snapshot, unless the series points to a newer one that is still there.
 *  @param token of the writer; without one anybody may
 *  @returns whether it points to it then @throws TidemarkError LOCK_LOST where another process has taken over since */
export async function advanceLatest(
  store: Store,
  { series, snapshot, token }: { readonly series: string; readonly snapshot: LatestSnapshot; readonly token?: bigint | undefined },
): Promise<boolean> {
  let advanced = false;
  await change(store, async (latest) => {
    if (token !== undefined) refuseOvertaken(store, latest, { series, token });
    const before = own(latest.snapshots, series);
    if (before?.archive === snapshot.archive && before.sha256 === snapshot.sha256) {
      advanced = true;
      return undefined;
    }
    advanced = before === undefined || isNewer(snapshot, before) || (await store.stat(before.archive)) === undefined;
    return advanced ? { ...latest, snapshots: { ...latest.snapshots, [series]: snapshot } } : undefined;
  });
  return advanced;
}

function isNewer(one: LatestSnapshot, other: LatestSnapshot): boolean {
  const [newest] = newestFirst([one, other].map(({ system, ...rest }) => ({ ...rest, ...(system === null ? {} : { system }) })));
  return newest?.id === one.id;
}

function refuseOvertaken(store: Store, { writers }: Latest, { series, token }: Held): void {
  if (own(writers, series) === token) return;
  throw new TidemarkError('LOCK_LOST', `publish ${series} in ${store.location}: another process has taken over since`, {
    hint: 'nothing was published by this one; see what the other process has done, it works with the same store',
  });
}

/** @param next what it is to be; undefined to leave it as it is */
async function change(store: Store, next: (latest: Latest) => Latest | undefined | Promise<Latest | undefined>): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const { latest, version } = await read(store);
    const wanted = await next(latest);
    if (wanted === undefined) return;
    const text = `${JSON.stringify(z.encode(schema, wanted), undefined, 2)}\n`;
    try {
      await putSmall(store, latestKey, text, version === undefined ? { ifAbsent: true } : { ifVersion: version });
      return;
    } catch (error) {
      const lost = error instanceof TidemarkError && error.code === 'STORE_CONFLICT';
      if (!lost || turn === turns) throw error;
    }
  }
}

async function read(store: Store): Promise<{ readonly latest: Latest; readonly version: string | undefined }> {
  const found = await readSmall(store, latestKey);
  if (found === undefined) return { latest: nothing, version: undefined };
  const parsed = schema.safeParse(json(found.content.toString('utf8')));
  if (parsed.success) return { latest: parsed.data, version: found.version };
  throw new TidemarkError('STORE_ERROR', `read ${latestKey} of ${store.location}: it is none of ours, or of a newer tidemark`, {
    hint: 'give the snapshots a store or prefix of their own, or move it away; it was left as it is',
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param values by series */
export function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
