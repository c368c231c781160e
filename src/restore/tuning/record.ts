// What is written down before a server setting is changed, and what has to be done to put it back: pure. The record is a setting itself,
// in the same postgresql.auto.conf as the changes: it is there whenever they are, survives every crash that they survive, and any session
// of any database can read it.
import { TidemarkError } from '../../model/errors.js';
import { type TunedName, tunedNames } from './choose.js';

/** The setting that holds the record. Its name is part of messages and documentation. */
export const recordName = 'tidemark.tuned';

export interface TunedSetting {
  readonly name: TunedName;
  /** Text of the entry that postgresql.auto.conf had; null: it had none. */
  readonly before: string | null;
  /** Text of the one that it was given. */
  readonly set: string;
}

export interface TuningRecord {
  readonly since: string;
  readonly settings: readonly TunedSetting[];
}

/** One line: a setting cannot have more. */
export function formatRecord({ since, settings }: TuningRecord): string {
  const entries = settings.map(({ name, before, set }) => [name, { before, set }]);
  return JSON.stringify({ version: 1, since, settings: Object.fromEntries(entries) });
}

/** Names that are not ours are refused: who may write the record may not be allowed to write every setting, and who reads it may.
 *  @throws TidemarkError TARGET_MISMATCH */
export function parseRecord(text: string): TuningRecord {
  const value = jsonOf(text);
  if (!isObject(value) || value.version !== 1 || typeof value.since !== 'string' || !isObject(value.settings)) throw unreadable();
  const settings = Object.entries(value.settings).map(([key, entry]): TunedSetting => {
    const name = tunedNames.find((known) => known === key);
    if (name === undefined || !isObject(entry)) throw unreadable();
    const { before, set } = entry;
    if ((before !== null && typeof before !== 'string') || typeof set !== 'string') throw unreadable();
    return { name, before, set };
  });
  return { since: value.since, settings };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable();
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(): TidemarkError {
  return new TidemarkError('TARGET_MISMATCH', `read the server setting ${recordName}: it is not a record that this version can read`, {
    hint: 'use the version of tidemark that wrote it, or put the settings back by hand (docs/tune.md) and ALTER SYSTEM RESET it',
  });
}

/** What is to become of an entry. 'back': it is what it was already. 'changed': somebody else's now, and left to them. */
export type Fate = 'put back' | 'back' | 'changed';

/** @param entry text that postgresql.auto.conf has now; null: none */
export function fateOf({ before, set }: TunedSetting, entry: string | null): Fate {
  if (entry === set) return 'put back';
  return entry === before ? 'back' : 'changed';
}
