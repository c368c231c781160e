-- One giant table. `:scale` 1 gives about 1 GB of rows as COPY text: 4,100,000 rows.
CREATE TABLE transfers (
  id bigint NOT NULL,
  height bigint NOT NULL,
  mined_at timestamptz NOT NULL,
  sender text NOT NULL,
  receiver text,
  amount numeric(78, 0) NOT NULL,
  hash bytea NOT NULL,
  memo text NOT NULL
);
INSERT INTO transfers
SELECT i, 1 + i / 90, timestamptz '2024-01-01 00:00+00' + i / 90 * interval '12 seconds', '0x' || substr(md5('s' || i % 50000) || md5('a'), 1, 40),
       CASE WHEN i % 20 <> 0 THEN '0x' || substr(md5('r' || i % 200000) || md5('b'), 1, 40) END, (i * 1000003)::numeric * 1000000007,
       decode(md5(i::text) || md5('t' || i), 'hex'), 'transfer ' || i % 1000 || ' of batch ' || substr(md5('m' || i / 100), 1, 16)
  FROM generate_series(0, (4100000 * :scale)::bigint - 1) i;
ALTER TABLE transfers ADD PRIMARY KEY (id);
CREATE INDEX transfers_height ON transfers (height);
