-- A database of many small objects. `:scale` 1 gives 5,000 tables of ten columns, each with four defaults, a primary key, one more index
-- and one row, in ten schemas; and 2,000 functions. One statement, so that it can commit as it goes: the locks of one transaction would
-- not fit into a server's usual max_locks_per_transaction.
DO $script$
DECLARE
  relation text;
BEGIN
  FOR s IN 0..9 LOOP
    EXECUTE format('CREATE SCHEMA part%s', s);
  END LOOP;
  FOR i IN 1..(5000 * :scale)::int LOOP
    relation := format('part%s.item%s', i % 10, i);
    EXECUTE format($sql$
      CREATE TABLE %1$s (
        id bigint PRIMARY KEY,
        name text NOT NULL DEFAULT 'item %2$s'::text,
        state varchar(20) NOT NULL DEFAULT 'new',
        amount numeric(20, 4) DEFAULT (%2$s * 2),
        created timestamptz NOT NULL DEFAULT now(),
        parent bigint,
        address bytea,
        payload jsonb,
        flags boolean[],
        changed timestamp)$sql$, relation, i);
    EXECUTE format('CREATE INDEX ON %s (state, created DESC) WHERE parent IS NOT NULL', relation);
    EXECUTE format('INSERT INTO %s (id) VALUES (%s)', relation, i);
    IF i % 500 = 0 THEN
      COMMIT;
    END IF;
  END LOOP;
  FOR i IN 1..(2000 * :scale)::int LOOP
    EXECUTE format($sql$
      CREATE FUNCTION part%s.compute%s(base bigint, factor numeric DEFAULT 1.5) RETURNS numeric LANGUAGE plpgsql STABLE AS $body$
BEGIN
  -- Number %2$s.
  IF base IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN base * factor + %2$s;
END$body$$sql$, i % 10, i);
  END LOOP;
END
$script$
