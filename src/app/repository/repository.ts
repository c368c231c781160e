// The snapshots in a folder: which there are, what is known of each, and what may be done to them. A snapshot is an archive
// `<prefix>-<height>.tar.zst` with a record of its verification beside it; an archive without one does not count, and is never removed.
// All that is known lies in the folder: it may be emptied, copied elsewhere or filled by others at any time.
import { checksumSidecar, manifestSidecar } from '../../archive/sidecars.js';
import { type VerifyReport, verifyArchive } from '../../archive/verify.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { Manifest } from '../../model/manifest.js';
import type { DrillRecord, StoredSnapshot, UnknownSnapshot, Verification } from '../../model/stored-snapshot.js';
import { newestFirst } from '../../rules/order.js';
import { type FileFacts, Folder } from '../../store/folder.js';
import { checkPrefix, drillFile, keyOf, lastDrillFile, parseKey, pinFile, verifiedFile } from './names.js';
import { drillText, readDrill, readVerification, verificationText } from './records.js';

export interface RepositoryOptions {
  /** The folder. It is made when something is written to it. */
  readonly store: string;
  /** What the names of its snapshots begin with. Several series may share a folder. Default `snapshot`. */
  readonly prefix?: string;
}

export interface Listing {
  /** Newest first. */
  readonly snapshots: readonly StoredSnapshot[];
  readonly unknown: readonly UnknownSnapshot[];
}

/** Files that are read at once. */
const readsAtOnce = 32;

export class Repository {
  readonly folder: Folder;
  readonly prefix: string;
  /** Archives that were found damaged: they are not read again at each look. */
  readonly #damaged = new Map<string, { readonly version: string; readonly problem: string }>();
  /** Records by archive: among thousands of snapshots only what is new is read at each look. */
  readonly #records = new Map<string, { readonly version: string; readonly verification: Verification }>();

  /** @throws TidemarkError USAGE */
  constructor({ store, prefix = 'snapshot' }: RepositoryOptions) {
    checkPrefix(prefix);
    this.folder = new Folder(store);
    this.prefix = prefix;
  }

  /** The path of an archive. */
  pathOf({ key }: { readonly key: string }): string {
    return this.folder.at(key);
  }

  /** All snapshots, and what has their names and does not count. A folder that is not there has none. @throws TidemarkError FILE_ERROR */
  async list(): Promise<Listing> {
    const names = await this.folder.names();
    const present = new Set(names);
    const ids = names.flatMap((name) => parseKey(this.prefix, name) ?? []);
    const found: (StoredSnapshot | UnknownSnapshot)[] = [];
    for (let at = 0; at < ids.length; at += readsAtOnce) {
      const some = await Promise.all(ids.slice(at, at + readsAtOnce).map((id) => this.#look(id, present)));
      found.push(...some.flatMap((one) => one ?? []));
    }
    return {
      snapshots: newestFirst(found.filter((one) => 'verification' in one)),
      unknown: found.filter((one) => 'problem' in one),
    };
  }

  /** The newest snapshot that counts, by its recorded position. @throws TidemarkError FILE_ERROR */
  async newestGood(): Promise<StoredSnapshot | undefined> {
    return (await this.list()).snapshots[0];
  }

  /** One snapshot by its id, or by the name of its archive. @throws TidemarkError USAGE where there is none */
  async find(name: string): Promise<StoredSnapshot> {
    const { snapshots, unknown } = await this.list();
    const found = snapshots.find(({ id, key }) => id === name || key === name);
    if (found) return found;
    const bad = unknown.find(({ id, key }) => id === name || key === name);
    throw new TidemarkError('USAGE', `find snapshot ${name} in ${this.folder.path}: ${bad ? bad.problem : 'there is none of that name'}`, {
      hint: bad ? 'tidemark verify tells what is wrong with it' : `tidemark list shows those whose names begin with ${this.prefix}-`,
    });
  }

  /** Verifies every byte of the archives that nothing is known of, and records what was found right. Only for who holds the lock: another
   *  process may be about to record the same. @returns those that do not count */
  async verifyUnknown({
    onEvent,
    signal,
  }: {
    readonly onEvent?: EventListener;
    readonly signal?: AbortSignal;
  } = {}): Promise<readonly UnknownSnapshot[]> {
    const { unknown } = await this.list();
    const bad: UnknownSnapshot[] = [];
    for (const archive of unknown) {
      const version = (await this.folder.look(archive.key))?.version;
      if (version === undefined) continue;
      const known = this.#damaged.get(archive.key)?.version === version;
      const options = { version, ...(onEvent && { onEvent }), ...(signal && { signal }) };
      const problem = known ? archive.problem : await this.#verify(archive, options);
      if (problem !== undefined) bad.push({ ...archive, problem });
    }
    return bad;
  }

  /** Removes what writing records has left where a process was killed. Archives that were being written are the fence's business.
   *  @throws TidemarkError FILE_ERROR */
  async clearUp(now = new Date()): Promise<void> {
    const endings = [verifiedFile(''), pinFile(''), drillFile('')];
    const isRecord = (name: string): boolean =>
      name === lastDrillFile(this.prefix) ||
      endings.some((ending) => name.endsWith(ending) && parseKey(this.prefix, name.slice(0, -ending.length)) !== undefined);
    await this.folder.clearUp(isRecord, now);
  }

  /** Keeps a snapshot whatever the policy says. @throws TidemarkError FILE_ERROR */
  async pin({ key }: StoredSnapshot, note = ''): Promise<void> {
    await this.folder.writeText(pinFile(key), note === '' ? '' : `${note}\n`);
  }

  /** Takes that back. @throws TidemarkError FILE_ERROR */
  async unpin({ key }: StoredSnapshot): Promise<void> {
    await this.folder.remove(pinFile(key));
  }

  /** @throws TidemarkError FILE_ERROR, DISK_FULL */
  async recordDrill({ key }: StoredSnapshot, drill: DrillRecord): Promise<void> {
    await this.folder.writeText(drillFile(key), drillText(drill));
    await this.folder.writeText(lastDrillFile(this.prefix), drillText(drill));
  }

  /** What the newest drill found, also where its snapshot is gone by now. @throws TidemarkError FILE_ERROR */
  async lastDrill(): Promise<DrillRecord | undefined> {
    return readDrill(await this.folder.readText(lastDrillFile(this.prefix)));
  }

  /** Makes a snapshot that was found damaged one that does not count, until it is verified again. @throws TidemarkError FILE_ERROR */
  async doubt({ key }: StoredSnapshot): Promise<void> {
    await this.folder.remove(verifiedFile(key));
  }

  /** Removes a snapshot. First what makes it count, and the archive last: whatever a crash leaves is seen again.
   *  @throws TidemarkError USAGE for a pinned one, FILE_ERROR */
  async remove({ id, key }: StoredSnapshot): Promise<void> {
    if ((await this.folder.size(pinFile(key))) !== undefined) {
      throw new TidemarkError('USAGE', `remove snapshot ${id}: it is pinned`, { hint: 'unpin it first' });
    }
    for (const name of [manifestSidecar(key), checksumSidecar(key), drillFile(key), verifiedFile(key), key]) await this.folder.remove(name);
  }

  async #look(id: string, present: ReadonlySet<string>): Promise<StoredSnapshot | UnknownSnapshot | undefined> {
    const key = keyOf(id);
    const archive = await this.folder.look(key);
    if (archive === undefined) return undefined;
    const { bytes } = archive;
    const text = async (name: string): Promise<string | undefined> => (present.has(name) ? await this.folder.readText(name) : undefined);
    const verification = present.has(verifiedFile(key)) ? await this.#recordOf(key, archive) : undefined;
    if (verification === undefined) {
      const damaged = this.#damaged.get(key);
      return { id, key, bytes, problem: damaged?.version === archive.version ? damaged.problem : 'it has not been verified yet' };
    }
    if (verification.bytes !== bytes) {
      return { id, key, bytes, problem: `it has ${bytes} bytes, and had ${verification.bytes} when it was verified` };
    }
    const pinned = (await text(pinFile(key)))?.trim();
    const drill = readDrill(await text(drillFile(key)));
    const { position, system } = verification;
    return {
      id,
      key,
      good: true,
      position,
      ...(system === null ? {} : { system }),
      bytes,
      verification,
      ...(pinned === undefined ? {} : { pinned }),
      ...(drill === undefined ? {} : { drill }),
    };
  }

  async #recordOf(key: string, archive: FileFacts): Promise<Verification | undefined> {
    const record = await this.folder.look(verifiedFile(key));
    if (record === undefined) return undefined;
    const version = `${archive.version}, ${record.version}`;
    const known = this.#records.get(key);
    if (known?.version === version) return known.verification;
    const verification = readVerification(await this.folder.readText(verifiedFile(key)));
    if (verification === undefined) this.#records.delete(key);
    else this.#records.set(key, { version, verification });
    return verification;
  }

  /** @returns what is wrong */
  async #verify(
    { key }: UnknownSnapshot,
    { version, ...options }: { readonly version: string; readonly onEvent?: EventListener; readonly signal?: AbortSignal },
  ): Promise<string | undefined> {
    let report: VerifyReport;
    try {
      report = await verifyArchive(this.pathOf({ key }), options);
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      // One that cannot be read (somebody else's, or on a bad sector) does not keep others from being taken. The next time it may be readable.
      if (error.code === 'FILE_ERROR') return error.message;
      if (!error.code.startsWith('ARCHIVE_')) throw error;
      this.#damaged.set(key, { version, problem: error.message });
      return error.message;
    }
    const { sha256, bytes, manifest } = report;
    await this.folder.writeText(verifiedFile(key), verificationText(verificationOf(manifest, { sha256, bytes })));
    return undefined;
  }
}

/** What is recorded of an archive whose every byte has just been found right. */
export function verificationOf(
  { position, source, toolVersion, totals }: Manifest,
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
  };
}
