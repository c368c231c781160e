// Opens sessions with every setting that our reading and writing relies on, whatever the role or database has stored, and runs
// statements on them. One factory for control connection, workers and maintenance, so that TLS and settings are never forgotten.
import type pg from 'pg';
import { decodeText, encodeText } from '../model/byte-text.js';
import { TidemarkError } from '../model/errors.js';
import { Batch } from './batch.js';
import { type ConnectOptions, connectClient, streamOf } from './connect.js';
import { isServerError, queryError, sqlstateOf } from './errors.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';
import { type ConnectionSettings, describeConnection } from './settings.js';

/** What a session is for. 'read' sessions never change anything; 'write' sessions restore. */
export type SessionUse = 'read' | 'write';

/** Settings of every session, with the first server version (`server_version_num`) that has them.
 *  search_path: or deparsed names come out unqualified (CVE-2018-1058); row_security off: a filtered table is an error, not fewer rows;
 *  jit off: queries over large catalogs look expensive, and compiling them takes longer than running them;
 *  the timeouts: a stored role or database setting would apply to us; synchronize_seqscans off keeps the physical order of rows;
 *  restrict_nonsystem_relation_kind: CVE-2024-7348; client_connection_check_interval: a dead client is noticed during long work. */
const settings: readonly (readonly [name: string, value: string, uses: readonly SessionUse[], since: number])[] = [
  ['search_path', '', ['read', 'write'], 0],
  ['standard_conforming_strings', 'on', ['read', 'write'], 0],
  ['DateStyle', 'ISO', ['read', 'write'], 0],
  ['IntervalStyle', 'postgres', ['read', 'write'], 0],
  ['TimeZone', 'UTC', ['read', 'write'], 0],
  ['extra_float_digits', '3', ['read', 'write'], 0],
  ['bytea_output', 'hex', ['read', 'write'], 0],
  ['lc_monetary', 'C', ['read', 'write'], 0],
  ['row_security', 'off', ['read', 'write'], 0],
  ['statement_timeout', '0', ['read', 'write'], 0],
  ['lock_timeout', '0', ['read', 'write'], 0],
  ['idle_in_transaction_session_timeout', '0', ['read', 'write'], 0],
  ['idle_session_timeout', '0', ['read', 'write'], 140000],
  ['transaction_timeout', '0', ['read', 'write'], 170000],
  ['client_connection_check_interval', '5s', ['read', 'write'], 140000],
  ['quote_all_identifiers', 'on', ['read'], 0],
  ['synchronize_seqscans', 'off', ['read'], 0],
  ['jit', 'off', ['read'], 0],
  ['xmloption', 'content', ['read', 'write'], 0],
  ['check_function_bodies', 'off', ['write'], 0],
  ['client_min_messages', 'warning', ['read', 'write'], 0],
  ['default_transaction_read_only', 'off', ['write'], 0],
  ['default_tablespace', '', ['write'], 0],
  ['default_table_access_method', 'heap', ['write'], 0],
  ['transform_null_equals', 'off', ['write'], 0],
  ['synchronous_commit', 'off', ['write'], 0],
  ['session_replication_role', 'origin', [], 0],
];

/** The oldest server that is read or written. */
export const oldestServer = 140000;

export { streamOf };

/** What is known of a session once it is set up. */
interface Opened extends Pick<Session, 'version' | 'serverEncoding' | 'encoding'> {
  readonly where: string;
  readonly role?: string | undefined;
}

/** An open connection with our settings. Close it with `close()`; `destroy()` cuts the socket when the protocol is in the middle of
 *  something (a COPY) that cannot be ended in order. */
export class Session implements AsyncDisposable {
  readonly client: pg.Client;
  readonly version: number;
  /** Encoding of the database. */
  readonly serverEncoding: string;
  /** Encoding that strings are in, those of statements and of results: UTF8, or that of the bytes in them (model/byte-text.ts). */
  readonly encoding: string;
  readonly #where: string;
  /** The role that the session goes back to with RESET ROLE, where it is not the one that connected. */
  readonly #role: string | undefined;
  /** The client_encoding of the server's session. */
  #clientEncoding: string;
  /** Rejects when the connection is lost, with the server's reason: for work that does not use the session, and is worth nothing without it. */
  readonly lost: Promise<never>;
  #lost: Error | undefined;
  /** Statements that were not answered yet. */
  #underWay = 0;

  constructor(client: pg.Client, { version, serverEncoding, encoding, where, role }: Opened) {
    this.client = client;
    this.version = version;
    this.serverEncoding = serverEncoding;
    this.encoding = encoding;
    this.#clientEncoding = encoding;
    this.#where = where;
    this.#role = role;
    this.lost = new Promise((_, reject) => {
      client.on('error', (error) => {
        // The server's reason comes first, the end of the socket after it.
        this.#lost ??= error;
        reject(queryError(this.#lost, '', where));
      });
    });
    this.lost.catch(() => undefined);
  }

  /** Runs one statement through the extended protocol (a second one in the text is refused by the server) and gives its rows. After RESET
   *  ROLE the session is again the role that its connection settings name.
   *  @throws TidemarkError with SQLSTATE in `details.sqlstate` */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.#lost) throw queryError(this.#lost, text, this.#where);
    try {
      const config = { text: await this.#send(text), values: [...values], queryMode: 'extended' as const };
      return (await this.#run(this.client.query<Row>(config))).rows;
    } catch (error) {
      throw queryError(error, text, this.#where);
    }
  }

  /** Runs statements in one transaction, or as part of the one that is open, without waiting for the answer to each; what they return is not
   *  looked at. Each has to be one that a transaction may have. RESET ROLE is as in `query`. After a failure none is done, where no transaction was open.
   *  @throws TidemarkError of the first that failed, without saying which it is */
  async queryTogether(texts: readonly string[]): Promise<void> {
    if (this.#lost) throw queryError(this.#lost, '', this.#where);
    try {
      const spelled: string[] = [];
      for (const text of texts) spelled.push(await this.#send(text));
      const batch = new Batch(spelled);
      this.client.query(batch);
      await this.#run(batch.done);
    } catch (error) {
      throw queryError(error, '', this.#where);
    }
  }

  /** Like `query`, for statements of users: each row is the list of its values, as their columns may have the same name, or none. */
  async values(text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
    if (this.#lost) throw queryError(this.#lost, text, this.#where);
    try {
      const config = { text, values: [...values], queryMode: 'extended' as const, rowMode: 'array' as const };
      return (await this.#run(this.client.query<unknown[]>(config))).rows;
    } catch (error) {
      throw queryError(error, text, this.#where);
    }
  }

  /** Makes the rows of COPY travel in another encoding than statements: the server converts on its side of them, or not at all.
   *  Default: back to that of statements. @throws TidemarkError TARGET_MISMATCH where the server cannot convert */
  async carryRows(encoding = this.encoding): Promise<void> {
    if (encoding === this.#clientEncoding) return;
    try {
      await this.query(`SELECT set_config('client_encoding', $1, false)`, [encoding]);
    } catch (error) {
      throw unconvertible(error, { encoding, serverEncoding: this.serverEncoding, where: this.#where });
    }
    this.#clientEncoding = encoding;
  }

  /** A statement as the server reads it while rows travel in another encoding: it takes the statement's bytes for that one, too. */
  async spell(text: string): Promise<string> {
    const encoding = this.#clientEncoding;
    // ASCII is the same in every encoding of a server.
    if (encoding === this.encoding || this.encoding !== 'UTF8' || encoding === 'SQL_ASCII' || /^\p{ASCII}*$/u.test(text)) return text;
    const sql = `SELECT convert($1::bytea, 'UTF8', '${encoding}') AS bytes`;
    const { rows } = await this.client.query<{ bytes: Buffer }>({ text: sql, values: [encodeText(text)] });
    return decodeText(rows[0]?.bytes ?? Buffer.alloc(0));
  }

  /** What is sent for a statement. */
  #send(text: string): Promise<string> {
    return this.spell(text === 'RESET ROLE' && this.#role !== undefined ? setRoleTo(this.#role) : text);
  }

  /** Like `query`, for exactly one row. */
  async one<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const rows = await this.query<Row>(text, values);
    const row = rows[0];
    if (rows.length !== 1 || row === undefined) {
      throw new TidemarkError('INTERNAL', `run a query on ${this.#where}: one row was expected, ${rows.length} came`, {
        details: { text },
      });
    }
    return row;
  }

  async #run<Result>(answer: Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await answer;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Ends the session in order, or cuts it where a statement is under way; resolves also when the connection is gone already. */
  async close(): Promise<void> {
    if (this.#underWay > 0) this.destroy();
    await this.client.end().catch(() => undefined);
  }

  /** Cuts the socket. The server notices at its next read or write, or within client_connection_check_interval. */
  destroy(): void {
    streamOf(this.client).destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface SessionOptions extends Partial<ConnectOptions> {
  readonly use: SessionUse;
  /** Encoding of statements and results. Default: UTF8, and the database's own where the server cannot convert. 'own': that. */
  readonly encoding?: string | undefined;
  /** Lets a 'read' session read foreign tables. */
  readonly foreignTables?: boolean;
}

/** Connects and sets the session up.
 *  @throws TidemarkError CONNECTION_FAILED, AUTHENTICATION_FAILED, DATABASE_MISSING, SERVER_UNSUPPORTED, FILE_ERROR (certificates) */
export async function openSession(
  connection: ConnectionSettings,
  { use, encoding: wantedEncoding, applicationName = 'tidemark', foreignTables = false, ...more }: SessionOptions,
): Promise<Session> {
  const where = describeConnection(connection);
  const client = await connectClient(connection, { applicationName, ...more });
  try {
    const { version, serverEncoding } = await readServer(client);
    if (version < oldestServer) {
      throw new TidemarkError('SERVER_UNSUPPORTED', `connect to ${where}: the server is PostgreSQL ${Math.floor(version / 10000)}`, {
        hint: `tidemark works with PostgreSQL ${oldestServer / 10000} and later`,
      });
    }
    const wanted = settings.filter(([, , uses, since]) => uses.includes(use) && version >= since);
    const calls = wanted.map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`);
    if (version >= 170000 || (await knows(client, 'restrict_nonsystem_relation_kind'))) {
      if (use === 'read')
        calls.push(`pg_catalog.set_config('restrict_nonsystem_relation_kind', '${foreignTables ? 'view' : 'view, foreign-table'}', false)`);
    }
    const encoding = withoutConversion.has(serverEncoding) || wantedEncoding === 'own' ? serverEncoding : (wantedEncoding ?? 'UTF8');
    calls.push(`pg_catalog.set_config('client_encoding', ${quoteLiteral(encoding)}, false)`);
    await client.query(`SELECT ${calls.join(', ')}`).catch((error: unknown) => {
      throw unconvertible(error, { encoding, serverEncoding, where });
    });
    if (connection.role !== undefined) await setRole(client, connection.role, where);
    return new Session(client, { version, serverEncoding, encoding, where, role: connection.role });
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error instanceof TidemarkError ? error : queryError(error, 'set up the session', where);
  }
}

function setRoleTo(role: string): string {
  return `SET ROLE ${quoteIdentifier(role)}`;
}

/** @throws TidemarkError PERMISSION_DENIED also where there is no such role */
async function setRole(client: pg.Client, role: string, where: string): Promise<void> {
  try {
    await client.query(setRoleTo(role));
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw new TidemarkError('PERMISSION_DENIED', `set the role ${role} on ${where}: ${error.message}`, {
      cause: error,
      details: { sqlstate: error.code },
      hint: 'check the name of the role, and that the user who connects is a member of it',
    });
  }
}

/** Of these the server can make no UTF-8. https://www.postgresql.org/docs/current/multibyte.html#MULTIBYTE-CONVERSIONS-SUPPORTED */
const withoutConversion: ReadonlySet<string> = new Set(['SQL_ASCII', 'MULE_INTERNAL']);

interface Encodings {
  readonly encoding: string;
  readonly serverEncoding: string;
  readonly where: string;
}

/** 22023: no such encoding, or none that the server could convert. */
function unconvertible(error: unknown, { encoding, serverEncoding, where }: Encodings): unknown {
  if (sqlstateOf(error) !== '22023') return error;
  return new TidemarkError('TARGET_MISMATCH', `read and write ${encoding} on ${where}: a database in ${serverEncoding} cannot convert it`, {
    hint: `use a database with ENCODING '${encoding}'`,
    cause: error,
  });
}

async function readServer(client: pg.Client): Promise<{ version: number; serverEncoding: string }> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `SELECT pg_catalog.current_setting('server_version_num') AS version, pg_catalog.getdatabaseencoding() AS encoding`,
  );
  return { version: Number(rows[0]?.version), serverEncoding: rows[0]?.encoding ?? 'UTF8' };
}

async function knows(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT 1 FROM pg_catalog.pg_settings WHERE name = $1', [name]);
  return rows.length > 0;
}
