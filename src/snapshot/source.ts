// What a manifest says of the database that a snapshot was taken of.
import type { SourceInfo } from '../model/manifest.js';
import type { Session } from '../pg/session.js';

interface SourceRow {
  readonly system_identifier: string | null;
  readonly datname: string;
  readonly encoding: string;
  readonly datcollate: string;
  readonly datctype: string;
  readonly provider: string;
  readonly locale: string | null;
  readonly icu_rules: string | null;
  readonly in_recovery: boolean;
}

const providers: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

/** Reads encoding, locale and identity of the session's database. */
export async function readSource(session: Session): Promise<SourceInfo> {
  const { version } = session;
  const provider = version >= 150000 ? 'd.datlocprovider::text' : `'c'`;
  const locale = version >= 170000 ? 'd.datlocale' : version >= 150000 ? 'd.daticulocale' : 'NULL';
  const rules = version >= 160000 ? 'd.daticurules' : 'NULL';
  const row = await session.one<SourceRow & Record<string, unknown>>(`
    SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
                THEN (SELECT system_identifier::text FROM pg_control_system()) END AS system_identifier,
           d.datname, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate, d.datctype,
           ${provider} AS provider, ${locale}::text AS locale, ${rules}::text AS icu_rules, pg_is_in_recovery() AS in_recovery
      FROM pg_database d WHERE d.datname = current_database()`);
  return {
    serverVersion: version,
    systemIdentifier: row.system_identifier,
    database: row.datname,
    encoding: row.encoding,
    collate: row.datcollate,
    ctype: row.datctype,
    localeProvider: providers[row.provider] ?? row.provider,
    locale: row.locale,
    icuRules: row.icu_rules,
    inRecovery: row.in_recovery,
  };
}
