// Many statements asked of one session at once.

/** The part of a session that is needed for that. */
export interface Queryable {
  query<Row extends Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Statements that the server has, or has answered without that we looked at it: it works on the next while we look at the answer to the
 *  last, and no more answers than these wait in memory. */
const atOnce = 2;

/** Sends statements one after the other, however many are asked for at once; where the session is pipelined, each before the answer to the
 *  one before it. After one that fails none is sent, and that failure is what all that come after it throw. */
export function inTurn(session: Queryable): Queryable {
  const nothing: Promise<unknown> = Promise.resolve();
  /** Answers to the last ones. */
  let last: readonly Promise<unknown>[] = Array.from({ length: atOnce }, () => nothing);
  let failed: { readonly error: unknown } | undefined;
  return {
    query<Row extends Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]> {
      const [before = nothing, ...rest] = last;
      const answer = before
        .then(() => session.query<Row>(text, values))
        .catch((error: unknown) => {
          // The server refuses what was on its way already: the transaction has failed.
          failed ??= { error };
          throw failed.error;
        });
      last = [...rest, answer];
      // Whoever waits for this promise comes after the next statement, which waits for the other one.
      return answer.then((rows) => rows);
    },
  };
}
