// Work whose failure need not end the restore: in a transaction it leaves nothing behind, and the transaction goes on.
import type { Session } from '../pg/session.js';

/** @throws what `work` throws, once what it did is undone */
export async function withSavepoint<T>(session: Session, inTransaction: boolean, work: () => Promise<T>): Promise<T> {
  if (!inTransaction) return work();
  await session.query('SAVEPOINT tidemark');
  try {
    const result = await work();
    await session.query('RELEASE SAVEPOINT tidemark');
    return result;
  } catch (error) {
    // Where the connection is lost, this fails as well, and the first failure is the one to tell.
    await session.query('ROLLBACK TO SAVEPOINT tidemark').catch(() => undefined);
    throw error;
  }
}
