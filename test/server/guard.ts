// The test process's end of watchdog.mjs: has it make a folder, run a server in it, stop or kill that. What the server is and how it is
// configured comes from the caller.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface GuardOptions {
  /** Where the server's folder is made. */
  readonly parent: string;
  /** Whose folder and processes they are; undefined: ours. */
  readonly account: Account | undefined;
  /** Fills the new folder and gives the commands to run in it one after the other, the last of which is the server. */
  readonly prepare: (directory: string) => readonly Command[] | Promise<readonly Command[]>;
}

export interface Guarded extends AsyncDisposable {
  /** Of the postmaster. */
  readonly pid: number;
  /** Holds `data` (the cluster), `log`, and the server's Unix socket. Removed with the server. */
  readonly directory: string;
  /** Resolves when the postmaster has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Fast shutdown, and the folder removed. Calling it again, or after kill(), is fine. */
  stop(): Promise<void>;
  /** SIGKILL to the postmaster, as a crash; resolves when it has ended. The folder stays until stop(). */
  kill(): Promise<void>;
}

interface GuardEvent {
  readonly event: 'made' | 'ready' | 'exit' | 'gone';
  readonly directory?: string;
  readonly pid?: number;
  readonly lastWords?: string;
}

/** Starts a server under a watchdog and resolves when it takes connections.
 *  @throws Error with the last words of whichever command failed; the folder is removed by then */
export async function startGuarded({ parent, account, prepare }: GuardOptions): Promise<Guarded> {
  // LC_ALL: readiness is read from English messages.
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };
  const script = fileURLToPath(new URL('watchdog.mjs', import.meta.url));
  const watchdog = spawn(process.execPath, [script, JSON.stringify({ parent, account, env })], {
    detached: true, // Ctrl-C goes to the whole process group; the watchdog must get through that
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const { stdin, stdout } = watchdog;
  stdin.on('error', () => undefined); // the watchdog has gone already
  const request = (what: unknown): void => {
    if (stdin.writable) stdin.write(`${JSON.stringify(what)}\n`);
  };

  const made = deferred<string>();
  const ready = deferred<number>();
  const ended = deferred<void>();
  const gone = deferred<void>();
  createInterface({ input: stdout }).on('line', (line) => {
    const told = JSON.parse(line) as GuardEvent;
    if (told.directory !== undefined) made.resolve(told.directory);
    if (told.pid !== undefined) ready.resolve(told.pid);
    if (told.event === 'exit') {
      ready.reject(new Error(`start PostgreSQL below ${parent}: it ended. Its last words:\n${told.lastWords ?? ''}`));
      ended.resolve();
    }
  });
  const fail = (cause?: Error): void => {
    const error = new Error(`start PostgreSQL below ${parent}: the watchdog ended`, { cause });
    for (const one of [made, ready]) one.reject(error);
    for (const one of [ended, gone]) one.resolve();
  };
  watchdog.on('error', fail);
  watchdog.on('close', () => fail());

  /** From `ready` on the server keeps no program alive that has nothing else to do; waiting for its end does. */
  const hold = (held: boolean): void => {
    const method = held ? 'ref' : 'unref';
    watchdog[method]();
    for (const pipe of [stdin, stdout]) (pipe as unknown as { ref(): void; unref(): void })[method]();
  };
  const stop = async (): Promise<void> => {
    hold(true);
    request('stop');
    await gone.promise;
  };
  const kill = async (): Promise<void> => {
    hold(true);
    request('kill');
    await ended.promise;
    hold(false);
  };
  try {
    const directory = await made.promise;
    request({ run: await prepare(directory) });
    const pid = await ready.promise;
    hold(false);
    return { pid, directory, ended: ended.promise, stop, kill, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

// Promise.withResolvers is not in Node 20.
function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // it may be rejected when nobody is interested any more
  return { promise, resolve, reject };
}
