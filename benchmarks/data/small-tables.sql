-- Many small tables and nothing else. `:scale` 1 gives 5,000 tables of 20 rows, each with a primary key. One statement, so that it can
-- commit as it goes: the locks of one transaction would not fit into a server's usual max_locks_per_transaction.
DO $script$
BEGIN
  FOR i IN 1..greatest(1, (5000 * :scale)::int) LOOP
    EXECUTE format('CREATE TABLE tenant%s (id integer PRIMARY KEY, name text NOT NULL, amount numeric(20, 4), created timestamptz NOT NULL, note text)', i);
    EXECUTE format($sql$
      INSERT INTO tenant%1$s
      SELECT n, 'name ' || md5('%1$s ' || n), n * 17.25, timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', CASE WHEN n %% 3 = 0 THEN md5('note' || n) END
        FROM generate_series(1, 20) n$sql$, i);
    IF i % 500 = 0 THEN
      COMMIT;
    END IF;
  END LOOP;
END
$script$
