// What the plan of a restore is made from, and what it says.
import type { Catalog } from '../../model/catalog.js';
import type { Session } from '../../pg/session.js';
import type { DatabaseLocale } from '../../restore/database.js';
import type { GlobalsReport } from '../../restore/globals.js';
import type { Plan } from '../../restore/plan.js';
import type { Sessions } from '../../restore/sessions.js';
import type { SwapNames } from '../../restore/swap.js';
import type { RestoreSource } from './source.js';

export interface RestorePlan {
  readonly plan: Plan;
  /** The database that has the contents in the end. */
  readonly database: string;
  /** The one that they are put into: another one where it is to be swapped. */
  readonly contents: string;
  readonly maintenance?: Session;
  readonly locale?: DatabaseLocale;
  readonly tablespace?: string;
  readonly names?: SwapNames;
  readonly globals?: GlobalsReport;
}

export interface Given {
  readonly source: RestoreSource;
  readonly catalog: Catalog;
  readonly sessions: Sessions;
}

/** And what the restore makes on the server before everything else. */
export interface GivenGlobals extends Given {
  readonly coming: { readonly roles: ReadonlySet<string>; readonly tablespaces: ReadonlySet<string> };
}
