-- A time series with nothing but its key. `:scale` 1 gives about 1 GB of rows as COPY text: 15,700,000 rows.
CREATE TABLE readings (
  device integer NOT NULL, read_at timestamptz NOT NULL, temperature float8, humidity float4, battery smallint, state text
);
INSERT INTO readings
SELECT i % 1000, timestamptz '2024-01-01 00:00+00' + i / 1000 * interval '10 seconds', 20 + 10 * sin(i / 5000.0) + h / 1e6, 50 + h % 500 / 100.0, 100 - i / 200000,
       CASE WHEN h % 4 = 0 THEN 'warn' ELSE 'ok' END
  FROM generate_series(0, (15700000 * :scale)::int - 1) i, LATERAL (SELECT ('x' || substr(md5(i::text), 1, 5))::bit(20)::int AS h OFFSET 0) v;
ALTER TABLE readings ADD PRIMARY KEY (device, read_at);
