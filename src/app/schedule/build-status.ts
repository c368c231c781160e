// Finds out how things stand with a store's snapshots: what is in the folder, judged by the rules. The judgement is pure; only the folder
// is read here.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { formatAge } from '../../model/units.js';
import { type Decision, due } from '../../rules/due.js';
import { measurable, overdue, type Sighting, withLog } from '../../rules/overdue.js';
import { checkPolicy, type RetentionPolicy } from '../../rules/policy.js';
import { retain } from '../../rules/retain.js';
import { describeMs, type Schedule } from '../../rules/rule.js';
import type { Listing, Repository } from '../repository/repository.js';
import type { JudgedSnapshot, Status } from './status.js';

export interface StatusCriteria {
  /** Without one, only `maxAgeMs` says how old the newest snapshot may be. */
  readonly schedule?: Schedule;
  /** Without one, everything stays. */
  readonly retention?: RetentionPolicy;
  /** Where the database was last seen. Without it, only rules by time can be judged. */
  readonly position?: Position;
  /** Why there is no position. */
  readonly unobserved?: string;
  /** The clock that ages are counted by. Default: the time of the position, else that of this machine. Give it where the position may be
   *  old, as the database cannot be reached any more. */
  readonly now?: Date;
  /** A newest good snapshot that is older is too old, whatever the rules say. */
  readonly maxAgeMs?: number;
  /** Where the newest attempt failed, for the decision. */
  readonly failed?: Position;
  readonly running?: Status['running'];
  readonly failures?: Status['failures'];
}

/** Reads the store and judges what is there.
 *  @throws TidemarkError USAGE for a schedule or a policy that cannot be followed, FILE_ERROR */
export async function buildStatus({ repository, ...criteria }: StatusCriteria & { readonly repository: Repository }): Promise<Status> {
  return judgeStatus(await repository.list(), { prefix: repository.prefix, store: repository.location, ...criteria });
}

/** The part of it that is pure, but for the default of `now`. @throws TidemarkError USAGE */
export function judgeStatus(
  { snapshots, unknown }: Listing,
  criteria: StatusCriteria & { readonly prefix: string; readonly store: string },
): Status {
  const { prefix, store, schedule, retention, position, running, failures, maxAgeMs } = criteria;
  const now = criteria.now ?? position?.at ?? new Date();
  const [newest] = snapshots;
  // A clock that was put back makes nothing younger than new.
  const ageMs = newest === undefined ? undefined : Math.max(0, now.getTime() - newest.position.at.getTime());
  const sighting: Sighting = { ...position, at: now };
  const { passedOver } = measurable(schedule?.rules ?? [], sighting);
  const decision = schedule && decide(schedule, { newest, sighting, failed: criteria.failed });
  const { healthy, reason } = judgeHealth({ newest, ageMs, maxAgeMs, schedule, sighting });
  return {
    at: now,
    prefix,
    store,
    healthy,
    reason: [reason, ...notes(criteria)].join('; '),
    ...(newest && { newest }),
    ...(ageMs !== undefined && { ageMs }),
    snapshots: judgeSnapshots(snapshots, retention),
    unknown,
    ...(position && { position }),
    ...(criteria.unobserved !== undefined && { unobserved: criteria.unobserved }),
    ...(decision && { decision }),
    ...(passedOver.length > 0 && { notJudged: passedOver.map(({ reason }) => reason) }),
    ...(running && { running }),
    ...(failures && { failures }),
  };
}

interface Health {
  readonly newest: StoredSnapshot | undefined;
  readonly ageMs: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly schedule: Schedule | undefined;
  readonly sighting: Sighting;
}

function judgeHealth({ newest, ageMs, maxAgeMs, schedule, sighting }: Health): { readonly healthy: boolean; readonly reason: string } {
  if (newest === undefined || ageMs === undefined) return { healthy: false, reason: 'there is no good snapshot' };
  const told = `the newest good snapshot, ${newest.id}, is ${formatAge(ageMs)} old`;
  if (maxAgeMs !== undefined && ageMs > maxAgeMs) return { healthy: false, reason: `${told}, more than ${describeMs(maxAgeMs)}` };
  if (schedule === undefined) return { healthy: true, reason: told };
  const late = overdue(schedule, newest.position, sighting);
  return { healthy: !late.overdue, reason: `${told}; ${late.reason}` };
}

function notes({ unobserved, failures, position, schedule }: StatusCriteria): string[] {
  const inARow = failures?.inARow ?? 0;
  return [
    ...(schedule !== undefined && position === undefined
      ? [`judged by time only${unobserved === undefined ? '' : `: ${unobserved}`}`]
      : []),
    ...(inARow === 0 ? [] : [inARow === 1 ? 'the last attempt failed' : `the last ${inARow} attempts failed`]),
  ];
}

/** What the rules say that can be judged; undefined where none can. */
function decide(
  schedule: Schedule,
  { newest, sighting, failed }: { newest: StoredSnapshot | undefined; sighting: Sighting; failed: Position | undefined },
): Decision | undefined {
  const { measured } = measurable(schedule.rules, sighting);
  if (measured.length === 0 && schedule.rules.length > 0 && newest !== undefined) return undefined;
  const rules = newest === undefined ? schedule.rules : measured;
  const last = { ...(newest && { good: newest.position }), ...(failed && { failed }) };
  return due({ ...schedule, rules }, last, withLog(sighting, newest?.position));
}

/** A policy that these snapshots do not fit lets none of them go. */
function judgeSnapshots(snapshots: readonly StoredSnapshot[], retention: RetentionPolicy | undefined): readonly JudgedSnapshot[] {
  const all = (reason: string): readonly JudgedSnapshot[] => snapshots.map((snapshot) => ({ snapshot, reasons: [reason] }));
  if (retention === undefined) return all('no policy lets it go');
  checkPolicy(retention);
  try {
    const reasons = new Map(retain(retention, snapshots).keep.map((kept) => [kept.snapshot, kept.reasons]));
    return snapshots.map((snapshot) => ({ snapshot, reasons: reasons.get(snapshot) ?? [] }));
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return all(error.message);
  }
}
