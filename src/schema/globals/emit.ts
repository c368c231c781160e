// Globals as SQL text for people and psql, as `pg_dumpall --globals-only` prints them: CREATE ROLE fails for a role that is there, and
// the ALTER ROLE after it makes it the same. Restores do not use it; they look at the target first.
import type { Catalog } from '../../model/catalog.js';
import type { GlobalRole } from '../../model/globals.js';
import {
  alterRole,
  attributeClauses,
  commentOn,
  createRole,
  createTablespace,
  grantMembership,
  labelsOn,
  roleSettings,
  setPassword,
  tablespaceProperties,
} from '../../pg/globals-sql.js';
import { quoteIdentifier } from '../../pg/quote.js';

const preamble = [
  'SET default_transaction_read_only = off',
  'SET standard_conforming_strings = on',
  // Instants of VALID UNTIL name their zone, but a month must not be taken for a day.
  "SET DateStyle = 'ISO'",
];

/** Every server has a bootstrap superuser, and it may have another name there. */
function roleStatements(role: GlobalRole): readonly string[] {
  const { rolname, rolpassword, comment, labels, bootstrap } = role;
  return [
    ...(bootstrap ? [] : [createRole(rolname)]),
    ...alterRole(rolname, attributeClauses(role)),
    ...(rolpassword == null ? [] : [setPassword(rolname, rolpassword)]),
    ...commentOn(`ROLE ${quoteIdentifier(rolname)}`, comment),
    ...labelsOn(`ROLE ${quoteIdentifier(rolname)}`, labels),
  ];
}

/** SQL text; empty where a catalog has none. Comments are fixed words, never names: a newline in a name would end them (CVE-2025-8715). */
export function emitGlobals({ globals, textEncoding = 'UTF8' }: Pick<Catalog, 'globals' | 'textEncoding'>): string {
  if (globals === undefined) return '';
  const { roles, settings, memberships, parameters, tablespaces } = globals;
  // A setting may name another role.
  const groups = [
    ...roles.map(roleStatements),
    [...roles.flatMap((role) => roleSettings(role.rolname, role.settings)), ...roleSettings(null, settings)],
    memberships.map(grantMembership),
    parameters.flatMap(({ statements }) => statements),
    ...tablespaces.map((tablespace) => [...createTablespace(tablespace), ...tablespaceProperties(tablespace)]),
  ];
  const blocks = [[`SET client_encoding = '${textEncoding}'`, ...preamble], ...groups].filter((statements) => statements.length > 0);
  const texts = blocks.map((statements) => statements.map((statement) => `${statement};\n`).join(''));
  return `-- tidemark: roles and tablespaces of the server\n\n${texts.join('\n')}`;
}
