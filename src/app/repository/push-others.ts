// What is to be pushed before an archive that refers to others: the commands, in their order. A push gives an archive the name that the layout has
// for it; where that is not the one by which it is referred to, it has to be copied by other means.
import { openArchive } from '../../archive/reader.js';
import { borrowed } from '../../frame/seekable.js';
import { TidemarkError } from '../../model/errors.js';
import type { OtherArchive } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import type { Store } from '../../store/store.js';
import type { OpenedArchive } from '../archive/open-bytes.js';
import { openSealed } from '../seal/open-sealed.js';
import { keysOf } from './layout.js';
import { isThere, keyOfOther } from './others.js';
import type { Listing, Repository } from './repository.js';

/** One step: a push, or where that cannot be, what is to be done instead. */
type Step = { readonly push: string } | { readonly instead: string };

interface Plan {
  readonly repository: Repository;
  readonly store: Store;
  readonly listing: Listing;
  readonly steps: Step[];
  /** Keys of what the steps bring. */
  readonly brought: Set<string>;
}

/** What refers to others. */
interface Referring {
  readonly opened: OpenedArchive;
  /** As which it is to be in the store. */
  readonly key: string;
  readonly archives: readonly OtherArchive[];
}

/** Adds to the error that others are missing in the store what brings them there. Asked for when nothing is reserved there any more.
 *  @param referring what was to be pushed; it stays open */
export async function withPushes(
  error: TidemarkError,
  { repository, opened, key, archives }: Referring & { readonly repository: Repository },
): Promise<TidemarkError> {
  const [store, listing] = [await repository.store(), await repository.list()];
  const plan: Plan = { repository, store, listing, steps: [], brought: new Set() };
  await addMissing(plan, { opened, key, archives });
  // They have come meanwhile.
  if (plan.steps.length === 0) return error;
  const { code, message, details, cause } = error;
  const commands = plan.steps.flatMap((step) => ('push' in step ? [step.push] : []));
  return new TidemarkError(code, message, { hint: hintOf(plan.steps), details: { ...details, commands }, cause });
}

/** `run these first, then this again: tidemark push a && tidemark push b` */
function hintOf(steps: readonly Step[]): string {
  const pushes = steps.flatMap((step) => ('push' in step ? [step.push] : []));
  const others = steps.flatMap((step) => ('instead' in step ? [step.instead] : []));
  const run = pushes.length === 0 ? [] : [`run first, and then this again: ${pushes.join(' && ')}`];
  return [...run, ...others, ...(others.length === 0 ? [] : ['or push a snapshot that was taken without a base'])].join('; ');
}

async function addMissing(plan: Plan, { opened, key, archives }: Referring): Promise<void> {
  for (const { file } of archives) {
    const needed = keyOfOther(key, file);
    if (plan.brought.has(needed) || (await isThere(plan.store, needed))) continue;
    await addOne(plan, { opened, file, needed });
  }
}

async function addOne(
  plan: Plan,
  { opened, file, needed }: { readonly opened: OpenedArchive; readonly file: string; readonly needed: string },
): Promise<void> {
  const { repository, listing, steps, brought } = plan;
  const place = `as ${printable(needed)} in ${repository.location}`;
  let other: OpenedArchive;
  try {
    other = await opened.neighbour(file);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    steps.push({ instead: `bring ${printable(file)}, which is not beside ${printable(opened.bytes.name)}, ${place}` });
    return;
  }
  await using bytes = other.bytes;
  const name = printable(bytes.name);
  const sealed = await openSealed({ ...other, bytes: borrowed(bytes) }, repository.trust);
  const { manifest } = await openArchive(sealed.bytes);
  const { position } = manifest;
  const encrypted = sealed.encrypted !== undefined;
  // Of the same bytes a push says that they are there already.
  const same = listing.snapshots.find((one) => one.bytes === bytes.size && one.position.lsn === position.lsn);
  const got = same?.key ?? (await nextKey(plan, position, encrypted));
  if (got !== needed) {
    const why = same === undefined ? `push would call it ${printable(got)}` : `there it is ${printable(got)}`;
    steps.push({ instead: `copy ${name} there by other means, ${place} (${why})` });
    return;
  }
  // Known before its own others: none of them can get this name.
  brought.add(needed);
  await addMissing(plan, { opened: other, key: got, archives: manifest.archives ?? [] });
  steps.push({ push: pushCommand(plan, bytes.name, encrypted) });
}

/** As which a push would publish it, after those before it. */
async function nextKey(
  { repository: { layout }, store, brought }: Plan,
  position: Parameters<Repository['layout']['idFor']>[0],
  encrypted: boolean,
): Promise<string> {
  for (let turn = 1; ; turn += 1) {
    const id = layout.idFor(position, turn);
    const keys = keysOf(layout, id);
    if (keys.some((key) => brought.has(key))) continue;
    const found = await Promise.all(keys.map((key) => store.stat(key)));
    if (found.every((one) => one === undefined)) return layout.keyOf(id, encrypted);
  }
}

function pushCommand({ repository }: Plan, name: string, encrypted: boolean): string {
  const { location, prefix, layout, trust } = repository;
  const flags = [
    ['--store', location],
    ...(prefix === 'snapshot' ? [] : [['--prefix', prefix]]),
    ...(layout.name === 'flat' ? [] : [['--layout', layout.name]]),
    ...(trust.verifyKeys ?? []).map((key) => ['--verify-key', key]),
    ...(encrypted ? (trust.identities ?? []) : []).map((path) => ['--identity', path]),
  ];
  return ['tidemark push', quoted(name), ...flags.flatMap(([flag = '', value = '']) => [flag, quoted(value)])].join(' ');
}

/** For a shell. */
function quoted(text: string): string {
  const shown = printable(text);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
