// A table that is chosen by itself brings what its indexes, checks and foreign keys want of operators, and can be made of it alone.
import { expect, test } from 'vitest';
import { parsePattern } from '#dist/selection/pattern.js';
import { selectSteps } from '#dist/selection/select.js';
import { readSchema, runSteps } from '../schema/judge.js';
import { createDatabase } from '../server/index.js';

const definitions = `
  CREATE SCHEMA s; CREATE SCHEMA other; CREATE SCHEMA unused;
  CREATE TYPE s.num AS (n integer);
  CREATE FUNCTION s.lt(s.num, s.num) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.n < $2.n';
  CREATE FUNCTION s.gt(s.num, s.num) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.n > $2.n';
  CREATE FUNCTION s.eq(s.num, s.num) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.n = $2.n';
  CREATE FUNCTION s.cmp(s.num, s.num) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($1.n, $2.n)';
  CREATE OPERATOR s.<< (FUNCTION = s.lt, LEFTARG = s.num, RIGHTARG = s.num, COMMUTATOR = OPERATOR(other.>>));
  CREATE OPERATOR other.>> (FUNCTION = s.gt, LEFTARG = s.num, RIGHTARG = s.num, COMMUTATOR = OPERATOR(s.<<));
  CREATE OPERATOR s.== (FUNCTION = s.eq, LEFTARG = s.num, RIGHTARG = s.num, COMMUTATOR = OPERATOR(s.==));
  CREATE OPERATOR CLASS s.num_ops DEFAULT FOR TYPE s.num USING btree AS OPERATOR 1 s.<<, OPERATOR 3 s.==, FUNCTION 1 s.cmp(s.num, s.num),
    FUNCTION 4 (s.num, s.num) btequalimage(oid);
  CREATE FUNCTION s.same(integer, bytea) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = length($2)';
  CREATE FUNCTION s.same(bytea, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length($1) = $2';
  CREATE OPERATOR s.= (FUNCTION = s.same, LEFTARG = integer, RIGHTARG = bytea, COMMUTATOR = OPERATOR(s.=));
  CREATE OPERATOR s.= (FUNCTION = s.same, LEFTARG = bytea, RIGHTARG = integer, COMMUTATOR = OPERATOR(s.=));
  CREATE OPERATOR unused.== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
  ALTER OPERATOR FAMILY integer_ops USING btree ADD OPERATOR 3 s.= (integer, bytea), OPERATOR 3 = (bytea, bytea);
  CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
  CREATE ACCESS METHOD heap3 TYPE TABLE HANDLER heap_tableam_handler;
  CREATE TABLE public.target (id integer PRIMARY KEY);
  CREATE TABLE public.sorted (n s.num) USING heap2;
  CREATE INDEX ON public.sorted (n);
  CREATE TABLE public.referring (t bytea REFERENCES public.target);`;

/** What of operators is there: without shells. */
const operators = `
  SELECT o.oid::regoperator::text AS name FROM pg_operator o WHERE oid >= 16384 AND oprcode <> 0
   UNION ALL SELECT opcname FROM pg_opclass WHERE oid >= 16384
   UNION ALL SELECT opfname FROM pg_opfamily WHERE oid >= 16384
   UNION ALL SELECT 'operator ' || amopstrategy FROM pg_amop WHERE oid >= 16384
   UNION ALL SELECT 'function ' || amprocnum FROM pg_amproc WHERE oid >= 16384
   UNION ALL SELECT amname FROM pg_am WHERE oid >= 16384 ORDER BY 1`;

async function chosen(pattern: readonly string[]): Promise<unknown[]> {
  await using source = await createDatabase();
  await source.run(definitions);
  const { objects, steps } = await readSchema(source.url);
  const { catalog, leftOut } = selectSteps({ objects, steps, tables: [] }, { tables: pattern.map((text) => parsePattern(text)) });
  expect(leftOut).toEqual([]);
  await using target = await createDatabase();
  await runSteps(target.url, catalog.steps);
  return (await target.query<{ name: string }>(operators)).map(({ name }) => name);
}

test('its index brings class, family, loose members, operators and their partners; the table its access method', async () => {
  expect(await chosen(['public.sorted'])).toEqual([
    'function 1',
    'function 4',
    'heap2',
    'num_ops',
    'num_ops',
    'operator 1',
    'operator 3',
    'other.>>(s.num,s.num)',
    's.<<(s.num,s.num)',
    's.==(s.num,s.num)',
  ]);
});

test('a foreign key between two types brings the members of the family of the server', async () => {
  expect(await chosen(['public.target', 'public.referring'])).toEqual([
    'operator 3',
    'operator 3',
    's.=(bytea,integer)',
    's.=(integer,bytea)',
  ]);
});

test('a table that has nothing to do with them brings none', async () => {
  expect(await chosen(['public.target'])).toEqual([]);
});
