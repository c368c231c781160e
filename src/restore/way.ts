// Which of the two ways a restore goes: pure. A fresh database is filled by several connections and marked as incomplete meanwhile; one
// that holds something is changed in a single transaction, so that a failure leaves what was there.
import { TidemarkError } from '../model/errors.js';
import { markerSchema } from './marker.js';
import type { TargetState } from './target.js';

/** 'wipe': fresh, once what an interrupted restore left has been removed. */
export type Way = 'fresh' | 'wipe' | 'existing';

export interface Wish {
  /** Name of the target, for messages. */
  readonly database: string;
  /** The schema is made, not only rows put in. */
  readonly schema: boolean;
  readonly clean: boolean;
  /** Only some tables or schemas. */
  readonly selected: boolean;
}

/** @throws TidemarkError TARGET_NOT_EMPTY */
export function decideWay({ database, schema, clean, selected }: Wish, { marked, objects }: TargetState): Way {
  if (marked && !schema) {
    throw new TidemarkError('TARGET_NOT_EMPTY', `restore rows into database ${database}: an earlier restore into it has not ended`, {
      hint: `restore schema and rows together: that clears it first (schema ${markerSchema} marks it as incomplete)`,
    });
  }
  if (!schema) return 'existing';
  if (marked) return 'wipe';
  if (objects.length === 0) return 'fresh';
  if (clean || selected) return 'existing';
  throw new TidemarkError('TARGET_NOT_EMPTY', `restore into database ${database}: it is not empty (${objects.join(', ')}, ...)`, {
    hint: 'restore into a new database (--create), in place of this one (--swap), over its objects (--clean), or only the rows (--truncate)',
    details: { objects },
  });
}
