// Our sessions do not wait for the disk at COMMIT; the transaction that ends a piece of work does. WAL is written in order: what waits
// for its own record has waited for everything before it, of every session.
// https://www.postgresql.org/docs/current/wal-async-commit.html

/** Within a transaction: its COMMIT waits as the server has it, and for the server's own disk where it has it off. */
export const waitForDisk = `
  SELECT set_config('synchronous_commit', CASE reset_val WHEN 'off' THEN 'local' ELSE reset_val END, true)
    FROM pg_settings WHERE name = 'synchronous_commit'`;
