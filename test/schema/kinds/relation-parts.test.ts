// What hangs off relations in states that a fixture cannot show, because a round trip does not keep them: what a failed command left
// behind, and what belongs to an extension.
import { describe, expect, test } from 'vitest';
import { createDatabase, createRole, requestedVersions } from '../../server/index.js';
import { dumpSchema, readSchema, runSteps } from '../judge.js';

describe.each(requestedVersions())('parts of relations on PostgreSQL %i', (version) => {
  // Case 160.
  test('an index that is not valid is left out and told', async () => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run('CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1)');
    await expect(source.query('CREATE UNIQUE INDEX CONCURRENTLY t_failed ON t (a)', [])).rejects.toThrow(/t_failed/);
    const schema = await readSchema(source.url);
    expect(schema.leftOut.map(({ name }) => name)).toEqual([expect.stringContaining('t_failed')]);
    expect(schema.objects.map(({ name }) => name)).not.toContain('t_failed');
    await runSteps(target.url, schema.steps);
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  });

  test("what hangs off an extension's table comes with the extension", async () => {
    await using source = await createDatabase({ version });
    await source.run(`
      CREATE TABLE member (a integer PRIMARY KEY, b integer REFERENCES member);
      CREATE INDEX member_b ON member (b);
      CREATE RULE member_rule AS ON DELETE TO member DO INSTEAD NOTHING;
      CREATE POLICY member_policy ON member USING (true);
      CREATE STATISTICS member_statistics ON a, b FROM member;
      CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER member_trigger AFTER INSERT ON member EXECUTE FUNCTION fire();
      ALTER EXTENSION plpgsql ADD TABLE member;
      CREATE VIEW of_member AS SELECT a FROM member`);
    const { objects } = await readSchema(source.url);
    expect(objects.filter(({ kind }) => !['schema', 'extension'].includes(kind)).map(({ name }) => name)).toEqual(['fire()', 'of_member']);
  });

  // Case 28. A new database has it from the start, so that nothing shows afterwards that it was made again.
  test('plpgsql, dropped and made again by the user', async () => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      DROP EXTENSION plpgsql;
      CREATE EXTENSION plpgsql;
      COMMENT ON EXTENSION plpgsql IS 'made again';
      CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'`);
    await runSteps(target.url, (await readSchema(source.url)).steps);
    const comment = `SELECT obj_description(oid, 'pg_extension') AS comment, public.f() FROM pg_extension WHERE extname = 'plpgsql'`;
    expect(await target.query(comment)).toEqual([{ comment: 'made again', f: 1 }]);
  });

  // Case 31.
  test("what the user added to an extension's table is told: it does not come back", async () => {
    await using source = await createDatabase({ version });
    await source.run(`
      CREATE TABLE member (a integer PRIMARY KEY, b integer);
      CREATE INDEX theirs ON member (b);
      ALTER EXTENSION plpgsql ADD TABLE member`);
    await source.run(`
      CREATE INDEX added ON member (b, a);
      CREATE POLICY added ON member USING (true);
      CREATE RULE added AS ON DELETE TO member DO INSTEAD NOTHING;
      CREATE STATISTICS added ON a, b FROM member;
      CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER added AFTER INSERT ON member EXECUTE FUNCTION fire()`);
    const { leftOut, objects } = await readSchema(source.url);
    const reason = 'its table belongs to an extension, which makes it anew without this';
    expect(leftOut.map(({ kind, name }) => `${kind} ${name.replaceAll('"', '')}`).sort()).toEqual([
      'index public.added',
      'policy added on public.member',
      'rule added on public.member',
      'statistics object public.added',
      'trigger added on public.member',
    ]);
    expect(new Set(leftOut.map((one) => one.reason))).toEqual(new Set([reason]));
    expect(objects.map(({ name }) => name)).not.toContain('added');
  });

  // Case 133.
  test('a partition whose detachment was interrupted is a partition still, with all that comes from the partitioned table', async () => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      CREATE TABLE target (a integer PRIMARY KEY);
      CREATE TABLE whole (a integer CONSTRAINT whole_fk REFERENCES target, b integer, PRIMARY KEY (a, b)) PARTITION BY LIST (b);
      CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
      CREATE INDEX ON whole (b);
      CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER whole_trigger AFTER INSERT ON whole FOR EACH ROW EXECUTE FUNCTION fire();
      ALTER TABLE part DISABLE TRIGGER whole_trigger;
      -- what an interrupted ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY leaves
      UPDATE pg_catalog.pg_inherits SET inhdetachpending = true WHERE inhrelid = 'part'::regclass`);
    const { steps } = await readSchema(source.url);
    await runSteps(target.url, steps);
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  });

  test('a policy names its roles, so that a restore can ask for them', async () => {
    await using reader = await createRole({ version });
    await using writer = await createRole({ version });
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(`
      CREATE TABLE t (a integer);
      CREATE POLICY p ON t TO "${writer.name}", "${reader.name}" USING (a > 0);
      CREATE POLICY q ON t USING (a > 0)`);
    const { steps, objects } = await readSchema(source.url);
    const policies = steps.filter(({ object, facet }) => objects[object]?.kind === 'policy' && facet === 'definition');
    expect(policies.map(({ roles }) => roles && [...roles].sort())).toEqual([[reader.name, writer.name].sort(), undefined]);
    await runSteps(target.url, steps);
    expect(await dumpSchema(target.url)).toEqual(await dumpSchema(source.url));
  });

  test('a materialized view is refreshed after those it reads, last of all; not when one of them is empty', async () => {
    await using source = await createDatabase({ version });
    await source.run(`
      CREATE TABLE base (id integer PRIMARY KEY);
      CREATE MATERIALIZED VIEW z AS SELECT id FROM base;
      CREATE VIEW between AS SELECT id FROM z;
      CREATE MATERIALIZED VIEW a AS SELECT id FROM between;
      CREATE MATERIALIZED VIEW bottom AS SELECT id FROM base;
      CREATE MATERIALIZED VIEW above AS SELECT id FROM bottom;
      CREATE MATERIALIZED VIEW top AS SELECT id FROM above;
      REFRESH MATERIALIZED VIEW bottom WITH NO DATA;
      CREATE INDEX ON a (id);
      COMMENT ON INDEX a_id_idx IS 'a comment'`);
    const { steps } = await readSchema(source.url);
    expect(steps.slice(-2).map(({ statements }) => statements)).toEqual([
      ['REFRESH MATERIALIZED VIEW "public"."z"'],
      ['REFRESH MATERIALIZED VIEW "public"."a"'],
    ]);
    expect(steps.filter(({ facet }) => facet === 'refresh')).toHaveLength(2);
    expect(steps.at(-1)?.needs).toContain(steps.at(-2)?.id);
  });
});
