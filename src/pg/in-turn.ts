// Many statements asked of one session at once.

/** The part of a session that is needed for that. */
export interface Queryable {
  query<Row extends Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Sends statements one after the other, however many are asked for at once: the server works on the next while we look at the answer
 *  to the last. After one that fails none is sent. */
export function inTurn(session: Queryable): Queryable {
  let last: Promise<unknown> = Promise.resolve();
  return {
    query<Row extends Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]> {
      const answer = last.then(() => session.query<Row>(text, values));
      last = answer;
      // Whoever waits for this promise comes after the next statement, which waits for the other one.
      return answer.then((rows) => rows);
    },
  };
}
