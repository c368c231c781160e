-- Incompressible bytea. `:scale` 1 gives about 1 GB of rows as COPY text, which has two hex digits for each byte: 9,900 values of 1 to
-- 100 kB. Bytes come from sha512 of the row's number.
CREATE TABLE blobs (
  id bigint NOT NULL,
  name text NOT NULL,
  content bytea NOT NULL
);
INSERT INTO blobs
SELECT i, 'blob-' || md5(i::text),
       (SELECT string_agg(sha512(convert_to(i || ' ' || n, 'UTF8')), '' ORDER BY n) FROM generate_series(1, 16 + ('x' || substr(md5('l' || i), 1, 7))::bit(28)::int % 1585) n)
  FROM generate_series(1, (9900 * :scale)::bigint) i;
ALTER TABLE blobs ADD PRIMARY KEY (id);
