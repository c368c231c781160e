// The server settings of a restore from its own side: how much is to come, and what is said when they cannot be put back.
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { openSession } from '../../pg/session.js';
import type { Plan } from '../../restore/plan.js';
import { type ServerTuning, tuneServer, tuningLeft } from '../../restore/tuning/server.js';
import type { RestoreSettings } from './options.js';

export function tuneFor(plan: Plan, { connection, emit }: RestoreSettings): Promise<ServerTuning | undefined> {
  return tuneServer(connection, { rawBytes: bytesOf(plan), emit });
}

/** Of the rows that a plan loads; undefined where a pipe has not told yet. */
function bytesOf(plan: Plan): bigint | undefined {
  let bytes = 0n;
  for (const action of plan) {
    if (action.action !== 'rows') continue;
    for (const { chunks } of action.loads) {
      if (chunks === undefined) return undefined;
      for (const { rawBytes } of chunks) bytes += rawBytes;
    }
  }
  return bytes;
}

/** A server that stays tuned is nothing to be silent about, although the restore itself is done. */
export async function putBackAfterSuccess(tuning: ServerTuning | undefined, database: string): Promise<void> {
  try {
    await tuning?.putBack();
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const { code, message, hint, details } = error;
    throw new TidemarkError(code, `${message}; database ${database} is complete`, {
      details,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The failure is what the caller has to know; this comes beside it. */
export async function putBackAfterFailure(tuning: ServerTuning | undefined, emit: EventListener): Promise<void> {
  try {
    await tuning?.putBack();
  } catch (error) {
    const { message, hint } = error as TidemarkError;
    emit({ type: 'notice', message: hint === undefined ? message : `${message} (${hint})` });
  }
}

/** Says that another restore, which did not end, has left its settings. They are not ours to change. */
export async function tellTuningLeft({ connection, emit }: RestoreSettings): Promise<void> {
  const { role: _, ...plain } = connection;
  await using session = await openSession(plain, { use: 'read', applicationName: 'tidemark restore look' });
  const since = await tuningLeft(session);
  if (since === undefined) return;
  emit({ type: 'notice', message: `a restore that set server settings at ${since} did not end: put them back with tidemark untune` });
}
