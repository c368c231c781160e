-- Tables of some megabytes each. `:scale` 1 gives about 1 GB of rows as COPY text: 700 tables of 15,000 rows.
DO $script$
BEGIN
  FOR i IN 1..greatest(1, (700 * :scale)::int) LOOP
    EXECUTE format('CREATE TABLE tenant%s (id integer PRIMARY KEY, name text NOT NULL, created timestamptz NOT NULL, score float8, tags text[])', i);
    EXECUTE format($sql$
      INSERT INTO tenant%1$s
      SELECT n, md5('%1$s ' || n), timestamptz '2024-01-01 00:00+00' - n * interval '1 second', sin(n) * 100, ARRAY['a', 'b' || n %% 10]
        FROM generate_series(1, 15000) n$sql$, i);
    EXECUTE format('CREATE INDEX ON tenant%s (name)', i);
    IF i % 100 = 0 THEN
      COMMIT;
    END IF;
  END LOOP;
END
$script$
