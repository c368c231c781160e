// A position as one line for people and logs.
import type { Position } from '../model/position.js';
import { formatLsn } from '../pg/lsn.js';

/** `height 14999, hash 0xabc, 2026-11-21T12:00:00.000Z, LSN 0/1A2B3C` */
export function formatPosition({ at, lsn, height, hash }: Position): string {
  const parts = [];
  if (height !== undefined) parts.push(`height ${height}`);
  if (hash !== undefined) parts.push(`hash ${hash}`);
  parts.push(at.toISOString(), `LSN ${formatLsn(lsn)}`);
  return parts.join(', ');
}
