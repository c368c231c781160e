// The daemon as operators run it: a process with a configuration file, its log line by line, and signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { mainPath } from '../cli/run-cli.js';
import { patience } from '../server/connect.js';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export class DaemonProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  #stderr = '';
  #watchers: { readonly wanted: (line: LogLine) => boolean; readonly found: (line: LogLine) => void }[] = [];

  constructor(config: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [mainPath, 'run', '--config', config], {
      env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...patience, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (piece: Buffer) => {
      this.#stderr += piece;
    });
    const { stdout } = this.child;
    if (stdout) createInterface({ input: stdout }).on('line', (text) => this.#take(JSON.parse(text) as LogLine));
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(code ?? signal ?? 0)));
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The next line that is wanted, or one that has come already where `from` says how many to pass over. */
  async line(wanted: RegExp | ((line: LogLine) => boolean), from = this.lines.length): Promise<LogLine> {
    const isWanted = wanted instanceof RegExp ? ({ msg }: LogLine) => wanted.test(msg) : wanted;
    const come = this.lines.slice(from).find(isWanted);
    if (come) return come;
    const found = new Promise<LogLine>((resolve) => this.#watchers.push({ wanted: isWanted, found: resolve }));
    const first = await Promise.race([found, this.ended]);
    if (typeof first === 'object') return first;
    const log = this.lines.map(({ msg }) => msg).join('\n');
    throw new Error(`the daemon ended (${first}) before it said ${wanted}:\n${log}\n${this.#stderr}`);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  #take(line: LogLine): void {
    this.lines.push(line);
    const found = this.#watchers.filter(({ wanted }) => wanted(line));
    this.#watchers = this.#watchers.filter((one) => !found.includes(one));
    for (const one of found) one.found(line);
  }
}

/** A database with a chain of blocks, a folder for its snapshots, and daemons on them. */
export class Chain implements AsyncDisposable {
  readonly db: TestDatabase;
  readonly place: TemporaryDirectory;
  readonly #daemons: DaemonProcess[] = [];

  constructor(db: TestDatabase, place: TemporaryDirectory) {
    this.db = db;
    this.place = place;
  }

  get store(): string {
    return join(this.place.path, 'snapshots');
  }

  async configure(changes: Readonly<Record<string, unknown>> = {}, name = 'tidemark.config.json'): Promise<string> {
    const file = join(this.place.path, name);
    const config = {
      database: this.db.url,
      store: 'snapshots',
      prefix: 'chain',
      position: { heightQuery: 'SELECT coalesce(max(height), 0) FROM blocks' },
      snapshot: { jobs: 1 },
      rules: [{ by: 'height', every: 100 }],
      retry: { after: '100ms' },
      retention: { last: 2 },
      poll: { every: '100ms' },
      http: false,
      reserve: '1kB',
      ...changes,
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  async daemon(changes?: Readonly<Record<string, unknown>>, name?: string): Promise<DaemonProcess> {
    return this.start(await this.configure(changes, name));
  }

  start(config: string, env?: Readonly<Record<string, string>>): DaemonProcess {
    const daemon = new DaemonProcess(config, env);
    this.#daemons.push(daemon);
    return daemon;
  }

  async processTo(height: bigint): Promise<void> {
    await this.db.run(`INSERT INTO blocks SELECT generate_series((SELECT coalesce(max(height), 0) + 1 FROM blocks), ${height})`);
  }

  async files(): Promise<string[]> {
    return (await readdir(this.store).catch(() => [])).sort();
  }

  async archives(): Promise<string[]> {
    return (await this.files()).filter((name) => name.endsWith('.tar.zst'));
  }

  /** Sessions of tidemark on the database. */
  async sessions(): Promise<number> {
    const rows = await this.db.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'tidemark%' AND datname = current_database()`,
    );
    return Number(rows[0]?.n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
    await this.db[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

export async function startChain(): Promise<Chain> {
  const db = await createDatabase();
  await db.run('CREATE TABLE blocks (height bigint PRIMARY KEY); INSERT INTO blocks VALUES (1)');
  return new Chain(db, await temporaryDirectory());
}
