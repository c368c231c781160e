// What an expression in its stored form refers to, held against what the server itself resolves the names to.
import { expect, test } from 'vitest';
import { referencedBy } from '#dist/schema/node-tree.js';
import { createDatabase } from '../server/index.js';

test('an expression names the functions, operators, types, collations and relations that it uses', async () => {
  await using db = await createDatabase();
  await db.run(`
    CREATE TYPE public.mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN public.small AS integer;
    CREATE COLLATION public.collated FROM "C";
    CREATE SEQUENCE public.numbers;
    CREATE FUNCTION public.first() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION public.plus(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE OPERATOR public.%%% (FUNCTION = public.plus, LEFTARG = integer, RIGHTARG = integer);
    CREATE FUNCTION public.f(a integer DEFAULT public.first() OPERATOR(public.%%%) 2, b public.mood DEFAULT 'ok', c public.small DEFAULT 3::public.small,
      d text DEFAULT lower('a' COLLATE public.collated), e bigint DEFAULT nextval('public.numbers'), g regtype DEFAULT 'public.small'::regtype,
      h public.mood[] DEFAULT '{}') RETURNS integer LANGUAGE sql AS 'SELECT 1';`);
  const [row] = await db.query<{ tree: string; wanted: string[] }>(`
    SELECT proargdefaults::text AS tree,
           ARRAY['pg_proc:' || 'public.first'::regproc::oid, 'pg_proc:' || 'public.plus'::regproc::oid,
                 'pg_operator:' || 'public.%%%(integer,integer)'::regoperator::oid, 'pg_type:' || 'public.mood'::regtype::oid,
                 'pg_type:' || 'public.small'::regtype::oid, 'pg_type:' || 'public.mood[]'::regtype::oid,
                 'pg_collation:' || 'public.collated'::regcollation::oid, 'pg_class:' || 'public.numbers'::regclass::oid] AS wanted
      FROM pg_proc WHERE proname = 'f'`);
  const found = referencedBy(row?.tree ?? '').filter((key) => Number(key.split(':')[1]) >= 16384);
  expect(found.sort()).toEqual(row?.wanted.sort());
});

test('an OID constant is read in either byte order', () => {
  const constant = (bytes: string) =>
    `({CONST :consttype 2205 :constbyval true :constisnull false :location 7 :constvalue 4 [ ${bytes} ]})`;
  expect(referencedBy(constant('-1 64 0 0 0 0 0 0'))).toContain('pg_class:16639');
  expect(referencedBy(constant('0 0 0 0 0 0 64 -1'))).toContain('pg_class:16639');
});
