// The session beside the one that has the view: it describes the tables in the same view while the other reads the schema, and shows then
// what is there now, for comparison. It is opened while the other one locks.
import { openSession, type Session } from '../../pg/session.js';
import { importSnapshot, inTheWay } from '../../snapshot/import-snapshot.js';
import { describeMoment, type Moment, type View } from '../../snapshot/view.js';
import type { SnapshotPlan } from './options.js';

export class CheckSession implements AsyncDisposable {
  readonly #opened: Promise<Session>;
  #idle: Promise<Session>;
  #closed: Promise<void> | undefined;

  constructor({ connection, encoding, signal }: Pick<SnapshotPlan, 'connection' | 'encoding' | 'signal'>) {
    this.#opened = openSession(connection, { use: 'read', encoding, applicationName: 'tidemark check', signal });
    this.#opened.catch(() => undefined);
    this.#idle = this.#opened;
  }

  /** The session, once it is in no transaction. Rejects where what it did before has failed. */
  get idle(): Promise<Session> {
    return this.#idle;
  }

  /** Describes the tables of a moment, in a transaction of its own.
   *  @throws TidemarkError CONCURRENT_DDL when they changed before the moment, or somebody waits for a lock on one */
  describe(moment: Moment, options: Parameters<typeof describeMoment>[2]): Promise<View> {
    const described = this.#opened.then((session) => describeIn(session, moment, options));
    this.#idle = described.then(() => this.#opened);
    this.#idle.catch(() => undefined);
    return described;
  }

  /** Ends it, also while it is being opened. */
  close(): Promise<void> {
    this.#closed ??= this.#opened.then(
      (session) => session[Symbol.asyncDispose](),
      () => undefined,
    );
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function describeIn(session: Session, moment: Moment, options: Parameters<typeof describeMoment>[2]): Promise<View> {
  await importSnapshot(session, moment.snapshotId);
  try {
    const view = await describeMoment(session, moment, options);
    await session.query('COMMIT');
    return view;
  } catch (error) {
    throw inTheWay('the tables', error) ?? error;
  }
}
