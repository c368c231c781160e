// Values of sequences: the ones that cannot be read are an error, never a guess; more of them than fit one statement are all there.
import { expect, test } from 'vitest';
import { createDatabase, createRole, requestedVersions, startServer, startStandby } from '../../server/index.js';
import { readSchema } from '../judge.js';

function values(schema: Awaited<ReturnType<typeof readSchema>>): string[] {
  return schema.steps.filter(({ facet }) => facet === 'value').flatMap(({ statements }) => statements);
}

function failures(schema: Awaited<ReturnType<typeof readSchema>>): unknown[] {
  return [...schema.failures].map(([id, { code }]) => [schema.objects[id]?.name, code]);
}

test.each(requestedVersions())('more sequences than one statement reads, on PostgreSQL %i', async (version) => {
  await using db = await createDatabase({ version });
  await db.run(`DO $$ BEGIN
    FOR i IN 1..1203 LOOP
      EXECUTE format('CREATE SEQUENCE s%s', i);
      PERFORM setval('s' || i, i + 9007199254740992, i % 2 = 0);
    END LOOP;
  END $$`);
  const expected = Array.from(
    { length: 1203 },
    (_, index) =>
      `SELECT pg_catalog.setval('"public"."s${index + 1}"'::pg_catalog.regclass, ${9007199254740993n + BigInt(index)}, ${index % 2 === 1})`,
  );
  expect(values(await readSchema(db.url)).sort()).toEqual(expected.sort());
});

test.each(requestedVersions())('a sequence that the role may not read, on PostgreSQL %i', async (version) => {
  await using role = await createRole({ version });
  await using db = await createDatabase({ version });
  await db.run('CREATE SEQUENCE hidden; CREATE SEQUENCE shown; GRANT SELECT ON shown TO PUBLIC');
  const partial = await readSchema(role.as(db.url));
  expect(failures(partial)).toEqual([['hidden', 'PERMISSION_DENIED']]);
  expect(values(partial)).toHaveLength(1);
  await db.run('GRANT SELECT ON hidden TO PUBLIC');
  const whole = await readSchema(role.as(db.url));
  expect(values(whole)).toHaveLength(2);
  expect(failures(whole)).toEqual([]);
});

test('unlogged sequences on a standby', async () => {
  await using primary = await startServer();
  await using standby = await startStandby(primary);
  await using db = await createDatabase({ server: primary.url });
  await db.run(`
    CREATE SEQUENCE logged;
    CREATE TABLE kept (id integer GENERATED ALWAYS AS IDENTITY);
    CREATE UNLOGGED TABLE emptied (id serial, no integer GENERATED ALWAYS AS IDENTITY)`);
  const url = new URL(standby.url);
  url.pathname = `/${db.name}`;
  await standby.catchUp();
  expect(values(await readSchema(url.href)).sort()).toEqual([
    `SELECT pg_catalog.setval('"public"."kept_id_seq"'::pg_catalog.regclass, 1, false)`,
    `SELECT pg_catalog.setval('"public"."logged"'::pg_catalog.regclass, 1, false)`,
  ]);
  await db.run('CREATE UNLOGGED SEQUENCE alone');
  await standby.catchUp();
  expect(failures(await readSchema(url.href))).toEqual([['alone', 'PERMISSION_DENIED']]);
});
