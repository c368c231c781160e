// Which of the two ways a restore goes: pure. A fresh database is filled by several connections and marked as incomplete meanwhile; one
// that holds something is changed in a single transaction, so that a failure leaves what was there.
import { TidemarkError } from '../model/errors.js';
import { markerSchema, type Scope } from './marker.js';
import type { TargetState } from './target.js';

/** 'wipe': fresh, once what an interrupted restore left has been removed. */
export type Way = 'fresh' | 'wipe' | 'existing';

export interface Wish {
  /** Name of the target, for messages. */
  readonly database: string;
  /** The schema is made, not only rows put in. */
  readonly schema: boolean;
  /** 'part' where the rest of what the target holds is to stay: some tables or schemas, or in place of what the archive has. */
  readonly scope: Scope;
}

/** @throws TidemarkError TARGET_NOT_EMPTY */
export function decideWay({ database, schema, scope }: Wish, { marked, objects }: TargetState): Way {
  if (marked !== undefined && !schema) {
    throw new TidemarkError('TARGET_NOT_EMPTY', `restore rows into database ${database}: an earlier restore into it has not ended`, {
      hint: `restore schema and rows together: that clears it first (schema ${markerSchema} marks it as incomplete)`,
    });
  }
  if (!schema) return 'existing';
  if (marked !== undefined) {
    refusePart({ database, scope }, marked);
    return 'wipe';
  }
  if (objects.length === 0) return 'fresh';
  if (scope === 'part') return 'existing';
  throw new TidemarkError('TARGET_NOT_EMPTY', `restore into database ${database}: it is not empty (${objects.join(', ')}, ...)`, {
    hint: 'restore into a new database (--create), in place of this one (--swap), over its objects (--clean), or only the rows (--truncate)',
    details: { objects },
  });
}

/** What an interrupted restore left goes with all that is in the database, whoever made it. Who wants a part of an archive there may have put it
 *  to use as it is. @throws TidemarkError TARGET_NOT_EMPTY */
export function refusePart({ database, scope }: Pick<Wish, 'database' | 'scope'>, marked: Scope): void {
  if (scope === 'whole' || marked === 'part') return;
  throw new TidemarkError(
    'TARGET_NOT_EMPTY',
    `restore a part of an archive into database ${database}: an earlier restore of a whole one into it has not ended; nothing was changed`,
    {
      hint: `restore all of it, which removes everything in the database first; or, to keep it as it is, DROP SCHEMA ${markerSchema} CASCADE, and do this again`,
    },
  );
}
