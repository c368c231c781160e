// Statements that make roles, memberships and tablespaces, or make those of one server like those of another. Pure; what is run on which
// server, and what is better left as it is, is decided elsewhere.
// https://www.postgresql.org/docs/current/sql-alterrole.html
import type { GlobalRole, Label, Membership, Tablespace } from '../model/globals.js';
import { settingClause } from './database-properties.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';

/** The attributes of a role that CREATE ROLE has made. */
export const newRole = {
  rolsuper: false,
  rolinherit: true,
  rolcreaterole: false,
  rolcreatedb: false,
  rolcanlogin: false,
  rolreplication: false,
  rolbypassrls: false,
  rolconnlimit: -1,
  rolvaliduntil: null,
} as const satisfies RoleAttributes;

export type RoleAttributes = Omit<GlobalRole, 'rolname' | 'rolpassword' | 'bootstrap' | 'comment' | 'labels' | 'settings'>;

const words = {
  rolsuper: 'SUPERUSER',
  rolinherit: 'INHERIT',
  rolcreaterole: 'CREATEROLE',
  rolcreatedb: 'CREATEDB',
  rolcanlogin: 'LOGIN',
  rolreplication: 'REPLICATION',
  rolbypassrls: 'BYPASSRLS',
} as const;

/** `SUPERUSER NOINHERIT ... CONNECTION LIMIT 3`: every attribute, or those that differ from `current`. Who may not give an attribute may not
 *  mention it either. */
export function attributeClauses(role: RoleAttributes, current?: RoleAttributes): readonly string[] {
  const flags = Object.keys(words) as (keyof typeof words)[];
  const changed = flags.filter((name) => role[name] !== current?.[name]);
  const { rolconnlimit, rolvaliduntil } = current ?? newRole;
  // There is no way back to none.
  const until = role.rolvaliduntil ?? (rolvaliduntil === null ? null : 'infinity');
  return [
    ...changed.map((name) => `${role[name] ? '' : 'NO'}${words[name]}`),
    ...(role.rolconnlimit === rolconnlimit ? [] : [`CONNECTION LIMIT ${role.rolconnlimit}`]),
    ...(until === null || until === rolvaliduntil ? [] : [`VALID UNTIL ${quoteLiteral(until)}`]),
  ];
}

export function createRole(name: string): string {
  return `CREATE ROLE ${quoteIdentifier(name)}`;
}

export function alterRole(name: string, clauses: readonly string[]): readonly string[] {
  return clauses.length === 0 ? [] : [`ALTER ROLE ${quoteIdentifier(name)} WITH ${clauses.join(' ')}`];
}

/** The hash as it is: the server takes one for what it is. */
export function setPassword(name: string, hash: string): string {
  return `ALTER ROLE ${quoteIdentifier(name)} WITH PASSWORD ${quoteLiteral(hash)}`;
}

/** @param name null: every role */
export function roleSettings(name: string | null, settings: readonly string[]): readonly string[] {
  return settings.map((entry) => `ALTER ROLE ${name === null ? 'ALL' : quoteIdentifier(name)} ${settingClause(entry)}`);
}

/** @param on `ROLE "r"` */
export function commentOn(on: string, comment: string | null): readonly string[] {
  return comment === null ? [] : [`COMMENT ON ${on} IS ${quoteLiteral(comment)}`];
}

export function labelsOn(on: string, labels: readonly Label[]): readonly string[] {
  return labels.map(({ provider, label }) => `SECURITY LABEL FOR ${quoteIdentifier(provider)} ON ${on} IS ${quoteLiteral(label)}`);
}

/** Without a grantor it is recorded as the bootstrap superuser's where a superuser runs it. */
export function grantMembership({ role, member, grantor, admin, inherit, set }: Membership): string {
  const options =
    inherit === null || set === null
      ? admin
        ? ' WITH ADMIN OPTION'
        : ''
      : ` WITH ADMIN ${word(admin)}, INHERIT ${word(inherit)}, SET ${word(set)}`;
  const by = grantor === null ? '' : ` GRANTED BY ${quoteIdentifier(grantor)}`;
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${options}${by}`;
}

function word(value: boolean): string {
  return value ? 'TRUE' : 'FALSE';
}

/** `my.parameter` -> `"my"."parameter"` */
export function parameterName(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}

/** CREATE TABLESPACE, which no transaction block may have around it. One inside of the data directory has to be allowed first.
 *  https://www.postgresql.org/docs/current/runtime-config-developer.html#GUC-ALLOW-IN-PLACE-TABLESPACES */
export function createTablespace({ spcname, owner, location }: Tablespace): readonly string[] {
  const by = owner === null ? '' : ` OWNER ${quoteIdentifier(owner)}`;
  const create = `CREATE TABLESPACE ${quoteIdentifier(spcname)}${by} LOCATION ${quoteLiteral(location)}`;
  return location === '' ? ['SET allow_in_place_tablespaces = on', create, 'RESET allow_in_place_tablespaces'] : [create];
}

/** All of a tablespace that can be changed later. */
export function tablespaceProperties({ spcname, options, comment, labels, privileges }: Tablespace): readonly string[] {
  const on = `TABLESPACE ${quoteIdentifier(spcname)}`;
  const settings = options.map((entry) => {
    const at = entry.indexOf('=');
    return `${quoteIdentifier(entry.slice(0, at))} = ${quoteLiteral(entry.slice(at + 1))}`;
  });
  return [
    ...(settings.length === 0 ? [] : [`ALTER ${on} SET (${settings.join(', ')})`]),
    ...privileges,
    ...commentOn(on, comment),
    ...labelsOn(on, labels),
  ];
}
