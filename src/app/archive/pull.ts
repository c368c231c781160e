// The use case "pull a snapshot": an archive, what lies beside it, and the other archives that hold a part of its rows come to this machine, over as
// many runs as it takes. It comes last: where it is, it can be restored.
import { dirname } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { OtherArchive } from '../../model/manifest.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { printable } from '../../model/printable.js';
import { makeDirectory } from '../../store/sync-directory.js';
import { abortReason } from '../abort.js';
import type { TrustOptions } from '../seal/open-sealed.js';
import { trustOptionNames } from '../seal/open-sealed.js';
import { type OpenArchiveOptions, openArchiveOptionNames, openNamedArchive } from './open-bytes.js';
import { alreadyThere, type BringOptions, isThere, loadArchive, type PulledArchive } from './pull-one.js';
import { checkDirectory, pullPlaceOf, targetsOf } from './pull-place.js';
import { otherSourceOf, type PullSource, pullSourceOf } from './pull-source.js';

export type { PulledArchive };

export interface PullOptions extends OpenArchiveOptions, TrustOptions {
  /** URL or path of the archive, or of a store whose newest one is meant. */
  readonly file: string;
  /** A file, or a directory, in which it gets the name that it has there; where archives that it refers to lie in other folders, it gets its
   *  folder, too. Default: here. */
  readonly output?: string;
  /** False: other archives that it refers to are not brought, only told of. Default true. */
  readonly others?: boolean;
  readonly onEvent?: EventListener;
}

const optionNames: OptionNames<PullOptions> = {
  file: true,
  output: true,
  others: true,
  onEvent: true,
  ...openArchiveOptionNames,
  ...trustOptionNames,
};

export interface PullResult extends PulledArchive {
  /** Those that it refers to. */
  readonly others: readonly PulledArchive[];
  readonly durationMs: number;
}

/** Brings an archive to this machine, with those that it refers to. What a run that fails or is killed has brought stays beside each file, as
 *  `x.partial`; the next one goes on from there, unless the archive was replaced meanwhile. An archive that is there already, and is the same, is
 *  not loaded again. Another one in the place of one that is referred to is an error, and is left as it is.
 *  @throws TidemarkError OBJECT_MISSING, STORE_ERROR, STORE_CONFLICT where it is replaced meanwhile, FILE_ERROR, DISK_FULL, LOCKED, ARCHIVE_*,
 *  SIGNATURE_*, SNAPSHOT_MISSING, IDENTITY_MISSING, USAGE, ABORTED
 *  @example
 *  await pullSnapshot({ file: 's3://backups/chain', output: '/var/lib/snapshots' }) */
export async function pullSnapshot(given: PullOptions): Promise<PullResult> {
  refuseUnknownOptions(given, optionNames, 'pull a snapshot');
  const { file, output, others: withOthers = true, ...options } = given;
  const { onEvent, signal } = options;
  const started = performance.now();
  try {
    onEvent?.({ type: 'phase', phase: 'connect' });
    const opened = await openNamedArchive(file, options);
    await using _bytes = opened.bytes;
    const place = await pullPlaceOf(output);
    const source = await pullSourceOf(opened, options);
    const needed = neededOf(source, withOthers, onEvent);
    const archive = { name: opened.sidecars.basename, place: opened.place, others: needed.map((other) => other.file) };
    const targets = targetsOf(place, archive);
    if (needed.length > 0) await checkDirectory(place);
    const others = await bringOthers(opened, needed, { ...options, targets: targets.others });
    if (place.file === undefined && needed.length > 0) await makeDirectory(dirname(targets.file));
    const pulled = (await alreadyThere(targets.file, source, {})) ?? (await loadArchive(targets.file, source, options));
    return { ...pulled, others, durationMs: performance.now() - started };
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}

/** The archives that are to be brought with it; what stays away is told. */
function neededOf({ opened, others }: PullSource, wanted: boolean, onEvent: EventListener | undefined): readonly OtherArchive[] {
  if (others === undefined && wanted) {
    const message =
      'it is encrypted: without an identity it cannot be seen whether it refers to other archives, and none is brought with it';
    onEvent?.({ type: 'notice', message: `${printable(opened.bytes.name)}: ${message}` });
  }
  if (wanted) return others ?? [];
  for (const { file } of others ?? []) {
    const message = `part of its rows is in ${printable(file)}: pull that, too, to where this path leads from the copy`;
    onEvent?.({ type: 'notice', message });
  }
  return [];
}

type OthersOptions = OpenArchiveOptions & TrustOptions & Pick<BringOptions, 'onEvent'> & { readonly targets: readonly string[] };

/** All of them are looked for, there and here, before the first is loaded. */
async function bringOthers(
  referring: PullSource['opened'],
  archives: readonly OtherArchive[],
  { targets, ...options }: OthersOptions,
): Promise<readonly PulledArchive[]> {
  const { onEvent, signal } = options;
  const bring: BringOptions = { replace: false, ...(onEvent && { onEvent }), ...(signal && { signal }) };
  const found: { readonly source: PullSource; readonly target: string; there?: PulledArchive }[] = [];
  try {
    for (const [at, archive] of archives.entries()) {
      const source = await otherSourceOf(referring, archive, options).catch((error: unknown) => {
        throw orAlone(error);
      });
      found.push({ source, target: targets[at] ?? '' });
    }
    for (const [at, one] of found.entries()) {
      const there = await alreadyThere(one.target, one.source, bring);
      if (there !== undefined) one.there = there;
      else if (await isThere(one.target)) throw occupied(referring, archives[at]?.file ?? '', one.target);
    }
    const brought: PulledArchive[] = [];
    for (const { source, target, there } of found) {
      if (there === undefined) await makeDirectory(dirname(target));
      brought.push(there ?? (await loadArchive(target, source, bring)));
    }
    return brought;
  } finally {
    for (const { source } of found) await source.opened.bytes[Symbol.asyncDispose]();
  }
}

function occupied({ bytes }: PullSource['opened'], file: string, target: string): TidemarkError {
  const name = printable(bytes.name);
  return new TidemarkError(
    'FILE_ERROR',
    `pull ${printable(file)}, which ${name} refers to, as ${target}: another archive, or a damaged one, is there`,
    {
      hint: 'move it away, give another directory, or bring the archive alone with --no-base; it was left as it is',
      details: { path: target, archive: bytes.name },
    },
  );
}

/** The same error, which also says how to do without the archives that are referred to. */
function orAlone(error: unknown): unknown {
  if (!(error instanceof TidemarkError) || error.code !== 'ARCHIVE_MISSING_PART') return error;
  const { code, message, hint, details, cause } = error;
  return new TidemarkError(code, message, { hint: `${hint}; --no-base brings the archive without it`, details, cause });
}
