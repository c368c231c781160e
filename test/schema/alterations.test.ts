// Every file of fixtures/alterations: objects of a kind, then statements that each alter one attribute of theirs. The fingerprint, our
// reading and the independent facts must each notice every one of them, and what all of them together made must survive a round trip.
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFingerprint } from '#dist/schema/fingerprint.js';
import { introspect, readServer } from '#dist/schema/introspect.js';
import {
  createDatabase,
  createRole,
  defaultVersion,
  requestedVersions,
  type TestDatabase,
  uniqueName,
  type Version,
} from '../server/index.js';
import { catalogFacts, factsFrom } from './facts.js';
import { comparable, dumpSchema, readSchema, runSteps } from './judge.js';

interface Alteration {
  /** What is run: one line of the file. */
  readonly text: string;
  /** Why a restore does not carry it (`-- not carried: why` above it): reading must say the same before and after. */
  readonly notCarried: boolean;
}

interface Script {
  readonly name: string;
  readonly from: number;
  /** False for what the fingerprint leaves out on purpose (`-- without: fingerprint`). */
  readonly fingerprinted: boolean;
  readonly base: string;
  readonly alterations: readonly Alteration[];
}

/** A file is SQL up to the line `-- alterations`; of what follows each line is one alteration, unless it is a comment. `-- from: 17` at the
 *  top is the oldest server for the file; above an alteration, for that one. */
function parse(name: string, sql: string, version: number): Script {
  const [base = '', list = ''] = sql.split('\n-- alterations\n');
  const alterations: Alteration[] = [];
  let from = 0;
  let notCarried = false;
  for (const line of list.split('\n')) {
    if (line.startsWith('-- from: ')) from = Number(line.slice('-- from: '.length));
    if (line.startsWith('-- not carried: ')) notCarried = true;
    if (line === '' || line.startsWith('--')) continue;
    if (from <= version) alterations.push({ text: line, notCarried });
    [from, notCarried] = [0, false];
  }
  const fingerprinted = !/^-- without: fingerprint/.test(sql);
  return { name, from: Number(/^-- from: (\d+)/.exec(sql)?.[1] ?? 0), fingerprinted, base, alterations };
}

const folder = new URL('../../fixtures/alterations/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
const sources = await Promise.all(names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), 'utf8') })));

/** What the statements need of the server and cannot make for themselves: names are the run's own. */
interface Surroundings {
  readonly superuser: string;
  readonly tablespace: string;
  readonly subscription: string;
}

const named = (sql: string, around: Surroundings): string =>
  sql.replaceAll(/\{(superuser|tablespace|subscription)\}/g, (_, what: keyof Surroundings) => `"${around[what]}"`);

/** What each of the three judges says of the database now. Most of their time is planning, which prepared statements spare. */
async function look(db: TestDatabase) {
  const client = await db.connect();
  await client.query(`SET search_path = ''; SET quote_all_identifiers = on`);
  const names = new Map<string, string>();
  const query = async <Row extends Record<string, unknown>>(text: string): Promise<Row[]> => {
    const name = names.get(text) ?? `query ${names.size}`;
    names.set(text, name);
    return (await client.query<Row>({ name, text })).rows;
  };
  const server = { ...(await readServer({ query })), secrets: true };
  return {
    now: async () => {
      const fingerprint = await readFingerprint({ query }, server);
      const read = comparable(await introspect({ query }, { server, skipUnsupported: false }));
      return { fingerprint, read: JSON.stringify(read), facts: JSON.stringify(await factsFrom(query)) };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Runs the alterations one after another. Gives, for each that a judge has missed, who. */
async function unnoticed(db: TestDatabase, { alterations, fingerprinted }: Script, around: Surroundings): Promise<Record<string, string>> {
  await using judges = await look(db);
  await using client = await db.connect();
  const missed: Record<string, string> = {};
  let before = await judges.now();
  for (const { text, notCarried } of alterations) {
    await client.query(named(text, around)).catch((error: Error) => {
      throw new Error(`${error.message}\nin: ${text}`, { cause: error });
    });
    const after = await judges.now();
    const who = [
      ...((after.fingerprint === before.fingerprint) === fingerprinted ? ['the fingerprint'] : []),
      ...((after.read === before.read) !== notCarried ? [notCarried ? 'carried after all' : 'reading'] : []),
      ...(after.facts === before.facts && !notCarried ? ['the facts'] : []),
    ];
    if (who.length > 0) missed[text] = who.join(', ');
    before = after;
  }
  return missed;
}

// Most of the time is PostgreSQL's, so that one version has to do unless others are asked for.
const versions = process.env.TIDEMARK_TEST_PG_VERSIONS ? requestedVersions() : [defaultVersion()];

describe.each(versions)('on PostgreSQL %i', (version: Version) => {
  let around: Surroundings;
  let server: TestDatabase;
  let drop: () => Promise<void>;
  const scripts = sources.map(({ name, sql }) => parse(name, sql, version)).filter(({ from }) => from <= version);

  beforeAll(async () => {
    server = await createDatabase({ version });
    const role = await createRole({ version, attributes: 'SUPERUSER' });
    around = { superuser: role.name, tablespace: uniqueName(), subscription: uniqueName() };
    drop = role.drop;
    await using client = await server.connect();
    if (version >= 15) {
      await client.query('SET allow_in_place_tablespaces = on');
      await client.query(`CREATE TABLESPACE "${around.tablespace}" LOCATION ''`);
    }
  });

  afterAll(async () => {
    if (version >= 15) await server.query(`DROP TABLESPACE "${around.tablespace}"`);
    await server.drop();
    await drop();
  });

  test.concurrent.each(scripts)('$name', { timeout: 240_000 }, async (script) => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(named(script.base, around));
    expect(script.alterations).not.toEqual([]);
    expect(await unnoticed(source, script, around)).toEqual({});
    const before = await readSchema(source.url);
    await runSteps(target.url, before.steps);
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
    expect(comparable(await readSchema(target.url))).toEqual(comparable(before));
    expect(await catalogFacts(target)).toEqual(await catalogFacts(source));
  });
});
