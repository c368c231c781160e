// Fixtures that share databases: what each costs beyond its own objects (a database, a snapshot, a restore, the judges) is then paid once.
import { createDatabase, type TestDatabase, type Version } from '../server/index.js';
import type { Fixture } from './fixtures.js';

/** Makes as few databases as the fixtures fit in, one after another, and has each of them used: a fixture that clashes with those before it
 *  even in a schema of its own waits for the next one.
 *  @throws Error where a fixture fits in nowhere, and what `use` throws, with the names of the fixtures */
export async function shareDatabases(
  fixtures: readonly Fixture[],
  version: Version,
  use: (source: TestDatabase) => Promise<void>,
): Promise<void> {
  // The functions of a language depend on its transforms, but those that were there before do not: not so after a restore.
  const first = ({ name }: Fixture): number => (name === 'transform.sql' ? 0 : 1);
  let waiting: readonly Fixture[] = fixtures.toSorted((a, b) => first(a) - first(b));
  while (waiting.length > 0) waiting = await shareOne(waiting, version, use);
}

/** @returns the fixtures that did not fit in */
async function shareOne(
  fixtures: readonly Fixture[],
  version: Version,
  use: (source: TestDatabase) => Promise<void>,
): Promise<readonly Fixture[]> {
  await using source = await createDatabase({ version });
  const inside: string[] = [];
  const waiting: Fixture[] = [];
  for (const fixture of fixtures) {
    const failure = await fitsIn(source, fixture, inside.length);
    if (failure === undefined) inside.push(fixture.name);
    else if (inside.length === 0) throw failure;
    else waiting.push(fixture);
  }
  try {
    await use(source);
  } catch (error) {
    throw new Error(`${inside.join(', ')} in one database: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  return waiting;
}

/** Many have a table `t`: what clashes with the others goes into a schema of its own, where all that it says is without one.
 *  @returns why it did not fit in; nothing of it is then there */
export async function fitsIn(source: TestDatabase, { sql }: Fixture, place: number): Promise<unknown> {
  try {
    await source.run(sql);
    return undefined;
  } catch (failure) {
    if (place === 0) return failure;
    const apart = `"apart ${place}"`;
    return source.run(`CREATE SCHEMA ${apart}; SET search_path = ${apart}, public;\n${sql}`).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
}

/** Fixtures that are alike, in groups of about so many, each with neighbours of other kinds: those of one kind clash. */
export function groupsOf(
  fixtures: readonly Fixture[],
  about: number,
  likeness: (fixture: Fixture) => string,
): readonly (readonly Fixture[])[] {
  const alike = new Map<string, Fixture[]>();
  for (const fixture of fixtures) {
    const key = likeness(fixture);
    alike.set(key, [...(alike.get(key) ?? []), fixture]);
  }
  return [...alike.values()].flatMap((some) => {
    const count = Math.ceil(some.length / about);
    return Array.from({ length: count }, (_, group) => some.filter((_fixture, place) => place % count === group));
  });
}
