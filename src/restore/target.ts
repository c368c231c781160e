// What a target database holds before a restore: whether it is empty, a few names where it is not; and how it is emptied again after a
// restore that did not end. It was empty when that one began, so all that is there may go.

import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { unlinkAll } from './large-objects.js';
import { markerSchema, readMark, type Scope } from './marker.js';
import type { Sessions } from './sessions.js';

export interface TargetState {
  /** A restore of this into it was begun and has not ended. */
  readonly marked: Scope | undefined;
  /** A few of the objects that are there, as messages name them; empty where there are none. Without the mark's own. */
  readonly objects: readonly string[];
}

/** How many names are listed. */
const sample = 5;

const members = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** One object a line, members of extensions left out. Indexes, constraints and the like come with what they hang on. */
const contents = `
  WITH space AS (
    SELECT oid, nspname FROM pg_namespace n
     WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', '${markerSchema}'))
  SELECT kind, name FROM (
    SELECT 1 AS place, 'schema' AS kind, nspname::text AS name FROM space WHERE nspname <> 'public' AND ${members('pg_namespace', 'space.oid')}
    UNION ALL
    SELECT 2, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                             WHEN 'c' THEN 'type' ELSE 'table' END,
           s.nspname || '.' || c.relname
      FROM pg_class c JOIN space s ON s.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND ${members('pg_class', 'c.oid')}
       AND (c.relkind <> 'c' OR ${members('pg_type', 'c.reltype')})
    UNION ALL
    SELECT 3, 'function', s.nspname || '.' || p.proname FROM pg_proc p JOIN space s ON s.oid = p.pronamespace WHERE ${members('pg_proc', 'p.oid')}
    UNION ALL
    SELECT 4, 'type', s.nspname || '.' || t.typname FROM pg_type t JOIN space s ON s.oid = t.typnamespace
     WHERE t.typtype IN ('b', 'd', 'e', 'p', 'r') AND t.typelem = 0 AND ${members('pg_type', 't.oid')}
    UNION ALL
    SELECT 5, 'operator', s.nspname || '.' || o.oprname FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace WHERE ${members('pg_operator', 'o.oid')}
    UNION ALL
    SELECT 6, 'collation', s.nspname || '.' || c.collname FROM pg_collation c JOIN space s ON s.oid = c.collnamespace WHERE ${members('pg_collation', 'c.oid')}
    UNION ALL
    SELECT 7, 'foreign data wrapper', fdwname FROM pg_foreign_data_wrapper w WHERE ${members('pg_foreign_data_wrapper', 'w.oid')}
    UNION ALL
    SELECT 8, 'server', srvname FROM pg_foreign_server f WHERE ${members('pg_foreign_server', 'f.oid')}
    UNION ALL
    SELECT 9, 'publication', pubname FROM pg_publication p WHERE ${members('pg_publication', 'p.oid')}
    UNION ALL
    SELECT 10, 'subscription', subname FROM pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 11, 'large object', o.oid::text FROM (SELECT oid FROM pg_largeobject_metadata LIMIT ${sample}) o
    UNION ALL
    SELECT 12, 'operator class', s.nspname || '.' || c.opcname FROM pg_opclass c JOIN space s ON s.oid = c.opcnamespace WHERE ${members('pg_opclass', 'c.oid')}
    UNION ALL
    SELECT 13, 'operator family', s.nspname || '.' || f.opfname FROM pg_opfamily f JOIN space s ON s.oid = f.opfnamespace WHERE ${members('pg_opfamily', 'f.oid')}
    UNION ALL
    SELECT 14, 'access method', amname FROM pg_am a WHERE a.oid >= 16384 AND ${members('pg_am', 'a.oid')}
    UNION ALL
    SELECT 15, 'language', lanname FROM pg_language l WHERE lanispl AND ${members('pg_language', 'l.oid')}
  ) everything ORDER BY place, name LIMIT ${sample}`;

/** Looks; changes nothing. */
export async function inspectTarget(session: Session): Promise<TargetState> {
  const marked = await readMark(session);
  const rows = await session.query<{ kind: string; name: string }>(contents);
  return { marked, objects: rows.map(({ kind, name }) => `${kind} ${name}`) };
}

interface PublicSchema {
  readonly owner: string;
  readonly version: number;
}

/** The schema `public` as initdb makes it: from 15 on PUBLIC may only use it (release notes of 15, "Migration").
 *  Its privileges are spelled out, since those of the first one were given by initdb. */
function makePublic({ owner, version }: PublicSchema): readonly string[] {
  const granted = version >= 150000 ? 'USAGE' : 'CREATE, USAGE';
  return [
    `CREATE SCHEMA "public" AUTHORIZATION ${quoteIdentifier(owner)}`,
    `COMMENT ON SCHEMA "public" IS 'standard public schema'`,
    `GRANT ${granted} ON SCHEMA "public" TO PUBLIC`,
  ];
}

/** Drops everything that an interrupted restore can have made in a marked database, the mark last: a wipe that is interrupted itself
 *  leaves a marked database again. Not in one transaction: the locks of very many objects would not fit into the server's table.
 *  @param extensions those of the archive; others stay */
export async function wipeTarget(session: Session, extensions: readonly string[]): Promise<void> {
  await dropSubscriptions(session);
  const drops = await session.query<{ drop: string }>(
    `SELECT drop FROM (
       SELECT 1 AS place, format('EVENT TRIGGER %I', evtname) AS drop FROM pg_event_trigger
       UNION ALL SELECT 2, format('PUBLICATION %I', pubname) FROM pg_publication
       UNION ALL SELECT 3, format('EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension WHERE extname = ANY ($1)
       UNION ALL SELECT 4, format('SERVER IF EXISTS %I CASCADE', srvname) FROM pg_foreign_server f WHERE ${members('pg_foreign_server', 'f.oid')}
       UNION ALL SELECT 5, format('FOREIGN DATA WRAPPER IF EXISTS %I CASCADE', fdwname) FROM pg_foreign_data_wrapper w WHERE ${members('pg_foreign_data_wrapper', 'w.oid')}
       UNION ALL SELECT 6, format('LANGUAGE IF EXISTS %I CASCADE', lanname) FROM pg_language l
                  WHERE lanispl AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_language'::regclass AND d.objid = l.oid AND d.deptype = 'e')
       UNION ALL SELECT 6, format('ACCESS METHOD IF EXISTS %I CASCADE', amname) FROM pg_am a WHERE a.oid >= 16384 AND ${members('pg_am', 'a.oid')}
       UNION ALL SELECT 7, format('SCHEMA IF EXISTS %I CASCADE', nspname) FROM pg_namespace
                  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', ${quoteLiteral(markerSchema)}, 'public')
     ) everything ORDER BY place, drop`,
    [extensions],
  );
  for (const { drop } of drops) await session.query(`DROP ${drop}`);
  await unlinkAll(session);
  await renewPublic(session);
}

/** Of a database that a restore made and did not end: none with subscriptions can be dropped.
 *  @param maintenance a session on another one */
export async function dropSubscriptionsOf(database: string, maintenance: Session, sessions: Sessions): Promise<void> {
  const found = await maintenance.query('SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1', [
    database,
  ]);
  if (found.length === 0) return;
  const session = await sessions.open(database);
  await dropSubscriptions(session);
  await sessions.close(session);
}

/** Those of a restore are disabled and know of no slot on the other side, or not yet: nothing is to be told there. */
async function dropSubscriptions(session: Session): Promise<void> {
  const rows = await session.query<{ name: string }>(
    `SELECT format('SUBSCRIPTION %I', subname) AS name FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY subname`,
  );
  for (const { name } of rows) {
    await session.query(`ALTER ${name} DISABLE`);
    await session.query(`ALTER ${name} SET (slot_name = NONE)`);
    await session.query(`DROP ${name}`);
  }
}

async function renewPublic(session: Session): Promise<void> {
  const first = session.version >= 150000 ? 'pg_database_owner' : undefined;
  const owner = first ?? (await session.one<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE oid = 10')).rolname;
  await session.query('BEGIN');
  await session.query('DROP SCHEMA IF EXISTS "public" CASCADE');
  for (const statement of makePublic({ owner, version: session.version })) await session.query(statement);
  await session.query('COMMIT');
}
