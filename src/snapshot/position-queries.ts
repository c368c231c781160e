// Reads height, hash and stream map by the user's own SQL, inside of the snapshot's transaction, so that they are true of the data.
import { TidemarkError } from '../model/errors.js';
import { type OptionNames, withoutNames } from '../model/option-names.js';
import type { Session } from '../pg/session.js';

export interface PositionQueries {
  /** The height itself, where the caller knows it; or a query that gives one row with one whole number. */
  readonly height?: bigint;
  readonly heightQuery?: string;
  /** One row, one text; may use the height as $1. */
  readonly hashQuery?: string;
  /** Rows of (stream name, last processed sequence). */
  readonly streamsQuery?: string;
}

export const positionQueryNames: OptionNames<PositionQueries> = { height: true, heightQuery: true, hashQuery: true, streamsQuery: true };

/** Where each snapshot reads its height itself. */
export const readQueryNames = withoutNames(positionQueryNames, ['height']);

export interface ReadPosition {
  readonly height?: bigint;
  readonly hash?: string;
  readonly streams?: Readonly<Record<string, bigint>>;
}

/** What a manifest can hold. */
const wholeNumber = /^(0|[1-9]\d{0,18})$/;

/** Runs the queries on a session whose transaction has the view. They see the role's own search_path, as in any client.
 *  @throws TidemarkError POSITION_INVALID when a query fails or gives something else than it should */
export async function readPosition(session: Session, queries: PositionQueries): Promise<ReadPosition> {
  const { heightQuery, hashQuery, streamsQuery } = queries;
  if (heightQuery === undefined && hashQuery === undefined && streamsQuery === undefined) return given(queries.height);
  await session.query('SET LOCAL search_path TO DEFAULT');
  const height = heightQuery === undefined ? queries.height : await readHeight(session, heightQuery);
  const hash = hashQuery === undefined ? undefined : await readHash(session, hashQuery, height);
  const streams = streamsQuery === undefined ? undefined : await readStreams(session, streamsQuery);
  await session.query(`SET LOCAL search_path TO ''`);
  return { ...given(height), ...(hash === undefined ? {} : { hash }), ...(streams === undefined ? {} : { streams }) };
}

function given(height: bigint | undefined): ReadPosition {
  return height === undefined ? {} : { height };
}

async function readHeight(session: Session, text: string): Promise<bigint> {
  const value = await readValue(session, { option: 'height query', text, values: [] });
  if (!wholeNumber.test(value))
    throw invalid('height query', `it gave ${JSON.stringify(value.slice(0, 40))}, not a whole number from 0 on`);
  return BigInt(value);
}

async function readHash(session: Session, text: string, height: bigint | undefined): Promise<string> {
  const usesHeight = /\$1(?!\d)/.test(text);
  if (usesHeight && height === undefined) throw invalid('hash query', 'it uses $1, the height, and no height is given');
  return await readValue(session, { option: 'hash query', text, values: usesHeight ? [String(height)] : [] });
}

/** A query of the user's that says yes or no. @param option what messages call it
 *  @throws TidemarkError POSITION_INVALID when it fails or says neither */
export async function readFlag(session: Session, { option, text }: { readonly option: string; readonly text: string }): Promise<boolean> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await session.query('SET LOCAL search_path TO DEFAULT');
    const rows = await run(session, { option, text, values: [] });
    const [value] = rows[0] ?? [];
    if (rows.length === 1 && rows[0]?.length === 1 && typeof value === 'boolean') return value;
    const gave =
      rows.length !== 1 ? `${rows.length} rows` : rows[0]?.length !== 1 ? `${rows[0]?.length} values` : `${JSON.stringify(value)}`;
    throw invalid(option, `it must give one row with one boolean; it gave ${gave}`);
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}

async function readStreams(session: Session, text: string): Promise<Record<string, bigint>> {
  const rows = await run(session, { option: 'streams query', text, values: [] });
  const streams: [string, bigint][] = rows.map((row) => {
    const [name, sequence, ...more] = row;
    if (name == null || sequence == null || more.length > 0 || !wholeNumber.test(String(sequence))) {
      throw invalid('streams query', 'each row must have two columns: a stream name and a whole number from 0 on');
    }
    return [String(name), BigInt(String(sequence))];
  });
  if (new Set(streams.map(([name]) => name)).size !== streams.length) throw invalid('streams query', 'a stream name comes twice');
  return Object.fromEntries(streams);
}

interface UserQuery {
  readonly option: string;
  readonly text: string;
  readonly values: readonly string[];
}

async function readValue(session: Session, query: UserQuery): Promise<string> {
  const rows = await run(session, query);
  const values = rows[0] ?? [];
  if (rows.length !== 1 || values.length !== 1 || values[0] == null) {
    throw invalid(
      query.option,
      `it must give one row with one value; it gave ${rows.length !== 1 ? `${rows.length} rows` : values.length !== 1 ? `${values.length} values` : 'NULL'}`,
    );
  }
  const [value] = values;
  return value instanceof Buffer ? `\\x${value.toString('hex')}` : String(value);
}

async function run(session: Session, { option, text, values }: UserQuery): Promise<unknown[][]> {
  try {
    return await session.values(text, values);
  } catch (error) {
    const reason = error instanceof TidemarkError && error.cause instanceof Error ? error.cause.message : (error as Error).message;
    throw new TidemarkError('POSITION_INVALID', `run the ${option}: ${reason}`, {
      cause: error,
      hint: "try the query in a client with the same role; unqualified names follow that role's search_path",
    });
  }
}

function invalid(option: string, what: string): TidemarkError {
  return new TidemarkError('POSITION_INVALID', `run the ${option}: ${what}`, { hint: `correct the ${option}; nothing was written` });
}
