// Reads large objects as rows: pieces of (OID, offset, bytes), by COPY like those of tables, so that workers share them and nothing is
// ever in memory as a whole. This one asks for sizes and splits the objects among ranges (pure); that they exist, their owners and
// privileges are schema/kinds/large-object.ts's.
// https://www.postgresql.org/docs/current/lo-funcs.html
import { largeObjectDirectory, largeObjectRange } from '../frame/member-names.js';
import type { CatalogTable, Column, CopyFormat, OidRange } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { sqlstateOf } from '../pg/errors.js';
import type { Session } from '../pg/session.js';
import { rangeBytes } from './ranges.js';

/** Bytes of a piece: a whole number of the server's pages of large objects (2 kB, 8 kB at most), so that pieces can be put back in any
 *  order by several sessions. */
export const pieceBytes = 256 << 10;

const columns: readonly Column[] = [
  { name: 'loid', type: 'oid' },
  { name: 'offset', type: 'bigint' },
  { name: 'data', type: 'bytea' },
];

/** What catalog and manifest have in the place of a table. */
export function largeObjectTable({ object, count, format }: { object: number; count: number; format: CopyFormat }): CatalogTable {
  return {
    object,
    directory: largeObjectDirectory,
    schema: 'pg_catalog',
    name: 'pg_largeobject',
    columns,
    format,
    largeObjects: count,
  };
}

/** Objects with OIDs [cell * cellOids, (cell + 1) * cellOids). */
const cellOids = 256;
const cells = 2 ** 32 / cellOids;
/** What an object costs beside its bytes, in bytes. */
const objectCost = 2048n;

export interface Cell {
  readonly cell: number;
  readonly objects: number;
  readonly bytes: bigint;
}

/** Sizes of all large objects: those of more than a range by themselves, the others by the cell. */
export interface LargeObjectSizes {
  readonly large: readonly { readonly oid: number; readonly bytes: bigint }[];
  /** In order, without empty ones. */
  readonly small: readonly Cell[];
}

/** Some objects as a whole, or a part of one. */
export interface LargeObjectRange {
  /** Its part of member names. */
  readonly name: string;
  readonly oids: OidRange;
  /** Of one object: from the first to before the second byte, of as many as it has. */
  readonly part?: { readonly from: bigint; readonly end: bigint; readonly size: bigint };
  /** An estimate, for the order of work and for progress. */
  readonly bytes: bigint;
}

/** Every object with its size, by opening it: pg_largeobject itself is for superusers. The functions are volatile, so that the server
 *  calls them once an object, and in this order. */
function sized(where: string): string {
  return (
    '(SELECT oid, lo_lseek64(fd, 0, 2) AS size, lo_close(fd) AS closed' +
    ` FROM (SELECT oid, lo_open(oid, 262144) AS fd FROM pg_largeobject_metadata ${where} ORDER BY oid OFFSET 0) AS opened OFFSET 0) AS o`
  );
}

interface SizeRow extends Record<string, unknown> {
  readonly oid: string | null;
  readonly cell: string;
  readonly objects: string;
  readonly bytes: string;
}

/** In the snapshot's transaction.
 *  @throws TidemarkError PERMISSION_DENIED for one that the role may not read */
export async function readLargeObjectSizes(session: Session): Promise<LargeObjectSizes> {
  const rows = await query(session);
  return {
    large: rows.flatMap(({ oid, bytes }) => (oid === null ? [] : [{ oid: Number(oid), bytes: BigInt(bytes) }])),
    small: rows.flatMap(({ oid, cell, objects, bytes }) =>
      oid === null ? [{ cell: Number(cell), objects: Number(objects), bytes: BigInt(bytes) }] : [],
    ),
  };
}

async function query(session: Session): Promise<readonly SizeRow[]> {
  try {
    return await session.query<SizeRow>(`
      SELECT CASE WHEN o.size > ${rangeBytes} THEN o.oid END::int8 AS oid, o.oid::int8 / ${cellOids} AS cell, count(*) AS objects, sum(o.size) AS bytes
        FROM ${sized('')} GROUP BY 1, 2 ORDER BY 2, 1`);
  } catch (error) {
    if (!(error instanceof TidemarkError) || sqlstateOf(error) !== '42501') throw error;
    throw new TidemarkError(
      'PERMISSION_DENIED',
      `read the large objects: ${error.cause instanceof Error ? error.cause.message : error.message}`,
      {
        cause: error,
        details: error.details,
        hint: 'grant SELECT on all of them, take the snapshot as a superuser, or leave them out with --no-large-objects',
      },
    );
  }
}

/** The ranges, in order. Their boundaries are powers of two of OIDs, and do not depend on objects far away: the same objects are the
 *  same range in another snapshot. */
export function splitLargeObjects({ large, small }: LargeObjectSizes, targetBytes = rangeBytes): readonly LargeObjectRange[] {
  const parts = large.flatMap(({ oid, bytes }): LargeObjectRange[] => {
    const count = Number((bytes + targetBytes - 1n) / targetBytes);
    return Array.from({ length: count }, (_, part) => {
      const from = BigInt(part) * targetBytes;
      const end = from + targetBytes < bytes ? from + targetBytes : bytes;
      return { name: largeObjectRange(oid, part), oids: [oid, oid], part: { from, end, size: bytes }, bytes: end - from };
    });
  });
  return [...parts, ...halve(small, { first: 0, count: cells, targetBytes })];
}

interface Span {
  readonly first: number;
  /** Cells, a power of two. */
  readonly count: number;
  readonly targetBytes: bigint;
}

function halve(inside: readonly Cell[], { first, count, targetBytes }: Span): readonly LargeObjectRange[] {
  if (inside.length === 0) return [];
  const bytes = inside.reduce((sum, cell) => sum + cell.bytes + objectCost * BigInt(cell.objects), 0n);
  if (bytes <= targetBytes || count === 1) {
    const from = first * cellOids;
    return [{ name: largeObjectRange(from), oids: [from, from + count * cellOids - 1], bytes }];
  }
  const half = count / 2;
  const middle = first + half;
  return [
    ...halve(
      inside.filter(({ cell }) => cell < middle),
      { first, count: half, targetBytes },
    ),
    ...halve(
      inside.filter(({ cell }) => cell >= middle),
      { first: middle, count: half, targetBytes },
    ),
  ];
}

/** COPY of the pieces of one range. The last piece of an object is always there, if need be without a byte, and with it the object and its
 *  size; others only where they hold something else than zeros, so that what was sparse stays so. */
export function copyLargeObjects({ oids: [first, last], part }: LargeObjectRange, format: CopyFormat): string {
  const zeros = `decode(repeat('00', ${pieceBytes}), 'hex')`;
  const objects =
    part === undefined
      ? sized(`WHERE oid BETWEEN '${first}'::oid AND '${last}'::oid`)
      : `(SELECT '${first}'::oid AS oid, ${part.size}::int8 AS size) AS o`;
  const [from, end] = part === undefined ? ['0', 'greatest(o.size, 1)'] : [part.from, part.end];
  return (
    `COPY (SELECT o.oid AS loid, p.at AS "offset", p.data FROM ${objects}` +
    ` CROSS JOIN LATERAL (SELECT g.at, lo_get(o.oid, g.at, ${pieceBytes}) AS data` +
    ` FROM generate_series(${from}::int8, ${end}::int8 - 1, ${pieceBytes}) AS g (at) OFFSET 0) AS p` +
    ` WHERE (p.at + ${pieceBytes} >= o.size OR p.data <> ${zeros})${part === undefined ? ` AND o.size <= ${rangeBytes}` : ''})` +
    ` TO STDOUT (FORMAT ${format})`
  );
}

/** For messages. */
export function describeRange({ oids: [first, last] }: LargeObjectRange): string {
  return first === last ? `large object ${first}` : `large objects ${first} to ${last}`;
}
