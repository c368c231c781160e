// Every fixtures/schema/*.sql: read it, run what was read into an empty database statement by statement, and compare the two. A
// fixture may begin with `-- from: 17`, the oldest server that understands it, or `-- without: pg_dump`, where that judge is at a loss.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createDatabase, requestedVersions } from '../server/index.js';
import { catalogFacts } from './facts.js';
import { comparable, dumpSchema, readSchema, runSteps } from './judge.js';

const folder = new URL('../../fixtures/schema/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
const fixtures = await Promise.all(
  names.map(async (name) => {
    const sql = await readFile(new URL(name, folder), 'utf8');
    return { name, sql, from: Number(/^-- from: (\d+)/.exec(sql)?.[1] ?? 0), judged: !/^-- without: pg_dump/.test(sql) };
  }),
);

describe.each(requestedVersions())('fixtures on PostgreSQL %i', (version) => {
  test.each(fixtures.filter(({ from }) => from <= version))('$name', async ({ sql, judged }) => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(sql);
    const before = await readSchema(source.url);
    await runSteps(target.url, before.steps);
    const after = await readSchema(target.url);
    if (judged) expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
    expect(comparable(after)).toEqual(comparable(before));
    expect(await catalogFacts(target)).toEqual(await catalogFacts(source));
    expect(before.leftOut).toEqual([]);
  });
});
