// The use case "bootstrap": the start of a deployment. A database that is right is left alone; one that is missing, empty, half restored,
// marked invalid or too old for its streams gets the newest good snapshot. What is to be done is decided in rules/start.ts.
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot, UnknownSnapshot } from '../../model/stored-snapshot.js';
import { sqlstateOf } from '../../pg/errors.js';
import { quoteIdentifier } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { type DatabaseState, decideStart, type Start, type Streams } from '../../rules/start.js';
import { type PositionQueries, readQueryNames } from '../../snapshot/position-queries.js';
import { abortReason } from '../abort.js';
import { refuse } from '../common-options.js';
import { connectionOf } from '../connection.js';
import { Repository, type RepositoryOptions, repositoryOptionNames } from '../repository/repository.js';
import { isDamage } from '../restore/damage.js';
import type { RestoreOptions } from '../restore/options.js';
import { restoreSnapshot } from '../restore/restore-snapshot.js';
import { lockBootstrap } from './lock.js';
import { lookAtDatabase, type Seen } from './look.js';
import { checkMayBegin, type NothingToRestore, type TriedSnapshot } from './no-snapshot.js';

/** `force`: ends the sessions on a database that is to be replaced. */
export interface BootstrapOptions
  extends RepositoryOptions,
    Pick<RestoreOptions, 'database' | 'role' | 'jobs' | 'noOwner' | 'noPrivileges' | 'noSubscriptions' | 'force' | 'onEvent' | 'signal'> {
  /** A query that gives one boolean: true where what the database holds is not right, and must be replaced. It is asked only of a database
   *  that holds something and is whole. */
  readonly invalid?: string;
  /** Queries for where a healthy database stands. */
  readonly position?: Omit<PositionQueries, 'height'>;
  /** The earliest sequence that each stream still holds: a database, or a snapshot, that stands before that cannot go on. Needs
   *  `position.streamsQuery`. */
  readonly available?: Streams;
  /** Only says what would be done. Archives that nothing is known of are not verified, and do not count: where there is nothing else, that is
   *  SNAPSHOT_MISSING. */
  readonly dryRun?: boolean;
}

const optionNames: OptionNames<BootstrapOptions> = {
  database: true,
  role: true,
  jobs: true,
  noOwner: true,
  noPrivileges: true,
  noSubscriptions: true,
  force: true,
  onEvent: true,
  signal: true,
  invalid: true,
  position: true,
  available: true,
  dryRun: true,
  ...repositoryOptionNames,
};

export type BootstrapResult = { readonly database: string; readonly state: DatabaseState; readonly reason: string } & (
  | {
      /** Nothing was done: the database is right. */
      readonly action: 'none';
      readonly position: Position;
    }
  /** There is nothing to restore: the database is there, and empty (on a dry run it may be missing). Start from the beginning. */
  | { readonly action: 'empty' }
  | ({
      readonly action: 'restored';
      readonly tables: number;
      readonly rows: bigint;
      readonly rawBytes: bigint;
      readonly durationMs: number;
      /** Newer snapshots that would not do. */
      readonly tried: readonly TriedSnapshot[];
    } & Restorable)
  /** On a dry run. `swap`: the database stays as it is until the new one takes its place. */
  | ({ readonly action: 'would-restore'; readonly swap: boolean } & Restorable)
);

export interface Restorable {
  readonly snapshot: StoredSnapshot;
  readonly position: Position;
  /** The last height that is contained, and the first that is not. */
  readonly height?: bigint;
  readonly goOnFrom?: bigint;
}

/** Makes a database ready for its host: leaves a healthy one alone, and restores the newest good snapshot of a store into any other. Safe at
 *  every start, by several processes at once, and again after it was killed. A snapshot that turns out damaged is doubted, and the next
 *  older one taken.
 *  @throws TidemarkError SNAPSHOT_MISSING where none would do, POSITION_INVALID where a query cannot say, PERMISSION_DENIED where a database
 *  would have to be made, and those of restoreSnapshot; the message says in which state the database is */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapResult> {
  refuseUnknownOptions(options, optionNames, 'bootstrap');
  if (options.position !== undefined) refuseUnknownOptions(options.position, readQueryNames, 'bootstrap: position');
  refuse(
    Object.keys(options.available ?? {}).length > 0 && options.position?.streamsQuery === undefined,
    'bootstrap: what the streams still hold says nothing without a streams query',
  );
  refuse(options.invalid?.trim() === '', 'bootstrap: the invalid query is empty');
  await using repository = new Repository(options);
  try {
    return await new Bootstrap(options, repository).run();
  } catch (error) {
    throw abortReason(options.signal) ?? error;
  }
}

type Restoring = Extract<Start<StoredSnapshot>, { action: 'restore' }>;

class Bootstrap {
  readonly #options: BootstrapOptions;
  readonly #connection: ConnectionSettings;
  readonly #repository: Repository;
  readonly #emit: EventListener;
  readonly #tried: TriedSnapshot[] = [];

  constructor(options: BootstrapOptions, repository: Repository) {
    this.#options = options;
    this.#connection = connectionOf(options.database, options.role);
    this.#repository = repository;
    this.#emit = options.onEvent ?? (() => undefined);
  }

  async run(): Promise<BootstrapResult> {
    const { signal, dryRun } = this.#options;
    const seen = await this.#look(signal);
    // The most frequent case: no lock, no look into the store.
    const warm = this.#decide(seen, []);
    if (warm.action === 'warm') return this.#none(seen, warm.reason);
    if (dryRun) return this.#dryRun(seen);
    await using lock = await lockBootstrap(this.#connection, { emit: this.#emit, signal });
    try {
      return await this.#locked(lock);
    } catch (error) {
      throw abortReason(lock.signal) ?? error;
    }
  }

  async #locked({ session, signal }: { readonly session: Session; readonly signal: AbortSignal }): Promise<BootstrapResult> {
    let bad: readonly UnknownSnapshot[] | undefined;
    let first: DatabaseState | undefined;
    for (;;) {
      const seen = await this.#look(signal);
      first ??= seen.state;
      if (bad === undefined && this.#decide(seen, []).action !== 'warm') bad = await this.#verify(signal);
      const { snapshots } = await this.#repository.list();
      const tried = new Set(this.#tried.map(({ id }) => id));
      const start = this.#decide(
        seen,
        snapshots.filter(({ id }) => !tried.has(id)),
      );
      if (start.action === 'warm') return this.#none(seen, start.reason);
      if (start.action === 'restore') {
        const restored = await this.#restore(session, { seen, start, signal });
        if (restored !== undefined) return { ...restored, state: first };
        continue;
      }
      await this.#begin(start, { bad: bad ?? [], snapshots });
      if (seen.state === 'missing') await this.#create(session);
      return { database: this.#database, state: first, reason: start.reason, action: 'empty' };
    }
  }

  get #database(): string {
    return this.#connection.database;
  }

  #look(signal: AbortSignal | undefined): Promise<Seen> {
    const { invalid, position = {} } = this.#options;
    return lookAtDatabase({ connection: this.#connection, invalid, position, signal });
  }

  #decide(seen: Seen, snapshots: readonly StoredSnapshot[]): Start<StoredSnapshot> {
    const own = seen.state === 'healthy' ? seen.position.streams : undefined;
    return decideStart({ state: seen.state, own, available: this.#options.available, snapshots });
  }

  #none(seen: Seen, reason: string): BootstrapResult {
    if (seen.state !== 'healthy') throw new TidemarkError('INTERNAL', `bootstrap: a database that is ${seen.state} was taken for healthy`);
    return { database: this.#database, state: 'healthy', reason, action: 'none', position: seen.position };
  }

  async #dryRun(seen: Seen): Promise<BootstrapResult> {
    const { snapshots, unknown } = await this.#repository.list();
    for (const { id, problem } of unknown) this.#notice(`snapshot ${id} does not count: ${problem}`);
    const start = this.#decide(seen, snapshots);
    const { state } = seen;
    if (start.action === 'warm') return this.#none(seen, start.reason);
    const facts = { database: this.#database, state, reason: start.reason };
    if (start.action !== 'restore') {
      await this.#begin(start, { bad: unknown, snapshots });
      return { ...facts, action: 'empty' };
    }
    const { snapshot } = start;
    return { ...facts, action: 'would-restore', swap: bySwap(state), ...restorable(snapshot, snapshot.position) };
  }

  /** Archives that somebody has copied into the folder count only once every byte of them was read. */
  async #verify(signal: AbortSignal): Promise<readonly UnknownSnapshot[]> {
    const bad = await this.#repository.verifyUnknown({ onEvent: this.#emit, signal });
    for (const { id, problem } of bad) this.#notice(`snapshot ${id} does not count: ${problem}`);
    return bad;
  }

  /** @returns undefined where the snapshot would not do */
  async #restore(
    session: Session,
    { seen, start, signal }: { readonly seen: Seen; readonly start: Restoring; readonly signal: AbortSignal },
  ): Promise<BootstrapResult | undefined> {
    const { snapshot, reason } = start;
    const { state } = seen;
    const swap = bySwap(state);
    if (swap) await this.#checkMaySwap(session, state);
    this.#notice(`database ${this.#database}: ${reason}; restoring ${snapshot.id}`);
    const { jobs, noOwner = false, noPrivileges = false, noSubscriptions = false, force = false, onEvent } = this.#options;
    try {
      const restored = await restoreSnapshot({
        file: await this.#repository.open(snapshot),
        database: this.#connection,
        ...this.#repository.trust,
        ...(jobs === undefined ? {} : { jobs }),
        ...(onEvent === undefined ? {} : { onEvent }),
        ...{ noOwner, noPrivileges, noSubscriptions, swap, signal },
        force: swap && force,
      });
      if (this.#options.invalid !== undefined && (await this.#look(signal)).state === 'invalid') {
        this.#skip(snapshot, 'the database that it holds is marked invalid itself');
        return undefined;
      }
      const { tables, rows, rawBytes, durationMs, position } = restored;
      const figures = { tables, rows, rawBytes, durationMs, tried: this.#tried };
      return { database: this.#database, state, reason, action: 'restored', ...restorable(snapshot, position), ...figures };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#skip(snapshot, error.message);
      await this.#repository.doubt(snapshot).catch((failure: Error) => this.#notice(failure.message));
      return undefined;
    }
  }

  #skip({ id }: StoredSnapshot, problem: string): void {
    this.#tried.push({ id, problem });
    this.#notice(`snapshot ${id} would not do: ${problem}; looking for an older one`);
  }

  /** Says what was looked for. @throws TidemarkError SNAPSHOT_MISSING where the database may not begin from nothing */
  async #begin(
    start: NothingToRestore['start'],
    { bad, snapshots }: { readonly bad: readonly UnknownSnapshot[]; readonly snapshots: readonly StoredSnapshot[] },
  ): Promise<void> {
    const known = new Set(this.#tried.map(({ id }) => id));
    const tried = [...this.#tried, ...bad.filter(({ id }) => !known.has(id)).map(({ id, problem }) => ({ id, problem }))];
    const dryRun = this.#options.dryRun ?? false;
    const facts = { database: this.#database, start, tried, found: snapshots.length > 0, dryRun };
    this.#notice(await checkMayBegin(facts, this.#repository));
  }

  /** Found out before the work. https://www.postgresql.org/docs/current/sql-alterdatabase.html */
  async #checkMaySwap(session: Session, state: DatabaseState): Promise<void> {
    const { role, creates, owns } = await session.one<{ role: string; creates: boolean; owns: boolean }>(
      `SELECT rolname AS role, rolsuper OR rolcreatedb AS creates,
              coalesce((SELECT pg_has_role(r.oid, datdba, 'USAGE') FROM pg_database WHERE datname = $1), true) AS owns
         FROM pg_roles r WHERE rolname = current_user`,
      [this.#database],
    );
    if (creates && owns) return;
    const attempt = state === 'missing' ? `create database ${this.#database}` : `put a restored database in place of ${this.#database}`;
    const why = creates ? 'does not own it' : 'may not create databases';
    throw new TidemarkError('PERMISSION_DENIED', `${attempt}: role ${role} ${why}; nothing was changed`, {
      hint:
        state === 'missing'
          ? `create it, empty, and run again; or give the role that right (ALTER ROLE ${quoteIdentifier(role)} CREATEDB)`
          : 'let a role with CREATEDB that owns it do this; or drop it and create it empty: into an empty database its own rights are enough',
    });
  }

  async #create(session: Session): Promise<void> {
    await this.#checkMaySwap(session, 'missing');
    await session.query(`CREATE DATABASE ${quoteIdentifier(this.#database)}`).catch((error: unknown) => {
      // 42P04: somebody else has made it meanwhile.
      if (sqlstateOf(error) !== '42P04') throw error;
    });
  }

  #notice(message: string): void {
    this.#emit({ type: 'notice', message });
  }
}

/** What is there stays until the new one is complete; into an empty database, or one that is half restored anyway, it goes directly. */
function bySwap(state: DatabaseState): boolean {
  return state !== 'empty' && state !== 'incomplete';
}

function restorable(snapshot: StoredSnapshot, position: Position): Restorable {
  const { height } = position;
  return { snapshot, position, ...(height === undefined ? {} : { height, goOnFrom: height + 1n }) };
}
