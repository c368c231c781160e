// Server settings for the time of a restore: written down, set, and put back when the last restore that uses them ends, or by whoever
// finds them left behind. What to set is choose.ts's, how configuration.ts's, who else is at it users.ts's.
import { randomBytes } from 'node:crypto';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { refusePooler } from '../../pg/pooler.js';
import { openSession, type Session } from '../../pg/session.js';
import { type ConnectionSettings, describeConnection, withDatabase } from '../../pg/settings.js';
import { chooseServerSettings, type Wanted } from './choose.js';
import { alterRecord, alterSystem, type Configuration, currentOf, readConfiguration, reload, type Standing } from './configuration.js';
import { fateOf, formatRecord, parseRecord, recordName, type TunedSetting } from './record.js';
import { describeUsers, enterUse, leaveUse, meetingPlace, otherUsers, stayingUsers, whileAlone } from './users.js';

export interface TuneOptions {
  /** Of the rows to come; undefined where it is not known yet. */
  readonly rawBytes: bigint | undefined;
  readonly emit: EventListener;
}

/** Settings in use. */
export interface ServerTuning {
  /** Ends the use; the last one puts the settings back. Calling it again gives the same.
   *  @throws TidemarkError where they could not be put back: the record of them stays */
  putBack(): Promise<void>;
}

/** What became of settings that were to be put back. */
export interface PutBack {
  /** When they were set. */
  readonly since: string;
  /** `value`: that of the entry of postgresql.auto.conf; null: there is none again. */
  readonly settings: readonly { readonly name: string; readonly value: string | null }[];
  /** Settings that somebody else has changed since, and that stay as they are. */
  readonly left: readonly string[];
}

/** Sets what the role may set and says what it may not, as notices: nothing of it keeps a restore from going on.
 *  @returns undefined where nothing is set */
export async function tuneServer(connection: ConnectionSettings, { rawBytes, emit }: TuneOptions): Promise<ServerTuning | undefined> {
  const notice = (message: string): void => emit({ type: 'notice', message });
  const tuner = new Tuner(connection, notice);
  try {
    return (await tuner.begin(rawBytes)) ? tuner : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    notice(`server settings are not tuned: ${reason}; the sessions are`);
    // Whatever was set before the failure.
    await tuner.putBack().catch((left: unknown) => notice(left instanceof Error ? left.message : String(left)));
    return undefined;
  }
}

/** Puts back what restores that did not end have left.
 *  @param force although sessions of restores still use it
 *  @returns undefined where there is nothing
 *  @throws TidemarkError LOCKED, PERMISSION_DENIED, TARGET_MISMATCH, CONNECTION_* */
export async function untune(connection: ConnectionSettings, { force }: { readonly force: boolean }): Promise<PutBack | undefined> {
  const { session } = await openTuning(connection);
  await using _ = session;
  return await whileAlone(session, async () => {
    const configuration = await readConfiguration(session);
    if (configuration.record === undefined) return undefined;
    const users = force ? [] : await stayingUsers(session);
    if (users.length > 0) {
      throw new TidemarkError('LOCKED', `put back the server settings on ${whereOf(connection)}: used by ${describeUsers(users)}`, {
        hint: 'the restore puts them back at its end; wait for it, or add --force',
        details: { pids: users.map(({ pid }) => pid) },
      });
    }
    return putBack(session, configuration, whereOf(connection));
  });
}

function whereOf(connection: ConnectionSettings): string {
  return describeConnection(withDatabase(connection, meetingPlace));
}

interface Opened {
  readonly session: Session;
  readonly applicationName: string;
}

/** As the user who connects: the role that makes the objects may have fewer rights. No signal: it is needed after an abort, too. */
async function openTuning(given: ConnectionSettings, applicationName = `tidemark tune ${randomBytes(4).toString('hex')}`): Promise<Opened> {
  const { role: _, ...connection } = withDatabase(given, meetingPlace);
  const session = await openSession(connection, { use: 'write', applicationName });
  try {
    await refusePooler(session, connection, { applicationName });
    return { session, applicationName };
  } catch (error) {
    await session.close();
    throw error;
  }
}

class Tuner implements ServerTuning {
  readonly #connection: ConnectionSettings;
  readonly #notice: (message: string) => void;
  #opened: Opened | undefined;
  #using = false;
  #ended: Promise<void> | undefined;

  constructor(connection: ConnectionSettings, notice: (message: string) => void) {
    this.#connection = connection;
    this.#notice = notice;
  }

  /** @returns whether settings are in use now */
  async begin(rawBytes: bigint | undefined): Promise<boolean> {
    this.#opened = await openTuning(this.#connection);
    const { session } = this.#opened;
    const tuned = await whileAlone(session, () => this.#begin(session, rawBytes));
    if (!tuned) await session.close();
    return tuned;
  }

  async #begin(session: Session, rawBytes: bigint | undefined): Promise<boolean> {
    let configuration = await readConfiguration(session);
    if (configuration.record !== undefined) {
      const { since } = parseRecord(configuration.record);
      if ((await otherUsers(session)).length > 0) {
        // Who could not put them back in the end had better not be the last one to use them.
        if (configuration.refusal !== undefined) return false;
        this.#notice(`server settings are tuned already, since ${since}: the restore that ends last puts them back`);
        await this.#enter(session);
        return true;
      }
      this.#notice(
        `a restore that set server settings at ${since} did not end: ${describePutBack(await this.#putBack(session, configuration))}`,
      );
      configuration = await readConfiguration(session);
    }
    const { settings, notes } = decide(configuration, rawBytes);
    for (const note of notes) this.#notice(note);
    if (settings.length === 0) return false;
    await this.#enter(session);
    const record = formatRecord({ since: new Date().toISOString(), settings });
    // Before any of what it is about: each ALTER SYSTEM is on disk when it returns.
    await alterRecord(session, record);
    for (const { name, set } of settings) await alterSystem(session, name, set);
    await reload(session, record);
    const told = settings.map(({ name, now, set }) => `${name} ${now} -> ${set}`);
    this.#notice(`server settings for the time of the restore: ${told.join(', ')}`);
    return true;
  }

  async #enter(session: Session): Promise<void> {
    await enterUse(session);
    this.#using = true;
  }

  putBack(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    if (this.#opened === undefined) return;
    if (!this.#using) return this.#opened.session.close();
    const { session } = await this.#reach(this.#opened);
    try {
      await whileAlone(session, async () => {
        await leaveUse(session);
        const users = await otherUsers(session);
        const configuration = await readConfiguration(session);
        if (configuration.record === undefined) return;
        if (users.length > 0)
          return this.#notice(`server settings stay tuned for another restore (${describeUsers(users)}), which puts them back`);
        const { left } = await this.#putBack(session, configuration);
        if (left.length > 0) this.#notice(describeLeft(left));
      });
    } catch (error) {
      throw notPutBack(error, whereOf(this.#connection));
    } finally {
      await session.close();
    }
  }

  /** The session; another one where it was lost, and then what is left of it on the server is ended: it would count as a user. */
  async #reach(opened: Opened): Promise<Opened> {
    try {
      await opened.session.query('SELECT');
      return opened;
    } catch {
      opened.session.destroy();
    }
    try {
      const again = await openTuning(this.#connection, opened.applicationName);
      await again.session.query(
        'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()',
        [opened.applicationName],
      );
      return again;
    } catch (error) {
      throw notPutBack(error, whereOf(this.#connection));
    }
  }

  #putBack(session: Session, configuration: Configuration): Promise<PutBack> {
    return putBack(session, configuration, whereOf(this.#connection));
  }
}

function notPutBack(error: unknown, where: string): TidemarkError {
  if (error instanceof TidemarkError && error.message.startsWith(attempt)) return error;
  const { code, message, details } =
    error instanceof TidemarkError ? error : { code: 'INTERNAL' as const, message: String(error), details: {} };
  return new TidemarkError(code, `${attempt} on ${where}: ${message}`, {
    hint: 'run tidemark untune once the server can be reached, or put them back by hand (docs/tune.md)',
    details,
    cause: error,
  });
}

const attempt = 'put back the server settings';

interface Decision {
  readonly settings: readonly (TunedSetting & Wanted)[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

function decide({ settings, refusal }: Configuration, rawBytes: bigint | undefined): Decision {
  const wanted = chooseServerSettings(currentOf(settings), rawBytes);
  if (wanted.length === 0) return { settings: [], notes: [] };
  if (refusal !== undefined) return { settings: [], notes: [`server settings are not tuned: ${refusal}; the sessions are`] };
  const notes: string[] = [];
  const chosen = wanted.flatMap((one) => {
    const standing = settings.find(({ name }) => name === one.name);
    if (standing === undefined) return [];
    const { entry } = standing;
    const reason = reasonAgainst(standing);
    if (reason === undefined && entry !== undefined) return [{ ...one, before: entry }];
    notes.push(`server setting ${one.name} stays ${one.now}: ${reason}`);
    return [];
  });
  return { settings: chosen, notes };
}

function reasonAgainst({ name, writable, overridden, entry }: Standing): string | undefined {
  if (!writable) return `the role has no ALTER SYSTEM on ${name}`;
  if (overridden) return 'it comes from the command line of the server';
  if (entry === undefined)
    return 'the role cannot see where it comes from, so that it could not be put back: it needs pg_read_all_settings';
  return undefined;
}

/** Entries first, the record last: whatever comes in between, what is left to do can be seen. */
async function putBack(session: Session, { settings, record, refusal }: Configuration, where: string): Promise<PutBack> {
  const { since, settings: tuned } = parseRecord(record ?? '');
  const denied = (reason: string): TidemarkError =>
    new TidemarkError('PERMISSION_DENIED', `${attempt} on ${where}: ${reason}`, {
      hint: 'run tidemark untune as a superuser, or with the privileges of the role that set them (docs/tune.md)',
    });
  if (refusal !== undefined) throw denied(refusal);
  const done: { readonly name: string; readonly value: string | null }[] = [];
  const left: string[] = [];
  const not: string[] = [];
  for (const setting of tuned) {
    const { name, before } = setting;
    const { entry, writable } = settings.find((standing) => standing.name === name) ?? { entry: undefined, writable: false };
    if (entry === undefined) {
      not.push(name);
      continue;
    }
    const fate = fateOf(setting, entry);
    if (fate === 'changed') left.push(name);
    if (fate !== 'put back') continue;
    if (!writable) {
      not.push(name);
      continue;
    }
    await alterSystem(session, name, before);
    done.push({ name, value: before });
  }
  if (not.length > 0) {
    await session.query('SELECT pg_reload_conf()');
    throw denied(`the role may not change, or not see, ${not.join(', ')}`);
  }
  await alterRecord(session, null);
  await reload(session, null);
  return { since, settings: done, left };
}

export function describePutBack({ settings, left }: PutBack): string {
  const told = settings.map(({ name, value }) => (value === null ? `${name} reset` : `${name} set to ${value}`));
  return [
    told.length === 0 ? 'every setting was back already' : `put back: ${told.join(', ')}`,
    ...(left.length === 0 ? [] : [describeLeft(left)]),
  ].join('; ');
}

function describeLeft(left: readonly string[]): string {
  return `left as somebody has set ${left.length === 1 ? 'it' : 'them'} meanwhile: ${left.join(', ')}`;
}

/** Whether a session sees settings that a restore has left: for a notice.
 *  @returns when they were set */
export async function tuningLeft(session: Session): Promise<string | undefined> {
  const { text } = await session.one<{ text: string | null }>(`SELECT nullif(current_setting('${recordName}', true), '') AS text`);
  if (text === null || (await otherUsers(session)).length > 0) return undefined;
  return parseRecord(text).since;
}
