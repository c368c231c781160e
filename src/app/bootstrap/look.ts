// What the database of a node looks like before anything is done to it: whether it is there, holds something, is whole, and where it stands.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { sqlstateOf } from '../../pg/errors.js';
import { openSession, type Session } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { inspectTarget } from '../../restore/target.js';
import type { DatabaseState } from '../../rules/start.js';
import { observePosition } from '../../snapshot/observe.js';
import { type PositionQueries, readFlag } from '../../snapshot/position-queries.js';

export interface LookOptions {
  readonly connection: ConnectionSettings;
  /** SQL of the host's: true where what the database holds is not right. */
  readonly invalid: string | undefined;
  readonly position: PositionQueries;
  readonly signal: AbortSignal | undefined;
}

export type Seen =
  | { readonly state: Exclude<DatabaseState, 'healthy'> }
  /** Where a healthy one stands. */
  | { readonly state: 'healthy'; readonly position: Position };

/** Looks; changes nothing. @throws TidemarkError POSITION_INVALID where a query of the caller's cannot say, CONNECTION_*, ... */
export async function lookAtDatabase({ connection, invalid, position, signal }: LookOptions): Promise<Seen> {
  await using session = await openIfThere(connection, signal);
  if (session === undefined) return { state: 'missing' };
  const { marked, objects } = await inspectTarget(session);
  if (marked) return { state: 'incomplete' };
  if (objects.length === 0) return { state: 'empty' };
  try {
    if (invalid !== undefined && (await readFlag(session, { option: 'invalid query', text: invalid }))) return { state: 'invalid' };
    return { state: 'healthy', position: await observePosition(session, position) };
  } catch (error) {
    throw withContents(error, { database: connection.database, objects });
  }
}

async function openIfThere(connection: ConnectionSettings, signal: AbortSignal | undefined): Promise<Session | undefined> {
  try {
    return await openSession(connection, { use: 'read', applicationName: 'tidemark bootstrap', ...(signal ? { signal } : {}) });
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'DATABASE_MISSING') return undefined;
    throw error;
  }
}

/** Of a database that has not what the caller's query asks for nobody can say whether it may be replaced. */
function withContents(error: unknown, { database, objects }: { readonly database: string; readonly objects: readonly string[] }): unknown {
  if (!(error instanceof TidemarkError) || error.code !== 'POSITION_INVALID') return error;
  const sqlstate = sqlstateOf(error.cause);
  if (sqlstate !== '42P01' && sqlstate !== '3F000') return error;
  return new TidemarkError('POSITION_INVALID', `look at database ${database}: ${error.message}; it holds ${objects.join(', ')}, ...`, {
    hint: 'see that it is the right database, and the query qualified or its schema on the search_path; an empty database is restored into',
    details: { ...error.details, objects },
    cause: error,
  });
}
