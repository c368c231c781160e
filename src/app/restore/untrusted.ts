// A restore from somebody one does not trust: which options go with it, the proof of the whole archive before anything is sent, what of it is
// let in, and as whom. What is plain is decided in src/untrusted; docs/untrusted.md is the page for users.
import { untrustedJsonLimits } from '../../archive/json-bounds.js';
import type { Catalog } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { LeftOut } from '../../model/manifest.js';
import type { Session } from '../../pg/session.js';
import { openMaintenance } from '../../restore/database.js';
import type { Sessions } from '../../restore/sessions.js';
import { inspectTarget } from '../../restore/target.js';
import { type Admitted, admit, checkLimits, type Suspect } from '../../untrusted/admit.js';
import { type Allowance, allowances } from '../../untrusted/allowance.js';
import { abortReason } from '../abort.js';
import { refuse, refuseBoth } from '../common-options.js';
import { openSealed } from '../seal/open-sealed.js';
import { verifySealed } from '../seal/verify-sealed.js';
import type { RestoreOptions, RestoreSettings } from './options.js';
import type { RestoreSource } from './source.js';

export type { Allowance, Suspect };

/** What is let in although it runs code of the archive's. */
export interface UntrustedOptions {
  readonly allow?: readonly Allowance[];
}

/** What runs code in an untrusted archive. */
export type UntrustedReport = Pick<Admitted, 'leftOut' | 'allowed'>;

const exclusive = ['clean', 'create', 'globals', 'truncate', 'dataOnly', 'sections'] as const;

/** @returns undefined: the archive is trusted. @throws TidemarkError USAGE */
export function settleUntrusted(options: RestoreOptions): ReadonlySet<Allowance> | undefined {
  const { untrusted, file } = options;
  if (untrusted === undefined || untrusted === false) return undefined;
  for (const other of exclusive) refuseBoth(options, ['untrusted', other], 'restore');
  refuse(
    typeof file !== 'string',
    'restore: untrusted needs a file or a store: all of the archive is verified before anything is sent, and a pipe could not be read again',
  );
  const allow = untrusted === true ? [] : (untrusted.allow ?? []);
  for (const word of allow)
    refuse(!allowances.includes(word), `restore: ${word} cannot be allowed of an untrusted archive: it is one of ${allowances.join(', ')}`);
  return new Set(allow);
}

/** Reads and checks every byte. Nothing was sent to any server before. @throws TidemarkError ARCHIVE_*, SIGNATURE_*, FILE_ERROR */
export async function verifyUntrusted({ file, place, trust, emit, signal }: RestoreSettings): Promise<string> {
  if (typeof file !== 'string') throw new TidemarkError('INTERNAL', 'restore: an untrusted archive from a pipe');
  const listening = { onEvent: emit, ...(signal && { signal }) };
  try {
    const opened = await openSealed(file, { ...trust, ...place, ...listening });
    const { manifestText } = await verifySealed(opened, { ...listening, others: false, limits: untrustedJsonLimits });
    return manifestText;
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}

/** What is read from now on is what was verified: its chunks are compared with this manifest one by one.
 *  @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_INVALID */
export function checkSame(verified: string, { manifest, manifestText, catalog }: RestoreSource): void {
  if (manifest === undefined || manifestText !== verified) {
    throw new TidemarkError('ARCHIVE_CORRUPT', 'restore an untrusted archive: it became another one while it was verified', {
      hint: 'copy it to this machine first, with tidemark pull, and restore the copy',
    });
  }
  if (manifest.archives !== undefined) {
    const [first] = manifest.archives;
    throw new TidemarkError('ARCHIVE_INVALID', `restore an untrusted archive: part of its rows is in another one, ${first?.file}`, {
      hint: 'only an archive that is whole is restored from strangers: a stranger would say which files are opened',
    });
  }
  checkLimits(catalog);
}

/** The plain part of the catalog. Tells what is left out, and what is in because it is allowed. */
export function admitUntrusted(catalog: Catalog, allow: ReadonlySet<Allowance>, { emit }: RestoreSettings): Admitted {
  const admitted = admit(catalog, allow);
  for (const suspect of admitted.leftOut) emit({ type: 'left-out', object: told(suspect) });
  for (const { kind, name, reason } of admitted.allowed)
    emit({ type: 'notice', message: `allowed of an untrusted archive: ${kind} ${name}: ${reason}` });
  return admitted;
}

export function told({ kind, name, reason }: Suspect): LeftOut {
  return { kind, name, reason };
}

/** The role, and the database that it restores into. @throws TidemarkError ROLE_UNSAFE, TARGET_NOT_EMPTY */
export async function checkUntrustedTarget({ connection, swap }: RestoreSettings, sessions: Sessions): Promise<void> {
  const { database } = connection;
  const session = swap ? sessions.adopt(await openMaintenance(connection, database, sessions)) : await sessions.open(database);
  try {
    await refusePowers(session, database);
    if (swap) return;
    const { marked, objects } = await inspectTarget(session);
    if (marked || objects.length === 0) return;
    throw new TidemarkError(
      'TARGET_NOT_EMPTY',
      `restore an untrusted archive into database ${database}: it is not empty (${objects.join(', ')}, ...)`,
      {
        hint: 'restore into an empty database, or in place of this one with --swap, so that nothing of the archive mixes with what is yours',
        details: { objects },
      },
    );
  } finally {
    await sessions.close(session);
  }
}

/** Roles that reach beyond the database, and those that can become them. A code that got through could go back to the role that connected. */
const powers = `
  SELECT r.rolname AS role,
         CASE WHEN r.rolsuper THEN 'a superuser' WHEN r.rolcreaterole THEN 'a role with CREATEROLE'
              WHEN r.rolreplication THEN 'a role with REPLICATION' ELSE r.rolname END AS power,
         session_user::text AS connected
    FROM pg_roles r
   WHERE (pg_has_role(session_user, r.oid, 'MEMBER') OR pg_has_role(current_user, r.oid, 'MEMBER'))
     AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication
          OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend',
                           'pg_create_subscription', 'pg_write_all_data'))
   ORDER BY r.rolname = session_user DESC, r.rolsuper DESC, r.rolname
   LIMIT 1`;

async function refusePowers(session: Session, database: string): Promise<void> {
  const [found] = await session.query<{ role: string; power: string; connected: string }>(powers);
  if (found === undefined) return;
  const { role, power, connected } = found;
  const is = role === connected ? `is ${power}` : `can become ${role}${power === role ? '' : `, ${power}`}`;
  throw new TidemarkError('ROLE_UNSAFE', `restore an untrusted archive into database ${database}: ${connected} ${is}`, {
    hint:
      'connect as a role that can do nothing else: CREATE ROLE loader LOGIN PASSWORD ...; CREATE DATABASE ... OWNER loader; ' +
      'for --swap it needs CREATEDB, too',
    details: { role: connected, power },
  });
}
