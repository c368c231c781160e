// What can be known before the first change: roles and extensions that the steps name, versions, encodings. All that is missing is
// listed in one error, so that nobody finds it piece by piece.
import type { Catalog } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { SourceInfo } from '../model/manifest.js';
import type { Session } from '../pg/session.js';

/** @param coming roles that the restore itself makes
 *  @throws TidemarkError TARGET_MISMATCH listing every role and extension that the server does not have */
export async function checkPrerequisites(session: Session, catalog: Catalog, coming: ReadonlySet<string> = new Set()): Promise<void> {
  const roles = new Set(catalog.steps.flatMap((step) => step.roles ?? []));
  await checkPresent(session, { roles: [...roles].filter((role) => !coming.has(role)), extensions: extensionsOf(catalog) });
}

/** @throws TidemarkError TARGET_MISMATCH listing what the server does not have */
export async function checkPresent(
  session: Session,
  { roles, extensions }: { readonly roles: readonly string[]; readonly extensions: readonly string[] },
): Promise<void> {
  const missingRoles = await session.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS wanted (name)
      WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.name) ORDER BY name`,
    [roles],
  );
  const missingExtensions = await session.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS wanted (name)
      WHERE NOT EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = wanted.name) ORDER BY name`,
    [extensions],
  );
  const problems = [...missingRoles.map(({ name }) => `role ${name}`), ...missingExtensions.map(({ name }) => `extension ${name}`)];
  if (problems.length === 0) return;
  const hints = [
    ...(missingRoles.length > 0
      ? ['create the roles first (an archive with --globals can do that), or use --no-owner --no-privileges']
      : []),
    ...(missingExtensions.length > 0 ? ["install the extensions' packages on the target server"] : []),
  ];
  throw new TidemarkError('TARGET_MISMATCH', `restore: the target server does not have ${problems.join(', ')}`, {
    hint: hints.join('; '),
    details: { roles: missingRoles.map(({ name }) => name), extensions: missingExtensions.map(({ name }) => name) },
  });
}

/** Extensions that the catalog's steps make. */
export function extensionsOf(catalog: Catalog): readonly string[] {
  const made = new Set(catalog.steps.filter(({ facet }) => facet === 'definition').map(({ object }) => object));
  return catalog.objects.filter(({ id, kind }) => kind === 'extension' && made.has(id)).map(({ name }) => name);
}

/** What is worth a notice about a server older than the source. */
export function versionNotices(source: SourceInfo, serverVersion: number): readonly string[] {
  const major = (version: number) => Math.floor(version / 10000);
  if (major(serverVersion) >= major(source.serverVersion)) return [];
  return [
    `the archive comes from PostgreSQL ${major(source.serverVersion)}, the target is PostgreSQL ${major(serverVersion)}: ` +
      'what the older one does not know will fail',
  ];
}

/** Rows travel in the encoding of the source and are converted by the target's server, where it can.
 *  @returns notices
 *  @throws TidemarkError TARGET_MISMATCH where characters of the source have no place in the target */
export function checkEncoding(source: string, target: string): readonly string[] {
  if (source === target) return [];
  if (source === 'SQL_ASCII')
    return [`the archive comes from a database without an encoding (SQL_ASCII): bytes that are not ${target} will fail`];
  if (target === 'UTF8' && source !== 'MULE_INTERNAL') return [];
  throw new TidemarkError('TARGET_MISMATCH', `restore: the archive is of a database in ${source}, the target is in ${target}`, {
    hint: `create the target with ENCODING '${source}' TEMPLATE template0, or let --create do it`,
    details: { source, target },
  });
}
