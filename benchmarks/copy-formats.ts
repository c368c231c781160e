// What text and binary cost, type by type: processor time of the backend and of the reader, which compresses as a snapshot does, of the backend
// that loads the same rows again, and bytes. Processor time, since one of both may wait for the other, and others may use the machine. docs/decisions/0003 has the results.
// Usage: npm run bench:formats -- [--rows 300000] [--runs 3] [--level 3] [--type int4] [--url postgres://...]
import { parseArgs } from 'node:util';
import type { Codec } from '#dist/frame/codec.js';
import { chooseParameters } from '#dist/frame/compression-parameters.js';
import { headroom } from '#dist/frame/encode.js';
import { loadCodec } from '#dist/frame/zstd.js';
import { copyIn } from '#dist/pg/copy-in.js';
import { copyOut } from '#dist/pg/copy-out.js';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { ChunkBuilder } from '#dist/snapshot/chunk-builder.js';
import { connect, startServer } from '../test/server/index.js';
import { readStat } from './process-tree.js';

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '300000' },
    runs: { type: 'string', default: '3' },
    level: { type: 'string', default: '3' },
    type: { type: 'string' },
    url: { type: 'string' },
  },
});
const [rows, runs, level] = [Number(given.rows), Number(given.runs), Number(given.level)];
const columns = 8;
const chunkBytes = 4 << 20;

/** Values of column c (1 to 8) in row g. */
const cases: readonly (readonly [name: string, type: string, value: string])[] = [
  ['bool', 'bool', 'hashint4(g * 8 + c) % 2 = 0'],
  ['int2, 0 to 99', 'int2', 'abs(hashint4(g * 8 + c) % 100)'],
  ['int4, 0 to 999', 'int4', 'abs(hashint4(g * 8 + c) % 1000)'],
  ['int4, any', 'int4', 'hashint4(g * 8 + c)'],
  ['int8, counting', 'int8', '1000000000 + g * 8::int8 + c'],
  ['int8, any', 'int8', 'hashint8extended(g * 8 + c, 0)'],
  ['float8, 2 digits', 'float8', '(hashint4(g * 8 + c) % 100000) / 100.0'],
  ['float8, any', 'float8', 'hashint4(g * 8 + c) / 3.0::float8'],
  ['numeric, 2 digits', 'numeric', '(hashint4(g * 8 + c) % 10000000) / 100.0::numeric(12,2)'],
  ['numeric, 18 digits', 'numeric', 'abs(hashint8extended(g * 8 + c, 0) % 1000000000000000000)::numeric'],
  [
    'numeric, 78 digits',
    'numeric',
    "rpad(abs(hashint8extended(g * 8 + c, 0))::text || abs(hashint8extended(g * 8 + c, 1))::text || abs(hashint8extended(g * 8 + c, 2))::text || abs(hashint8extended(g * 8 + c, 3))::text, 78, '7')::numeric",
  ],
  ['date', 'date', "'2026-01-01'::date - abs(hashint4(g * 8 + c) % 4000)"],
  ['timestamptz, seconds', 'timestamptz', "'2026-01-01'::timestamptz - abs(hashint4(g * 8 + c) % 100000000) * interval '1 s'"],
  [
    'timestamptz, any',
    'timestamptz',
    "'2026-01-01'::timestamptz - abs(hashint8extended(g * 8 + c, 0) % 100000000000000) * interval '1 us'",
  ],
  ['uuid', 'uuid', 'md5((g * 8 + c)::text)::uuid'],
  ['bytea, 8 bytes', 'bytea', 'substr(sha256((g * 8 + c)::text::bytea), 1, 8)'],
  ['bytea, 32 bytes', 'bytea', 'sha256((g * 8 + c)::text::bytea)'],
  ['text, words', 'text', "(ARRAY['pending','done','failed','transfer','approve'])[1 + abs(hashint4(g * 8 + c) % 5)]"],
  ['text, 1 letter', 'text', "substr('ANR', 1 + abs(hashint4(g * 8 + c) % 3), 1)"],
  ['text, 12 letters', 'text', "substr('carefully final deposits sleep quickly above', 1 + abs(hashint4(g * 8 + c) % 30), 12)"],
  ['text, 32 letters', 'text', 'md5((g * 8 + c)::text)'],
  ['text, 66 letters', 'text', "'0x' || encode(sha256((g * 8 + c)::text::bytea), 'hex')"],
  ['char(84), blanks', 'char(84)', "''"],
  ['varchar, mixed', 'varchar(60)', "'user ' || abs(hashint4(g * 8 + c) % 100000) || ' in ' || (g % 50)"],
  ['jsonb', 'jsonb', "jsonb_build_object('id', g * 8 + c, 'kind', 'k' || (g % 7), 'ok', g % 2 = 0, 'v', abs(hashint4(g * 8 + c) % 1000))"],
  ['int4[], 5 numbers', 'int4[]', 'ARRAY[g, c, abs(hashint4(g * 8 + c) % 1000), 7, 100000 + c]'],
];

interface Cost {
  readonly server: number;
  readonly client: number;
  readonly raw: number;
  readonly compressed: number;
  /** Of the backend, for COPY FROM into an unlogged table without indexes. */
  readonly load: number;
}

async function copy({ session, into }: { session: Session; into: Session }, codec: Codec, format: 'text' | 'binary'): Promise<Cost> {
  const { pid } = await session.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const [serverBefore, clientBefore] = [readStat(pid)?.own ?? 0, process.cpuUsage()];
  const output = new ArrayBuffer(16 << 20);
  const chunks: Buffer[] = [];
  let [raw, compressed] = [0, 0];
  let parameters: ReturnType<typeof chooseParameters>;
  const builder = new ChunkBuilder(
    {
      format,
      chunkBytes,
      spoolPath: () => '/nonexistent',
      take: ({ buffer, bodyBytes }) => {
        const body = buffer.subarray(headroom, headroom + bodyBytes);
        if (raw === 0)
          parameters = chooseParameters(level, (one) => codec.compress(body.subarray(0, 512 << 10), level, { parameters: one }).length);
        raw += bodyBytes;
        chunks.push(Buffer.from(body));
        compressed += codec.compress(body, level, { parameters, output }).length;
      },
    },
    ChunkBuilder.allocate(chunkBytes),
  );
  await copyOut(session, `COPY public.t TO STDOUT (FORMAT ${format})`, builder);
  builder.end();
  const { user, system } = process.cpuUsage(clientBefore);
  const server = (readStat(pid)?.own ?? 0) - serverBefore;
  const load = await loadAgain(into, chunks, format);
  return { server, client: (user + system) / 1e6, raw, compressed, load };
}

async function loadAgain(session: Session, chunks: readonly Buffer[], format: 'text' | 'binary'): Promise<number> {
  await session.query('TRUNCATE public.again');
  const { pid } = await session.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const before = readStat(pid)?.own ?? 0;
  for (const chunk of chunks) await copyIn(session, `COPY public.again FROM STDIN (FORMAT ${format})`, [chunk]);
  return (readStat(pid)?.own ?? 0) - before;
}

/** Whoever else uses the machine makes one slower, never faster. */
function best(costs: readonly Cost[]): Cost {
  return {
    ...(costs[0] as Cost),
    server: Math.min(...costs.map(({ server }) => server)),
    client: Math.min(...costs.map(({ client }) => client)),
    load: Math.min(...costs.map(({ load }) => load)),
  };
}

const server = given.url === undefined ? await startServer() : undefined;
const url = given.url ?? server?.url ?? '';
const client = await connect(url);
const codec = await loadCodec();
const ratio = (a: number, b: number): string => (a / b).toFixed(2);
console.log(
  '| 8 columns of | text: server, reader, archive, load | binary: server, reader, archive, load | binary / text: server | reader | archive | load |\n|---|---|---|---|---|---|---|',
);
for (const [name, type, value] of cases.filter(([one]) => given.type === undefined || one.startsWith(given.type))) {
  const list = Array.from({ length: columns }, (_, i) => `(${value.replace(/\bc\b/g, String(i + 1))})::${type} AS c${i}`);
  await client.query('DROP TABLE IF EXISTS t');
  await client.query(`CREATE UNLOGGED TABLE t AS SELECT ${list.join(', ')} FROM generate_series(1, ${rows}) AS g`);
  await client.query('VACUUM (FREEZE) t');
  await client.query('DROP TABLE IF EXISTS again');
  await client.query('CREATE UNLOGGED TABLE again (LIKE t)');
  await using session = await openSession(resolveConnection(url, {}), { use: 'read', copiesOut: true });
  await session.carryRows(session.serverEncoding);
  await using into = await openSession(resolveConnection(url, {}), { use: 'write' });
  const costs: Record<'text' | 'binary', Cost[]> = { text: [], binary: [] };
  for (let run = 0; run < runs; run += 1)
    for (const format of ['text', 'binary'] as const) costs[format].push(await copy({ session, into }, codec, format));
  const [text, binary] = [best(costs.text), best(costs.binary)];
  const shown = ({ server: backend, client: reader, compressed, load }: Cost): string =>
    `${backend.toFixed(2)} s, ${reader.toFixed(2)} s, ${(compressed / 1e6).toFixed(1)} MB, ${load.toFixed(2)} s`;
  const ratios = [
    ratio(binary.server, text.server),
    ratio(binary.client, text.client),
    ratio(binary.compressed, text.compressed),
    ratio(binary.load, text.load),
  ];
  console.log(`| ${name} | ${shown(text)} | ${shown(binary)} | ${ratios.join(' | ')} |`);
}
await client.query('DROP TABLE IF EXISTS t, again');
await client.end();
await server?.[Symbol.asyncDispose]();
