// Finds the columns that cannot travel in binary although that was asked for: the archive could not be made, could not be restored, or
// would be restored to something else. What is merely safer as text ('auto') is copy-format.ts's decision.
import { TidemarkError } from '../model/errors.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** OIDs from here on differ from database to database or from version to version. */
const firstUnstableOid = 10_000;

// Looks into domains, arrays, ranges, multiranges and composites. Their receive functions compare the OIDs of element and column types
// with those of the target, and a reg* value is nothing but an OID.
const query = `
WITH RECURSIVE part (attrelid, attnum, attname, type) AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid FROM pg_attribute a
   WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  UNION
  SELECT p.attrelid, p.attnum, p.attname, inner_type.oid
    FROM part p JOIN pg_type t ON t.oid = p.type CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typsubscript = 'array_subscript_handler'::regproc
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
      UNION ALL SELECT f.atttypid FROM pg_attribute f
                 WHERE t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped) AS inner_type (oid)
)
SELECT n.nspname, c.relname, p.attname, format_type(t.oid, NULL) AS type, CASE
         WHEN t.typsend = 0 OR t.typreceive = 0 THEN 'have no binary form'
         WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typname ~ '^reg' THEN 'are OIDs of the source in binary'
         WHEN t.oid IN ('oidvector'::regtype, 'int2vector'::regtype) THEN 'the server does not take in binary where they are empty'
         ELSE 'have OIDs of types of the source in binary' END AS reason
  FROM part p JOIN pg_type t ON t.oid = p.type
  JOIN pg_class c ON c.oid = p.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE t.typsend = 0 OR t.typreceive = 0 OR t.typnamespace = 'pg_catalog'::regnamespace AND t.typname ~ '^reg'
    OR t.oid IN ('oidvector'::regtype, 'int2vector'::regtype)
    OR t.typsubscript = 'array_subscript_handler'::regproc AND t.typelem >= ${firstUnstableOid}
    OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_attribute f WHERE f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped
                                      AND f.atttypid >= ${firstUnstableOid})
 ORDER BY n.nspname, c.relname, p.attnum LIMIT 1`;

interface Unfit extends Record<string, unknown> {
  readonly nspname: string;
  readonly relname: string;
  readonly attname: string;
  readonly type: string;
  readonly reason: string;
}

/** @throws TidemarkError UNSUPPORTED_OBJECT naming the first column of these tables that cannot travel in binary */
export async function refuseUnfitForBinary(session: Session, oids: readonly number[]): Promise<void> {
  const [unfit] = await session.query<Unfit>(query, [oids]);
  if (unfit === undefined) return;
  const { nspname, relname, attname, type, reason } = unfit;
  throw new TidemarkError(
    'UNSUPPORTED_OBJECT',
    `copy ${qualifiedName(nspname, relname)} out in binary: its column ${attname} holds values of type ${type}, which ${reason}`,
    { hint: 'use --copy-format auto: it takes text for such tables', details: { schema: nspname, table: relname, column: attname, type } },
  );
}
