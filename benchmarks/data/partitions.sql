-- One table in 40 partitions. `:scale` 1 gives about 1 GB of rows as COPY text: 7,000,000 rows.
CREATE TABLE logs (height integer NOT NULL, id bigint NOT NULL, kind smallint NOT NULL, hash bytea NOT NULL, payload text NOT NULL) PARTITION BY RANGE (height);
DO $script$
BEGIN
  FOR i IN 0..39 LOOP
    EXECUTE format('CREATE TABLE logs_%s PARTITION OF logs FOR VALUES FROM (%s) TO (%s)', i, i * 1000, (i + 1) * 1000);
  END LOOP;
END
$script$;
INSERT INTO logs
SELECT (i * 40000 / n)::int, i, i % 7, sha256(i::text::bytea),
       'transfer from ' || substr(md5(i::text), 1, 12) || ' to ' || substr(md5((i * 7)::text), 1, 12) || ' amount ' || i % 100000
  FROM (SELECT (7000000 * :scale)::bigint AS n) size, generate_series(0, n - 1) i;
ALTER TABLE logs ADD PRIMARY KEY (height, id);
CREATE INDEX logs_hash ON logs (hash);
