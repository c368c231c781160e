-- Large text and jsonb. `:scale` 1 gives about 1 GB of rows as COPY text: 44,000 documents of prose and 44,000 of jsonb, each of 2 to 20 kB,
-- so that PostgreSQL compresses them and keeps them in TOAST tables. Prose: of 3,000 words, some more frequent than others, 150,000
-- sentences are made, of which few come again near enough for a compressor to see it.
CREATE TABLE articles (
  id bigint NOT NULL,
  title text NOT NULL,
  written timestamptz NOT NULL,
  body text NOT NULL
);
CREATE TABLE records (
  id bigint NOT NULL,
  kind text NOT NULL,
  document jsonb NOT NULL
);
CREATE TEMPORARY TABLE sentences AS
SELECT s, (SELECT string_agg(translate(substr(md5('word ' || v), 1, 2 + v * 7 % 8), '0123456789', 'ghijklmnop'), ' ' ORDER BY w)
             FROM generate_series(0, 15) w, LATERAL (SELECT (power(('x' || substr(key, 1 + 4 * w, 4))::bit(16)::int / 65536.0::float8, 2) * 3000)::int AS v OFFSET 0) o) AS words
  FROM generate_series(0, 149999) s, LATERAL (SELECT md5('s' || s) || md5('t' || s) AS key OFFSET 0) k;
CREATE UNIQUE INDEX ON sentences (s) INCLUDE (words);
ANALYZE sentences;
INSERT INTO articles
SELECT i, 'article ' || i || ': ' || md5('title' || i), timestamptz '2015-01-01 00:00+00' + i * interval '37 minutes',
       (SELECT string_agg((SELECT words FROM sentences WHERE s = ('x' || substr(key, 1, 7))::bit(28)::int % 150000) || ' ' || substr(key, 8, 6) || '. ', '' ORDER BY n)
          FROM generate_series(1, 20 + ('x' || substr(md5('l' || i), 1, 7))::bit(28)::int % 180) n,
               LATERAL (SELECT md5(i || ' ' || n) AS key OFFSET 0) k)
  FROM generate_series(1, (44000 * :scale)::bigint) i;
INSERT INTO records
SELECT i, (ARRAY['order', 'invoice', 'shipment'])[1 + i % 3],
       (SELECT jsonb_build_object('id', i, 'source', '0x' || md5('src' || i), 'items', jsonb_agg(jsonb_build_object('line', n, 'code', substr(key, 1, 12),
                 'name', 'product ' || n * 7919 % 1000, 'price', ('x' || substr(key, 13, 6))::bit(24)::int, 'taxed', n % 4 = 0, 'tags',
                 jsonb_build_array('t' || n % 10, 'u' || i % 50)) ORDER BY n))
          FROM generate_series(1, 16 + ('x' || substr(md5('r' || i), 1, 7))::bit(28)::int % 150) n,
               LATERAL (SELECT md5('r' || i || ' ' || n) AS key OFFSET 0) k)
  FROM generate_series(1, (44000 * :scale)::bigint) i;
DROP TABLE sentences;
ALTER TABLE articles ADD PRIMARY KEY (id);
ALTER TABLE records ADD PRIMARY KEY (id);
CREATE INDEX records_kind ON records (kind);
