// The daemon: snapshots by a configuration file, with a log, a page and metrics around it. It ends in order, and takes a changed
// configuration without losing a snapshot that is under way.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import type { SchedulerListener } from '../schedule/events.js';
import { type StatusServer, serveStatus } from './http.js';
import { createLogger, type Logger, logEvents } from './log.js';
import { createMetrics } from './metrics.js';
import { startWork, type Work } from './work.js';

export interface DaemonOptions {
  /** Reads the configuration; called again at each reload. */
  readonly load: () => Promise<Config>;
  /** Default: JSON lines on standard output. */
  readonly logger?: Logger;
}

export interface Daemon extends AsyncDisposable {
  /** Of the status page; undefined where nothing is served. */
  readonly url: string | undefined;
  /** Takes the configuration as it is now; a wrong one is told, and the old one stays. Resolves when the old one has ended. */
  reload(): Promise<void>;
  /** Takes a snapshot now, in the background; that one is under way already is told in the log. */
  requestSnapshot(): void;
  /** Gives up a snapshot under way, takes a last one where the configuration wants it, and ends. What fails then is in the log. */
  close(): Promise<void>;
}

/** @throws TidemarkError USAGE for a wrong configuration, LISTEN_FAILED */
export async function startDaemon({ load, logger }: DaemonOptions): Promise<Daemon> {
  const config = await load();
  const log = logger ?? createLogger();
  log.level = config.log.level;
  const metrics = createMetrics();
  const tell: SchedulerListener = (event) => {
    logEvents(log)(event);
    metrics.onEvent(event);
  };
  return await RunningDaemon.start(config, { load, log, metrics, tell });
}

interface Around {
  readonly load: () => Promise<Config>;
  readonly log: Logger;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly tell: SchedulerListener;
}

class RunningDaemon implements Daemon {
  readonly #around: Around;
  #config: Config;
  #work: Work;
  /** The present one, and those of configurations before that wait for a snapshot under way. */
  readonly #works = new Set<Work>();
  #server: StatusServer | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(config: Config, work: Work, around: Around) {
    this.#config = config;
    this.#work = work;
    this.#works.add(work);
    this.#around = around;
  }

  static async start(config: Config, around: Around): Promise<RunningDaemon> {
    const work = startWork(config, around.tell);
    const daemon = new RunningDaemon(config, work, around);
    try {
      daemon.#server = await daemon.#serve(config);
    } catch (error) {
      await work.close({ abort: true, final: false });
      throw error;
    }
    return daemon;
  }

  get url(): string | undefined {
    return this.#server?.url;
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  requestSnapshot(): void {
    if (this.#closing) return;
    const answer = this.#work.scheduler.requestSnapshot();
    if (!answer.started) this.#around.log.warn(`no snapshot was begun: ${answer.reason}`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #reload(): Promise<void> {
    const { load, log, tell } = this.#around;
    try {
      const config = await load();
      if (this.#closing) return;
      const former = this.#work;
      // The new one begins before the old one ends: of the two only one can be at a snapshot.
      const work = startWork(config, tell);
      this.#works.add(work);
      try {
        await this.#move(config);
      } catch (error) {
        await work.close({ abort: true, final: false });
        this.#works.delete(work);
        throw error;
      }
      this.#work = work;
      this.#config = config;
      log.level = config.log.level;
      // The daemon goes on: for the rules that is no shutdown. The former one begins nothing more from here on, and may be at a snapshot still.
      const ended = former.close({ final: false });
      log.info('took the configuration as it is now');
      await ended;
      this.#works.delete(former);
    } catch (error) {
      log.error({ err: error }, 'could not take the changed configuration: the old one stays');
    }
  }

  /** Serves somewhere else, where the configuration says so. @throws TidemarkError LISTEN_FAILED, and serves where it did */
  async #move(config: Config): Promise<void> {
    if (isDeepStrictEqual(config.http, this.#config.http)) return;
    const former = this.#server;
    this.#server = await this.#serve(config);
    await former?.close();
  }

  async #serve({ http }: Config): Promise<StatusServer | undefined> {
    if (http === undefined) return undefined;
    const { metrics, log } = this.#around;
    const source = { status: () => this.#work.scheduler.status(), alive: () => this.#alive() };
    const server = await serveStatus({ ...http, source, metrics, log });
    log.info({ url: server.url }, `status page at ${server.url}`);
    return server;
  }

  /** Looks that fail are looks, too: that the database is away is for the status to say, and no reason to end the daemon. */
  #alive(): { readonly ok: boolean; readonly reason: string } {
    const { lookedAt, busy } = this.#work.scheduler.pulse;
    if (this.#closing) return { ok: false, reason: 'it is ending' };
    if (busy) return { ok: true, reason: 'a snapshot is being taken' };
    if (lookedAt === undefined) return { ok: true, reason: 'it has only just begun' };
    const ok = Date.now() - lookedAt.getTime() <= 3 * this.#config.poll.everyMs + 60_000;
    return { ok, reason: `it last looked at ${lookedAt.toISOString()}` };
  }

  async #end(): Promise<void> {
    const { log } = this.#around;
    for (const closed of await Promise.allSettled([...this.#works].map((work) => work.close({ abort: true })))) {
      if (closed.status === 'rejected') log.error({ err: closed.reason }, 'the last snapshot failed');
    }
    await this.#reloading;
    await this.#server?.close();
    log.info('ended');
  }
}
