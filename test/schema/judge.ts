// The round trip that every schema fixture is held to: read a schema, run its steps one by one into another database, compare. The
// outside judge is pg_dump of PostgreSQL 18; where that cannot run, comparing what we read ourselves from both sides has to do.
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Section, Step } from '#dist/model/catalog.js';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import type { Schema } from '#dist/schema/graph.js';
import { type IntrospectedSchema, introspect, readServer } from '#dist/schema/introspect.js';
import { kinds } from '#dist/schema/kinds/index.js';
import { patience } from '../server/index.js';

const run = promisify(execFile);

/** Reads the schema of a database as a snapshot does: in a REPEATABLE READ transaction that changes nothing.
 *  @param without names of kinds that are not to be known */
export async function readSchema(
  url: string,
  {
    skipUnsupported = false,
    secrets = true,
    without = [],
  }: { skipUnsupported?: boolean; secrets?: boolean; without?: readonly string[] } = {},
): Promise<IntrospectedSchema> {
  await using session = await openSession(resolveConnection(url, patience), { use: 'read' });
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const server = { ...(await readServer(session)), secrets };
  const schema = await introspect(session, { server, skipUnsupported, kinds: kinds.filter(({ name }) => !without.includes(name)) });
  await session.query('COMMIT');
  return schema;
}

/** Runs the statements of some sections one at a time, in order. An error names the statement. */
export async function runSteps(url: string, steps: readonly Step[], sections?: readonly Section[]): Promise<void> {
  await using session = await openSession(resolveConnection(url, patience), { use: 'write' });
  for (const step of steps) {
    if (sections && !sections.includes(step.section)) continue;
    for (const statement of step.statements) await runStatement(session, statement);
  }
}

async function runStatement(session: Session, statement: string): Promise<void> {
  try {
    await session.query(statement);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nin: ${statement}`, { cause: error });
  }
}

let found: Promise<string | undefined> | undefined;

/** The folder of pg_dump 18, pg_restore and psql: TIDEMARK_PG_ORACLE, or what a pg-oracle script beside the repository prints. Says
 *  once where there is none. */
export function oracle(): Promise<string | undefined> {
  found ??= findOracle().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.log(`pg_dump 18 was not available as outside judge (${reason}): schemas are compared by tidemark's own reading only`);
    return undefined;
  });
  return found;
}

async function findOracle(): Promise<string> {
  const given = process.env.TIDEMARK_PG_ORACLE;
  if (given) return given;
  const script = fileURLToPath(new URL('../../../shared/tools/pg-oracle', import.meta.url));
  await access(script);
  const { stdout } = await run('bash', [script], { encoding: 'utf8', maxBuffer: 1 << 24 });
  return stdout.trim();
}

/** `pg_dump --schema-only` of a database as text, or undefined where the judge cannot run. */
export async function dumpSchema(url: string, options: readonly string[] = []): Promise<string | undefined> {
  return dump(url, ['--schema-only', ...options]);
}

/** `pg_dump --statistics-only` of a database as text, or undefined where the judge cannot run. */
export async function dumpStatistics(url: string): Promise<string | undefined> {
  return dump(url, ['--statistics-only']);
}

async function dump(url: string, options: readonly string[]): Promise<string | undefined> {
  const folder = await oracle();
  if (folder === undefined) return undefined;
  const { stdout } = await run(`${folder}/pg_dump`, ['--restrict-key=x', ...options, '--dbname', url], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout;
}

/** `pg_dumpall --globals-only` of a server as text, or undefined where the judge cannot run. */
export async function dumpGlobals(url: string, options: readonly string[] = []): Promise<string | undefined> {
  const folder = await oracle();
  if (folder === undefined) return undefined;
  const args = ['--globals-only', '--restrict-key=x', ...options, '--dbname', url];
  const script = await readFile(`${folder}/pg_dumpall`, 'latin1');
  // pg_dumpall asks the pg_dump beside it for its version, and takes what the loader of a wrapper calls it for its own place.
  const named = script.startsWith('#!') ? script.replace(' --library-path', ` --argv0 '${folder}/pg_dumpall' --library-path`) : script;
  const [file, before] = named === script ? [`${folder}/pg_dumpall`, []] : ['/bin/sh', ['-c', named, 'pg_dumpall']];
  const { stdout } = await run(file, [...before, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return stdout;
}

/** What of a schema must be the same on both sides of a round trip. */
export function comparable({ objects, steps }: Pick<Schema, 'objects' | 'steps'>): { objects: unknown; steps: unknown } {
  return { objects, steps };
}
