// Carries a plan out, one action after the other. What each action is made of lies in the files beside this one; this one knows
// on which sessions an action runs, and in which state a failure leaves the database.
import type { Catalog, Step, TableName } from '../model/catalog.js';
import type { EventListener } from '../model/events.js';
import type { Manifest } from '../model/manifest.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { analyzeTables } from './analyze.js';
import { type Held, holdAutovacuum, releaseAutovacuum } from './autovacuum.js';
import { Crew } from './crew.js';
import { createDatabase, type DatabaseLocale, dropDatabase, setProperties } from './database.js';
import { waitForDisk } from './durable.js';
import { checkForeignKeys } from './foreign-keys.js';
import type { LoadPool } from './load-pool.js';
import { loadRows, type RowSource, startLoading } from './load-rows.js';
import { dropMark, type Mark, setMark } from './marker.js';
import { ParallelSteps } from './parallel-steps.js';
import type { Action, Plan, TableLoad } from './plan.js';
import { countExtended } from './plan-statistics.js';
import { runPreData } from './pre-data.js';
import { runPrivileges } from './privileges.js';
import { Progress } from './progress.js';
import { runRefreshes } from './refresh.js';
import { runGlobals } from './run-globals.js';
import { type RunSteps, runStatements, runSteps } from './run-steps.js';
import { largeBytes } from './schedule.js';
import type { Sessions } from './sessions.js';
import { Slots } from './slots.js';
import { splitKeys } from './split-keys.js';
import { restoreStatistics } from './statistics.js';
import { commentStaging, dropReplaced, type SwapNames, swapDatabases } from './swap.js';
import { dropSubscriptionsOf, wipeTarget } from './target.js';

export interface ExecuteOptions {
  readonly catalog: Catalog;
  readonly source: RowSource;
  readonly sessions: Sessions;
  /** The database that gets the contents. */
  readonly database: string;
  /** A session on another database, for what is done to databases as a whole. */
  readonly maintenance?: Session;
  readonly locale?: DatabaseLocale;
  readonly tablespace?: string;
  readonly swap?: { readonly names: SwapNames; readonly force: boolean };
  readonly mark: Mark;
  readonly emit: EventListener;
  readonly signal: AbortSignal;
}

/** Rows up to here are few: to index and analyze all of them takes less than to make a session ready. */
const fewBytes = 1n << 20n;
/** Indexes, constraints, analyses of few rows that are worth a session. */
const smallPieces = 50;

/** What a failure at this moment would leave: nothing changed, a marked database, or a finished one. */
export type State = 'unchanged' | 'incomplete' | 'complete';

export class Execution {
  readonly progress: Progress;
  /** Once it is known. */
  manifest: Manifest | undefined;
  readonly #options: ExecuteOptions;
  #state: State = 'unchanged';
  readonly #crew: Crew;
  #inTransaction = false;
  #held: readonly Held[] = [];
  /** What got statistics of the archive. */
  #known: readonly TableName[] = [];
  readonly #slots: Slots;
  #postData: readonly Step[] = [];
  #postDataWork: ParallelSteps | undefined;
  #isAtPostData = false;
  #loadPool: LoadPool | undefined;

  constructor(options: ExecuteOptions) {
    this.#options = options;
    this.progress = new Progress(options.emit);
    this.#slots = new Slots(options.sessions.jobs);
    this.#crew = new Crew(options.sessions, options.database);
  }

  get state(): State {
    return this.#state;
  }

  async run(plan: Plan): Promise<void> {
    const { emit, signal } = this.#options;
    this.#postData = plan.flatMap((action) => (action.action === 'post-data' ? action.steps : []));
    await using pool = startLoading(plan, this.#options);
    this.#loadPool = pool;
    for (const action of plan) {
      signal.throwIfAborted();
      emit({ type: 'phase', phase: action.action });
      await this.#perform(action);
    }
  }

  async #perform(action: Action): Promise<void> {
    const { mark } = this.#options;
    switch (action.action) {
      case 'globals':
        return this.#globals(action);
      case 'drop database':
        if (action.force) await dropSubscriptionsOf(action.database, this.#maintenance(), this.#options.sessions);
        return dropDatabase(this.#maintenance(), action.database, { force: action.force });
      case 'create database':
        return this.#create(action);
      case 'wipe':
        this.#state = 'incomplete';
        return wipeTarget(await this.#crew.control(), action.extensions);
      case 'mark':
        await setMark(await this.#crew.control(), mark);
        this.#state = 'incomplete';
        return;
      case 'unmark':
        await dropMark(await this.#crew.control());
        this.#state = 'complete';
        return;
      case 'begin':
        await (await this.#crew.control()).query('BEGIN');
        this.#inTransaction = true;
        return;
      case 'commit':
        return this.#commit();
      case 'drop':
      case 'truncate':
        return runStatements(await this.#crew.control(), action.action, action.statements);
      case 'set triggers aside':
        await (await this.#crew.control()).query(`SET LOCAL session_replication_role = 'replica'`);
        return;
      case 'restore triggers':
        await (await this.#crew.control()).query(`SET LOCAL session_replication_role = 'origin'`);
        return;
      case 'hold autovacuum':
        this.#held = await holdAutovacuum(await this.#crew.control(), action.tables);
        return;
      case 'release autovacuum':
        return releaseAutovacuum(await this.#crew.control(), this.#held);
      case 'rows':
        return this.#rows(action.loads);
      case 'check foreign keys':
        return checkForeignKeys(await this.#crew.control(), action.tables);
      case 'pre-data':
        return this.#preData(action.steps);
      case 'large objects':
      case 'values':
        return runSteps(await this.#crew.control(), this.#work(action.steps));
      case 'privileges':
      case 'refresh': {
        const run = action.action === 'refresh' ? runRefreshes : runPrivileges;
        const { emit } = this.#options;
        return run(await this.#crew.control(), { ...this.#work(action.steps), emit });
      }
      case 'post-data':
        this.#postDataWork ??= this.#planPostData();
        this.#postDataWork.use(await this.#sessionsAtWork(action.steps.length));
        return this.#postDataWork.finish();
      case 'stage statistics':
        return this.#stage(action.statements);
      case 'statistics':
        return this.#statistics(action);
      case 'analyze':
        return this.#analyze(action.tables);
      case 'database properties':
        // In the database itself: a comment is text in its encoding, whichever session gives it.
        return setProperties(await this.#crew.control(), this.#options.database, action.statements);
      case 'swap':
        return this.#swap();
    }
  }

  #work(steps: readonly Step[]): RunSteps {
    return { catalog: this.#options.catalog, steps, inTransaction: this.#inTransaction };
  }

  async #preData(steps: readonly Step[]): Promise<void> {
    const { sessions, emit } = this.#options;
    const crew = () => this.#crew.withControl(sessions.jobs);
    await runPreData(await this.#crew.control(), { ...this.#work(steps), crew, emit });
  }

  async #globals(action: Extract<Action, { action: 'globals' }>): Promise<void> {
    const { catalog, maintenance } = this.#options;
    if (catalog.globals !== undefined) await runGlobals(maintenance ?? (await this.#crew.control()), action, catalog.globals);
  }

  async #create({ database, staging }: Extract<Action, { action: 'create database' }>): Promise<void> {
    const { locale, tablespace, swap } = this.#options;
    if (locale === undefined) return;
    await createDatabase(this.#maintenance(), { name: database, locale, ...(tablespace === undefined ? {} : { tablespace }) });
    if (staging && swap) await commentStaging(this.#maintenance(), swap.names);
  }

  async #rows(loads: readonly TableLoad[]): Promise<void> {
    const { sessions, source, signal } = this.#options;
    const alone = this.#inTransaction ? await this.#crew.control() : undefined;
    const stop = new AbortController();
    const isLarge = ({ fills, rawBytes }: TableLoad): boolean => fills !== undefined && rawBytes >= largeBytes;
    if (!alone && this.#postData.length > 0 && loads.some(isLarge))
      this.#postDataWork = this.#planPostData(loads.flatMap(({ fills }) => fills ?? []));
    this.manifest = await loadRows({
      loads,
      source,
      pool: this.#loadPool,
      progress: this.progress,
      sessions,
      alone,
      control: () => this.#crew.control(),
      crew: () => this.#sessionsAtWork(),
      onFilled: (load) => {
        if (isLarge(load)) this.#beginPostData(stop);
        if (load.fills !== undefined) this.#postDataWork?.arrive(load.fills);
      },
      slots: this.#slots,
      signal: AbortSignal.any([signal, stop.signal]),
    });
  }

  /** Others are still loaded: not on the session that goes on when all are. */
  #beginPostData(stop: AbortController): void {
    const work = this.#postDataWork;
    if (work === undefined || this.#isAtPostData) return;
    this.#isAtPostData = true;
    work.failed.catch((error: unknown) => stop.abort(error));
    // There may be no room for more while all who load are there: the steps come when those have gone.
    const crew = this.#crew.others(this.#options.sessions.jobs).catch(() => []);
    void crew.then((sessions) => work.use(sessions));
  }

  #planPostData(awaiting?: readonly number[]): ParallelSteps {
    const { catalog, source } = this.#options;
    const manifest = source.kind === 'archive' ? source.manifest : this.manifest;
    const sizes = new Map(manifest?.tables.map(({ schema, name, rawBytes }) => [qualifiedName(schema, name), rawBytes]));
    const weightOf = (relation: number): bigint => {
      const object = catalog.objects[relation];
      return (object && sizes.get(qualifiedName(object.schema, object.name))) ?? 0n;
    };
    const more = awaiting === undefined ? {} : { awaiting };
    const work = this.#inTransaction ? {} : splitKeys(catalog, this.#postData, weightOf);
    return new ParallelSteps({ ...this.#work(this.#postData), ...work, weightOf, slots: this.#slots, ...more });
  }

  async #analyze(tables: readonly TableName[]): Promise<void> {
    const { emit } = this.#options;
    const control = await this.#crew.control();
    const crew = (pieces: number) => this.#sessionsAtWork(pieces);
    await analyzeTables(tables, { control, crew, known: this.#known, inTransaction: this.#inTransaction, emit });
  }

  async #stage(statements: readonly string[]): Promise<void> {
    const session = await this.#crew.control();
    for (const statement of statements) await session.query(statement);
  }

  async #statistics({ place, relations }: Extract<Action, { action: 'statistics' }>): Promise<void> {
    const { catalog, emit } = this.#options;
    const sessions = await this.#sessionsAtWork(relations.length);
    this.#known = await restoreStatistics({ sessions, inTransaction: this.#inTransaction, place, relations, emit });
    const extended = countExtended(
      catalog,
      relations.filter(({ itself }) => itself),
    );
    if (extended > 0) emit({ type: 'notice', message: `${extended} extended statistics are empty until ANALYZE: no server takes them` });
  }

  /** Rows are only safe once they are on disk: our sessions do not wait for that otherwise. */
  async #commit(): Promise<void> {
    const session = await this.#crew.control();
    await session.query(waitForDisk);
    await session.query('COMMIT');
    this.#inTransaction = false;
    this.#state = 'complete';
  }

  async #swap(): Promise<void> {
    const { swap, sessions, emit } = this.#options;
    if (swap === undefined) return;
    // A rename needs the database alone.
    await this.#crew.close();
    const helper = await sessions.openBeside(this.#maintenance());
    const replaced = await swapDatabases(this.#maintenance(), swap.names, { force: swap.force, helper });
    if (!replaced) return;
    const notice = await dropReplaced(this.#maintenance(), swap.names);
    if (notice !== undefined) emit({ type: 'notice', message: notice });
  }

  #maintenance(): Session {
    const { maintenance } = this.#options;
    if (maintenance === undefined) throw new Error('a plan for whole databases needs a maintenance session');
    return maintenance;
  }

  /** All that may work at once: within a transaction the one that is in it. No more than there are pieces of work, and where the rows are
   *  few, one for a number of pieces: to make ready another session takes as long as these. */
  async #sessionsAtWork(pieces = Number.POSITIVE_INFINITY): Promise<readonly Session[]> {
    if (this.#inTransaction) return [await this.#crew.control()];
    const { jobs } = this.#options.sessions;
    return this.#crew.withControl(Math.min(jobs, this.progress.rawBytes < fewBytes ? Math.ceil(pieces / smallPieces) : pieces));
  }
}
