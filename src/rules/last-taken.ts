// Which snapshot the next one is measured from: the one that was taken last. That need not be the newest, by order.ts: a database may have
// been put back to a lower height, a clock to an earlier time, and snapshots of another server may have been copied beside one's own. Pure.
import { measuresOf, type Ordered } from './order.js';

/** What a process has made itself, and what there was by then: of that nothing was taken later. */
export interface Own {
  readonly id: string;
  readonly before: ReadonlySet<string>;
}

/** The snapshot that was taken last, as far as that can be known. What `own` names counts as later than all that was there before it,
 *  whatever positions say, so that who has just taken a snapshot never measures from another one. Besides, of one server the write-ahead
 *  log decides; else the time, where one that lies ahead of `now` comes last. */
export function lastTaken<S extends Ordered>(
  snapshots: readonly S[],
  { now, own }: { readonly now: Date; readonly own?: Own | undefined },
): S | undefined {
  const mine = own && snapshots.find(({ id }) => id === own.id);
  const rivals = mine ? snapshots.filter(({ id, system }) => !own.before.has(id) && system === mine.system) : snapshots;
  const { byLog } = measuresOf(rivals);
  return rivals.reduce<S | undefined>((last, one) => (last === undefined || isLater(one, last) ? one : last), undefined);

  function isLater(a: Ordered, b: Ordered): boolean {
    if (byLog && a.position.lsn !== b.position.lsn) return a.position.lsn > b.position.lsn;
    const [aheadA, aheadB] = [isAhead(a), isAhead(b)];
    if (aheadA !== aheadB) return aheadB;
    const ms = a.position.at.getTime() - b.position.at.getTime();
    return ms === 0 ? a.id > b.id : ms > 0;
  }

  function isAhead({ id, position }: Ordered): boolean {
    return id !== mine?.id && position.at > now;
  }
}
