// Reads the schema of a database: every kind's query, every facet, pg_depend, the search for what is unsupported; graph.ts puts it
// together. The number of queries depends on the kinds, never on the objects. Expects a session made by pg/session.ts for reading
// (empty search_path, quote_all_identifiers), in the snapshot's transaction, with the tables locked.
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { TidemarkError } from '../model/errors.js';
import type { LeftOut } from '../model/manifest.js';
import { inTurn } from '../pg/in-turn.js';
import { type DependRow, type MemberRow, memberQuery, readDepends } from './depend.js';
import { facets } from './facets/index.js';
import { familyMembersExist } from './family-members.js';
import { buildSchema, type Schema } from './graph.js';
import { isAsSaid } from './is-as-said.js';
import { type FacetResult, forgetKeys, type Key, type Kind, type ObjectDraft, type Server } from './kind.js';
import { kinds as allKinds } from './kinds/index.js';
import { mayBe, readMarks } from './marks.js';
import { findUnsupported, listDumpable, type Unclaimed } from './unsupported.js';

/** What is needed of a session. */
export interface Queryable {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
}

export interface IntrospectOptions {
  readonly server: Server;
  /** Leaves out objects of unknown kinds and what needs them, instead of failing. */
  readonly skipUnsupported: boolean;
  /** For tests. */
  readonly kinds?: readonly Kind<unknown>[];
}

/** Facts of the server that queries and emitters branch on, in the view of the transaction that they are for. */
export async function readServer(session: Queryable): Promise<Server> {
  const rows = await session.query(`
    SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS "inRecovery",
           has_table_privilege('pg_user_mapping', 'SELECT') AS "readsUserMappings",
           has_column_privilege('pg_subscription', 'subconninfo', 'SELECT') AS "readsSubscriptions",
           ${familyMembersExist} AS "familyMembers",
           coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS superuser`);
  const fact = z.boolean();
  const facts = { superuser: fact, inRecovery: fact, readsUserMappings: fact, readsSubscriptions: fact, familyMembers: fact };
  return z.object({ version: z.number(), ...facts }).parse(rows[0]);
}

export interface IntrospectedSchema extends Schema {
  /** By id: what could not be read of an object, the value of a sequence. It matters to who wants that object, rows and all. */
  readonly failures: ReadonlyMap<number, TidemarkError>;
  /** By id: what of an object is not carried (a secret, a state). It is left out where the object comes along. */
  readonly partial: ReadonlyMap<number, readonly LeftOut[]>;
}

/** Reads the whole schema. `ids` maps catalog rows (`pg_class:16403`) to the objects they are part of.
 *  @throws TidemarkError UNSUPPORTED_OBJECT, CONCURRENT_DDL (start over with a new snapshot) */
export async function introspect(session: Queryable, options: IntrospectOptions): Promise<IntrospectedSchema> {
  return putTogether(await readCatalogs(session, options));
}

/** All that the server has to say, not put together yet. */
export interface ReadCatalogs {
  readonly drafts: readonly ObjectDraft[];
  readonly facets: readonly FacetResult[];
  readonly depends: readonly DependRow[];
  readonly members: readonly MemberRow[];
  readonly unsupported: readonly Unclaimed[];
  readonly ignored: readonly Unclaimed[];
}

/** The first half of `introspect`: all queries. */
export async function readCatalogs(session: Queryable, options: IntrospectOptions): Promise<ReadCatalogs> {
  const { skipUnsupported, kinds = allKinds } = options;
  const watched = inTurn(watchConcurrency(session));
  const server = { ...options.server, marks: await readMarks(watched) };
  const [found, depends, members, listed] = await Promise.all([
    Promise.all(kinds.map((kind) => readKind(watched, { kind, server }))),
    readDepends(watched),
    watched.query<MemberRow>(memberQuery),
    listDumpable(watched, server),
  ]);
  const drafts = found.flat();
  const there = byRows(drafts.filter(isThere));
  const facetResults = await readFacets(watched, { server, objects: there });
  const others = byRows([...drafts.filter((draft) => !isThere(draft)), ...facetResults.flatMap((result) => result.objects)]);
  const isClaimed = (row: Key): boolean => there.has(row) || others.has(row);
  return { drafts, facets: facetResults, depends, members, ...(await findUnsupported(watched, { listed, isClaimed, skipUnsupported })) };
}

/** By their own keys and by those of all rows that are part of them. */
function byRows(objects: readonly ObjectDraft[]): ReadonlyMap<Key, ObjectDraft> {
  const found = new Map<Key, ObjectDraft>();
  for (const object of objects) for (const row of object.also ?? []) found.set(row, object);
  for (const object of objects) found.set(object.key, object);
  return found;
}

/** The second half: no query, and for a large schema a second of work. */
export function putTogether({ drafts, facets: facetResults, depends, members, unsupported, ignored }: ReadCatalogs): IntrospectedSchema {
  const objects = drafts.filter(isThere);
  const schema = buildSchema({
    objects,
    facets: facetResults,
    depends,
    members,
    unsupported: new Map([
      ...unsupported.map(({ key, description }) => [key, description] as const),
      ...drafts.flatMap(({ key, ddl, absent }) => (absent === undefined ? [] : [[key, ddl] as const])),
    ]),
  });
  const missing: LeftOut[] = [...unsupported, ...ignored].map(({ kind, name, reason }) => ({ kind, name, reason }));
  const absent = drafts.flatMap(({ kind, name, absent }) => (absent === undefined ? [] : [{ kind, name, reason: absent }]));
  const leftOut = [...missing, ...absent, ...facetResults.flatMap((result) => result.leftOut ?? [])];
  const failures = new Map<number, TidemarkError>();
  for (const [key, failure] of facetResults.flatMap((result) => [...(result.failures ?? [])])) {
    const id = schema.ids.get(key);
    if (id !== undefined) failures.set(id, failure);
  }
  const partial = new Map<number, readonly LeftOut[]>();
  for (const { key, kind, schema: nspname, name, leftOut: reasons = [] } of objects) {
    const id = schema.ids.get(key);
    if (id === undefined || reasons.length === 0) continue;
    partial.set(
      id,
      reasons.map((reason) => ({ kind, name: nspname === undefined ? name : `${nspname}.${name}`, reason })),
    );
  }
  forgetKeys();
  return { ...schema, failures, partial, leftOut: [...leftOut, ...schema.leftOut] };
}

function isThere({ absent }: ObjectDraft): boolean {
  return absent === undefined;
}

/** Rows looked at before we see to the server, which may have answered by now and waits for the next statement. */
const rowsAtOnce = 100;

async function readKind(session: Queryable, { kind, server }: { kind: Kind<unknown>; server: Server }): Promise<readonly ObjectDraft[]> {
  if (!mayBe(kind.only, server.marks)) return [];
  const rows = await session.query(kind.query(server));
  const isRight = isAsSaid(kind.row);
  const drafts: ObjectDraft[] = [];
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    if (at > 0) await setImmediate();
    for (const row of rows.slice(at, at + rowsAtOnce)) drafts.push(...kind.objects(isRight?.(row) ? row : parseRow(kind, row), server));
  }
  return drafts;
}

async function readFacets(
  session: Queryable,
  { server, objects }: { server: Server; objects: ReadonlyMap<Key, ObjectDraft> },
): Promise<readonly FacetResult[]> {
  const query = <Row extends Record<string, unknown>>(text: string): Promise<Row[]> => session.query<Row>(text);
  const wanted = facets.filter(({ only }) => mayBe(only, server.marks));
  return Promise.all(wanted.map((facet) => facet.read({ query, server, objects })));
}

/** Parses a row that is not as its kind says, or cannot be known to be without that. A NULL where a definition was expected is what the
 *  deparse functions give for an object that has just been dropped. */
function parseRow(kind: Kind<unknown>, row: Record<string, unknown>): unknown {
  const result = kind.row.safeParse(row);
  if (result.success) return result.data;
  const { issues } = result.error;
  if (issues.every(({ path }) => valueAt(row, path) === null)) {
    throw concurrentDdl(`read the definition of a ${kind.name}: it is gone`, result.error);
  }
  throw new TidemarkError('INTERNAL', `read the catalog row of a ${kind.name}: ${z.prettifyError(result.error)}`, { cause: result.error });
}

function valueAt(row: unknown, path: readonly PropertyKey[]): unknown {
  let value = row;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function concurrentDdl(message: string, cause: unknown): TidemarkError {
  return new TidemarkError('CONCURRENT_DDL', message, {
    cause,
    hint: 'the schema was changed while it was read; run it again when no migration is running',
  });
}

/** SQLSTATEs that the deparse functions raise for objects that are gone: internal error, undefined object, table, function, schema. */
const goneCodes: ReadonlySet<unknown> = new Set(['XX000', '42704', '42P01', '42883', '3F000']);

function watchConcurrency(session: Queryable): Queryable {
  return {
    async query<Row extends Record<string, unknown>>(text: string): Promise<Row[]> {
      try {
        return await session.query<Row>(text);
      } catch (error) {
        // They all name the object by its OID, as no error about our own text would.
        if (error instanceof TidemarkError && goneCodes.has(error.details.sqlstate) && /lookup failed|\b\d{4,}\b/.test(error.message)) {
          throw concurrentDdl(`read the schema: ${error.message}`, error);
        }
        throw error;
      }
    },
  };
}
