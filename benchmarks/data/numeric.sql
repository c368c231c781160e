-- A wide table of numbers. `:scale` 1 gives about 1 GB of rows as COPY text: 1,450,000 rows of 40 columns. Half of the amounts are as
-- chains have them (round, or in the smallest unit), half are full of digits; columns of one kind differ, so that no column foretells another.
CREATE TABLE measurements (
  id bigint NOT NULL,
  n0 numeric(78, 0), n1 numeric(78, 0), n2 numeric(78, 0), n3 numeric(78, 0), n4 numeric(78, 0),
  n5 numeric(78, 0), n6 numeric(78, 0), n7 numeric(78, 0), n8 numeric(78, 0), n9 numeric(78, 0),
  i0 bigint, i1 bigint, i2 bigint, i3 bigint, i4 bigint, i5 bigint, i6 bigint, i7 bigint, i8 bigint, i9 bigint,
  f0 float8, f1 float8, f2 float8, f3 float8, f4 float8, f5 float8, f6 float8, f7 float8, f8 float8, f9 float8,
  t0 timestamptz, t1 timestamptz, t2 timestamptz, t3 timestamptz, t4 timestamptz,
  s0 integer, s1 integer, s2 integer, s3 integer
);
INSERT INTO measurements
SELECT i,
       -- 72 digits or so, 36, 18, and round ones
       a::numeric * b * c * d, b::numeric * c * d * e, a::numeric * c, b::numeric * d, a % 1000000007::numeric * 1000000000000000000,
       c % 100003::numeric * 10000000000, d, i::numeric * 1000003 * 1000000007, CASE WHEN i % 3 = 0 THEN e::numeric * e END, 0,
       a, b, c % 1000000007, d % 1000003, e % 65536, i / 150, i % 150, -a, CASE WHEN i % 10 <> 0 THEN b % 1000 END, 1000000 + i * 12,
       a / 1e7::float8, b / 1e15::float8, c % 100000 / 100::float8, sqrt(d), ln(1 + e), sin(i), i / 3::float8, (a % 1000)::float8, 0.1, -b / 3::float8,
       timestamptz '2024-01-01 00:00+00' + i * interval '1 second', timestamptz '2024-01-01 00:00+00' + i / 12 * interval '12 seconds',
       timestamptz '2020-01-01 00:00+00' + a % 200000000 * interval '1 second', timestamptz '2024-01-01 00:00+00' + b % 86400000000 * interval '1 microsecond',
       CASE WHEN i % 7 = 0 THEN timestamptz '2025-01-01 00:00+00' + c % 86400 * interval '1 minute' END,
       i % 15, a % 100, b % 10000, c % 2000000000
  FROM generate_series(1, (1450000 * :scale)::bigint) i,
       LATERAL (SELECT md5(i::text) || md5('n' || i) || md5('m' || i) AS hex OFFSET 0) h,
       LATERAL (SELECT ('x' || substr(hex, 1, 15))::bit(60)::bigint AS a, ('x' || substr(hex, 16, 15))::bit(60)::bigint AS b,
                       ('x' || substr(hex, 31, 15))::bit(60)::bigint AS c, ('x' || substr(hex, 46, 15))::bit(60)::bigint AS d,
                       ('x' || substr(hex, 61, 15))::bit(60)::bigint AS e OFFSET 0) v;
ALTER TABLE measurements ADD PRIMARY KEY (id);
CREATE INDEX measurements_t0 ON measurements (t0);
