-- An indexer-like database. `:scale` 1 gives about 1 GB of rows as COPY text: 40,000 blocks, 600,000 transactions, 1,800,000 events.
-- The harness replaces :scale; values come from md5 of the row's number, so every run makes the same rows.
CREATE TABLE blocks (
  height bigint NOT NULL,
  hash text NOT NULL,
  parent_hash text NOT NULL,
  mined_at timestamptz NOT NULL,
  transactions integer NOT NULL
);
CREATE TABLE transactions (
  id bigint NOT NULL,
  height bigint NOT NULL,
  hash bytea NOT NULL,
  sender text NOT NULL,
  receiver text,
  value numeric(78, 0) NOT NULL,
  input bytea NOT NULL
);
CREATE TABLE events (
  id bigint NOT NULL,
  transaction_id bigint NOT NULL,
  height bigint NOT NULL,
  address text NOT NULL,
  topic text NOT NULL,
  data jsonb NOT NULL
);
INSERT INTO blocks
SELECT h, '0x' || md5(h::text) || md5('b' || h), '0x' || md5((h - 1)::text) || md5('b' || h - 1),
       timestamptz '2024-01-01 00:00+00' + h * interval '12 seconds', 15
  FROM generate_series(1, (40000 * :scale)::bigint) h;
INSERT INTO transactions
SELECT i, 1 + i / 15, decode(md5(i::text) || md5('t' || i), 'hex'), '0x' || substr(md5('s' || i % 5000) || md5('a'), 1, 40),
       CASE WHEN i % 20 <> 0 THEN '0x' || substr(md5('r' || i % 20000) || md5('b'), 1, 40) END,
       (i * 1000003)::numeric * 1000000007,
       decode('a9059cbb' || repeat('00', 12) || substr(md5('r' || i % 20000) || md5('b'), 1, 40) || repeat('00', 24) || substr(md5('v' || i), 1, 16)
         || repeat('00', (i % 7 * 16)::int) || md5('x' || i) || md5('y' || i), 'hex')
  FROM generate_series(0, (600000 * :scale)::bigint - 1) i;
INSERT INTO events
SELECT i, i / 3, 1 + i / 45, '0x' || substr(md5('c' || i % 300) || md5('c'), 1, 40), '0x' || md5('topic' || i % 12) || md5('e' || i % 12),
       jsonb_build_object('from', '0x' || substr(md5('s' || i % 5000) || md5('a'), 1, 40), 'to', '0x' || substr(md5('r' || i) || md5('b'), 1, 40),
         'value', (i * 7919)::text, 'index', i % 3, 'removed', false, 'txHash', '0x' || md5((i / 3)::text) || md5('t' || i / 3),
         'logHash', '0x' || md5('l' || i))
  FROM generate_series(0, (1800000 * :scale)::bigint - 1) i;
ALTER TABLE blocks ADD PRIMARY KEY (height);
ALTER TABLE transactions ADD PRIMARY KEY (id);
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX blocks_hash ON blocks (hash);
CREATE INDEX transactions_height ON transactions (height);
CREATE INDEX transactions_sender ON transactions (sender);
CREATE INDEX events_height ON events (height);
CREATE INDEX events_address_topic ON events (address, topic);
ALTER TABLE transactions ADD FOREIGN KEY (height) REFERENCES blocks (height) NOT VALID;
