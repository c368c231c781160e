// The encoding that rows travel in. UTF-8 is every session's, and the server converts; a database without an encoding (SQL_ASCII) has bytes
// that nobody can convert, and a session that asked for UTF-8 would be refused those that are none.
// https://www.postgresql.org/docs/current/multibyte.html#MULTIBYTE-SETTING
import type { Session } from './session.js';

/** Makes a session carry the rows of a SQL_ASCII database as the bytes they are. A session that reads definitions must not: they may be no
 *  text, and would be changed without a word. What is sent as UTF-8 arrives as before. */
export async function carryBytes(session: Session): Promise<void> {
  await session.query(`SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'`);
}
