-- Short rows, as of a bank's ledger. `:scale` 1 gives about 1 GB of rows as COPY text: 7,500,000 accounts and 5,700,000 bookings.
CREATE TABLE accounts (id integer NOT NULL, branch integer NOT NULL, balance integer NOT NULL, filler char(84) NOT NULL);
INSERT INTO accounts SELECT i, i / 100000, 0, '' FROM generate_series(1, (7500000 * :scale)::int) i;
CREATE TABLE bookings (
  id bigint NOT NULL, teller integer NOT NULL, branch integer NOT NULL, account integer NOT NULL, delta integer NOT NULL, booked_at timestamp NOT NULL, filler char(22)
);
INSERT INTO bookings
SELECT i, h % 100, h % 10, h % 7500000, h % 10000 - 5000, timestamp '2024-01-01' + i * interval '1 second', NULL
  FROM generate_series(1, (5700000 * :scale)::int) i, LATERAL (SELECT ('x' || substr(md5(i::text), 1, 7))::bit(28)::int AS h OFFSET 0) v;
ALTER TABLE accounts ADD PRIMARY KEY (id);
ALTER TABLE bookings ADD PRIMARY KEY (id);
CREATE INDEX bookings_account ON bookings (account);
