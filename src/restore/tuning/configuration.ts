// A server's postgresql.auto.conf, as far as SQL shows it to a role and lets it change it: the entries of our settings, and the record.
// When it is changed, and by whom, is server.ts's business.
// https://www.postgresql.org/docs/current/sql-altersystem.html
import { TidemarkError } from '../../model/errors.js';
import { quoteLiteral } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { type CurrentSettings, type TunedName, tunedNames } from './choose.js';
import { recordName } from './record.js';

/** A setting as it stands. */
export interface Standing {
  readonly name: TunedName;
  /** In the unit of pg_settings, which is in `unit`. */
  readonly setting: string;
  readonly unit: string;
  /** Text of its entry in postgresql.auto.conf; null: none; undefined: the role cannot see that. */
  readonly entry: string | null | undefined;
  /** The role may change the entry. */
  readonly writable: boolean;
  /** Comes from the command line of the server, say: an entry would have no effect. */
  readonly overridden: boolean;
}

export interface Configuration {
  readonly settings: readonly Standing[];
  /** Text of the record; undefined: none. */
  readonly record: string | undefined;
  /** The role may write the record, and have the configuration read again; else why not. */
  readonly refusal: string | undefined;
}

/** Privileges on parameters came with 15; before, ALTER SYSTEM was for superusers. From 17 on it can be forbidden altogether. */
const mayAlter = (version: number, name: string): string =>
  version >= 150000 ? `has_parameter_privilege(${name}, 'ALTER SYSTEM')` : 'false';

const rightsQuery = (version: number): string => `
  SELECT r.rolname AS role, r.rolsuper OR (has_table_privilege('pg_file_settings', 'SELECT')
           AND has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')) AS files,
         r.rolsuper OR pg_has_role('pg_read_all_settings', 'USAGE') AS sources,
         has_function_privilege('pg_reload_conf()', 'EXECUTE') AS reload,
         r.rolsuper OR ${mayAlter(version, `'${recordName}'`)} AS record,
         coalesce(current_setting('allow_alter_system', true), 'on') AS allowed
    FROM pg_roles r WHERE r.rolname = current_user`;

interface Rights extends Record<string, unknown> {
  readonly role: string;
  readonly files: boolean;
  readonly sources: boolean;
  readonly reload: boolean;
  readonly record: boolean;
  readonly allowed: string;
}

interface SettingRow extends Record<string, unknown> {
  readonly name: TunedName;
  readonly setting: string;
  readonly unit: string | null;
  readonly source: string;
  readonly auto: boolean | null;
  readonly writable: boolean;
}

const automaticFile = `sourcefile ~ '[/\\\\]postgresql[.]auto[.]conf$'`;

/** Looks; changes nothing. @throws TidemarkError SERVER_ERROR where the server cannot read its files either */
export async function readConfiguration(session: Session): Promise<Configuration> {
  const { version } = session;
  const rights = await session.one<Rights>(rightsQuery(version));
  const rows = await session.query<SettingRow>(
    `SELECT s.name, s.setting, s.unit, s.source, ${automaticFile} AS auto, r.rolsuper OR ${mayAlter(version, 's.name')} AS writable
       FROM pg_settings s, pg_roles r WHERE r.rolname = current_user AND s.name = ANY ($1) ORDER BY array_position($1, s.name)`,
    [[...tunedNames]],
  );
  const entries = rights.files ? await readEntries(session) : undefined;
  const { shown } = await session.one<{ shown: string | null }>(`SELECT nullif(current_setting('${recordName}', true), '') AS shown`);
  const settings = rows.map((row): Standing => {
    const { name, setting, unit, source, writable } = row;
    const fromFile = source === 'configuration file';
    const seen = { setting, unit: unit ?? '', overridden: !fromFile && source !== 'default' };
    return { name, ...seen, writable, entry: entries === undefined ? entryOf(row, rights.sources) : (entries.get(name) ?? null) };
  });
  return { settings, record: entries === undefined ? (shown ?? undefined) : entries.get(recordName), refusal: refusalOf(rights) };
}

/** The entries themselves, also of what has not been read again since. The last one of a name counts. */
async function readEntries(session: Session): Promise<ReadonlyMap<string, string>> {
  await refuseMistakes(session);
  const rows = await session.query<{ name: string; setting: string }>(
    `SELECT lower(name) AS name, setting FROM pg_file_settings
      WHERE ${automaticFile} AND lower(name) = ANY ($1) AND setting IS NOT NULL ORDER BY seqno`,
    [[...tunedNames, recordName]],
  );
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}

/** After a mistake the server reads no further: postgresql.auto.conf, which comes last, would look empty. Nor does it take anything over. */
async function refuseMistakes(session: Session): Promise<void> {
  const [mistake] = await session.query<{ place: string; error: string }>(
    `SELECT f.sourcefile || ' line ' || f.sourceline AS place, f.error FROM pg_file_settings f
      WHERE f.error IS NOT NULL AND (f.name IS NULL OR f.name !~ '[.]' AND NOT EXISTS (SELECT FROM pg_settings s WHERE lower(s.name) = lower(f.name)))
      LIMIT 1`,
  );
  if (mistake === undefined) return;
  throw new TidemarkError('SERVER_ERROR', `read the configuration of the server: ${mistake.place}: ${mistake.error}`, {
    hint: 'mend the file: until then the server takes over nothing of its configuration',
  });
}

/** By what pg_settings says of where a value comes from; who may not read the files sees no more. */
function entryOf({ setting, unit, source, auto }: SettingRow, sources: boolean): string | null | undefined {
  if (source === 'default') return null;
  if (source !== 'configuration file' || !sources) return undefined;
  return auto ? `${setting}${unit ?? ''}` : null;
}

function refusalOf({ role, reload, record, allowed }: Rights): string | undefined {
  if (allowed === 'off') return 'the server forbids ALTER SYSTEM (allow_alter_system)';
  const missing = [...(record ? [] : [`ALTER SYSTEM on ${recordName}`]), ...(reload ? [] : ['EXECUTE on pg_reload_conf()'])];
  return missing.length === 0 ? undefined : `role ${role} is no superuser and has no ${missing.join(' and no ')}`;
}

/** @throws Error where a setting is missing: no version of the server is without one */
export function currentOf(settings: readonly Standing[]): CurrentSettings {
  const value = (wanted: TunedName): string => {
    const found = settings.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error(`the server has no setting ${wanted}`);
    return found.setting;
  };
  return { max_wal_size: value('max_wal_size'), checkpoint_timeout: value('checkpoint_timeout'), autovacuum: value('autovacuum') };
}

/** Sets an entry of postgresql.auto.conf, or takes it away; it is on disk when this resolves, and has no effect before a reload.
 *  @throws TidemarkError PERMISSION_DENIED, SERVER_ERROR */
export async function alterSystem(session: Session, name: TunedName, entry: string | null): Promise<void> {
  await session.query(entry === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = ${quoteLiteral(entry)}`);
}

/** Until 16 a name that the session has never heard of is refused: it is set there, and let go of again, so that what comes from the file
 *  can be seen. */
export async function alterRecord(session: Session, text: string | null): Promise<void> {
  await session.query(`SELECT set_config('${recordName}', '', false)`);
  await session.query(`RESET ${recordName}`);
  await session.query(text === null ? `ALTER SYSTEM RESET ${recordName}` : `ALTER SYSTEM SET ${recordName} = ${quoteLiteral(text)}`);
}

/** How often, and how many seconds apart, the session is looked at. */
const looks = { times: 50, apart: 0.1 };

/** Has the server read its configuration again, and waits until a session sees it: new ones see it from then on.
 *  @param record that is expected; null: none
 *  @throws TidemarkError SERVER_ERROR where nothing changes: a configuration with an error in it is not taken over */
export async function reload(session: Session, record: string | null): Promise<void> {
  await session.query('SELECT pg_reload_conf()');
  for (let look = 0; look < looks.times; look++) {
    const { shown } = await session.one<{ shown: string }>(`SELECT coalesce(current_setting('${recordName}', true), '') AS shown`);
    if (shown === (record ?? '')) return;
    await session.query('SELECT pg_sleep($1)', [looks.apart]);
  }
  throw new TidemarkError('SERVER_ERROR', 'reload the configuration of the server: it does not take it over', {
    hint: "see the server's log: a mistake in one of its files keeps all of them from being read",
  });
}
