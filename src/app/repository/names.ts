// Names in a repository: `<prefix>-<height>.tar.zst`, or the time in place of a height, and the files beside it. Pure. Names are for
// people and for finding one's own files: what a snapshot is worth stands in its records.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';

const ending = '.tar.zst';

/** @throws TidemarkError USAGE for a prefix that could not be told from other parts of a name */
export function checkPrefix(prefix: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(prefix)) return;
  throw new TidemarkError(
    'USAGE',
    `name snapshots ${JSON.stringify(prefix)}-...: a prefix has letters, digits, "_", "-" and ".", 100 at most`,
    {
      hint: 'begin it with a letter, a digit or "_"',
    },
  );
}

/** The name for a snapshot of this position: its height, else its time in UTC. `turn` tells several of the same from each other, from 1 on. */
export function idFor(prefix: string, { height, at }: Position, turn: number): string {
  const mark = height === undefined ? at.toISOString().replace(/[-:]|\.\d+/g, '') : String(height);
  return `${prefix}-${mark}${turn === 1 ? '' : `.${turn}`}`;
}

export function keyOf(id: string): string {
  return `${id}${ending}`;
}

/** The snapshot that a file of this name would be; undefined for a foreign one. */
export function parseKey(prefix: string, name: string): string | undefined {
  if (!name.startsWith(`${prefix}-`) || !name.endsWith(ending)) return undefined;
  const id = name.slice(0, -ending.length);
  return /^(\d{1,19}|\d{8}T\d{6}Z)(\.[1-9]\d*)?$/.test(id.slice(prefix.length + 1)) ? id : undefined;
}

/** Files beside an archive, apart from those that every archive has. */
export const verifiedFile = (key: string): string => `${key}.verified.json`;
export const pinFile = (key: string): string => `${key}.pin`;
export const drillFile = (key: string): string => `${key}.drill.json`;

/** Of the whole series: the snapshot that was tried last may be gone before the next drill is due. */
export const lastDrillFile = (prefix: string): string => `${prefix}.last-drill.json`;
