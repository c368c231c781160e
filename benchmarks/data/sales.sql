-- Orders and their lines: many columns of a few bytes each. `:scale` 1 gives about 1 GB of rows as COPY text: 1,700,000 orders of four lines each.
CREATE TABLE orders (
  id bigint NOT NULL, customer integer NOT NULL, status char(1) NOT NULL, total numeric(15, 2) NOT NULL, ordered date NOT NULL, priority char(15) NOT NULL,
  clerk char(15) NOT NULL, remark varchar(79) NOT NULL
);
INSERT INTO orders
SELECT i, h % 150000, substr('OFP', 1 + h % 3, 1), (h % 50000000)::numeric / 100, date '2015-01-01' + h % 2406,
       (ARRAY['urgent', 'high', 'medium', 'not specified', 'low'])[1 + h % 5], 'clerk ' || lpad((h % 1000)::text, 9, '0'),
       substr('to be left with the neighbours on the second floor if nobody opens before noon, ring twice, and call the office otherwise', 1 + h % 60, 20 + h % 50)
  FROM generate_series(1, (1700000 * :scale)::bigint) i, LATERAL (SELECT ('x' || substr(md5(i::text), 1, 7))::bit(28)::int AS h OFFSET 0) v;
CREATE TABLE order_lines (
  order_id bigint NOT NULL, line integer NOT NULL, part integer NOT NULL, supplier integer NOT NULL, quantity numeric(15, 2) NOT NULL, price numeric(15, 2) NOT NULL,
  discount numeric(15, 2) NOT NULL, tax numeric(15, 2) NOT NULL, returned char(1) NOT NULL, shipped date NOT NULL, promised date NOT NULL, received date NOT NULL,
  instruction char(25) NOT NULL, mode char(10) NOT NULL, remark varchar(44) NOT NULL
);
INSERT INTO order_lines
SELECT 1 + i / 4, i % 4, h % 200000, h % 10000, 1 + h % 50, (h % 10000000)::numeric / 100, (h % 11)::numeric / 100, (h % 9)::numeric / 100, substr('ANR', 1 + h % 3, 1),
       date '2015-01-01' + h % 2500, date '2015-01-20' + h % 2477, date '2015-02-01' + h % 2501,
       (ARRAY['deliver in person', 'collect', 'none', 'take back what is old'])[1 + h % 4], (ARRAY['air', 'rail', 'ship', 'truck', 'mail'])[1 + h % 5],
       substr('to be left with the neighbours on the second floor if nobody opens before noon, ring twice, and call the office otherwise', 1 + h % 70, 10 + h % 34)
  FROM generate_series(0, (6800000 * :scale)::bigint - 1) i, LATERAL (SELECT ('x' || substr(md5(i::text), 1, 7))::bit(28)::int AS h OFFSET 0) v;
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE order_lines ADD PRIMARY KEY (order_id, line);
CREATE INDEX orders_customer ON orders (customer);
CREATE INDEX order_lines_shipped ON order_lines (shipped);
