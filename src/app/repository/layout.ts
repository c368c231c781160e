// Where in a store the snapshots of a series lie, and what is beside them. Pure. Names are for people and for finding one's own files: what a
// snapshot is worth stands in its records.
//   flat    <prefix>-<height>.tar.zst, and beside it <archive>.sha256, <archive>.manifest.json, ...
//   dated   <prefix>/<date>/snapshot.tar.zst, and beside it snapshot.sha256, manifest.json, ...
// One that is encrypted ends with .age, as does its manifest.
// A series without heights has times in place of them. Several of the same height or day are told apart by `.2`, `.3`.
import { checksumSidecar, encryptedManifestSidecar, manifestSidecar, signatureSidecar } from '../../archive/sidecars.js';
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';

export const layoutNames = ['flat', 'dated'] as const;
export type LayoutName = (typeof layoutNames)[number];

/** Keys of what may be beside an archive. */
export interface Beside {
  readonly checksum: string;
  readonly manifest: string;
  readonly signature: string;
  /** What a verification of every byte found. Without it a snapshot does not count. */
  readonly verified: string;
  readonly pin: string;
  readonly drill: string;
  /** Somebody is about to write the archive (reserve.ts). */
  readonly writing: string;
}

export interface Layout {
  readonly name: LayoutName;
  /** Keys of the series begin with it, and maybe others. */
  readonly start: string;
  /** The id of a snapshot of this position. `turn` tells several of the same from each other, from 1 on. */
  idFor(position: Position, turn: number): string;
  /** The key of an archive. */
  keyOf(id: string, encrypted?: boolean): string;
  /** The id of the snapshot that a key would be the archive of; undefined for a foreign one. */
  parse(key: string): string | undefined;
  /** By the key of the archive. */
  beside(key: string): Beside;
  /** The archive that a key of `writing` belongs to; undefined for another one. */
  archiveOf(writing: string): string | undefined;
  /** The newest drill of the whole series: the snapshot that was tried may be gone before the next one is due. */
  readonly lastDrill: string;
}

/** @throws TidemarkError USAGE for such a prefix */
export function layoutOf(name: LayoutName, prefix: string): Layout {
  checkPrefix(prefix);
  return name === 'flat' ? flat(prefix) : dated(prefix);
}

/** @throws TidemarkError USAGE for a prefix that could not be told from other parts of a name */
export function checkPrefix(prefix: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(prefix)) return;
  const what = 'a prefix has letters, digits, "_", "-" and ".", 100 at most';
  throw new TidemarkError('USAGE', `name snapshots ${JSON.stringify(prefix)}-...: ${what}`, {
    hint: 'begin it with a letter, a digit or "_"',
  });
}

const ending = '.tar.zst';
const encryption = '.age';
const writing = '.writing';

/** All that a snapshot of this id has, or would have, encrypted or not: where none of it is there, the id is free. */
export function keysOf(layout: Layout, id: string): readonly string[] {
  const archives = [layout.keyOf(id), layout.keyOf(id, true)];
  return [...new Set(archives.flatMap((key) => [key, ...Object.values(layout.beside(key)).map(String)]))];
}

/** Without what says that it is encrypted. */
function plainKey(key: string): string {
  return key.endsWith(encryption) ? key.slice(0, -encryption.length) : key;
}

function flat(prefix: string): Layout {
  const start = `${prefix}-`;
  return {
    name: 'flat',
    start,
    idFor: (position, turn) => `${start}${markOf(position)}${more(turn)}`,
    keyOf: (id, encrypted) => `${id}${ending}${encrypted ? encryption : ''}`,
    parse(whole) {
      const key = plainKey(whole);
      if (!key.startsWith(start) || !key.endsWith(ending)) return undefined;
      const id = key.slice(0, -ending.length);
      return /^(\d{1,19}|\d{8}T\d{6}Z)(\.[1-9]\d*)?$/.test(id.slice(start.length)) ? id : undefined;
    },
    beside: (key) => ({
      checksum: checksumSidecar(key),
      manifest: key.endsWith(encryption) ? encryptedManifestSidecar(key) : manifestSidecar(key),
      signature: signatureSidecar(key),
      verified: `${key}.verified.json`,
      pin: `${key}.pin`,
      drill: `${key}.drill.json`,
      writing: `${plainKey(key)}${writing}`,
    }),
    archiveOf: (key) => (key.endsWith(writing) ? key.slice(0, -writing.length) : undefined),
    lastDrill: `${prefix}.last-drill.json`,
  };
}

function dated(prefix: string): Layout {
  const start = `${prefix}/`;
  const file = `/snapshot${ending}`;
  return {
    name: 'dated',
    start,
    idFor: ({ at }, turn) => `${start}${at.toISOString().slice(0, 10)}${more(turn)}`,
    keyOf: (id, encrypted) => `${id}${file}${encrypted ? encryption : ''}`,
    parse(whole) {
      const key = plainKey(whole);
      if (!key.startsWith(start) || !key.endsWith(file)) return undefined;
      const id = key.slice(0, -file.length);
      return /^\d{4}-\d\d-\d\d(\.[1-9]\d*)?$/.test(id.slice(start.length)) ? id : undefined;
    },
    beside(key) {
      const folder = key.slice(0, key.lastIndexOf('/') + 1);
      return {
        checksum: `${folder}snapshot.sha256`,
        manifest: `${folder}manifest.json${key.endsWith(encryption) ? encryption : ''}`,
        signature: `${folder}manifest.json.minisig`,
        verified: `${folder}verified.json`,
        pin: `${folder}pin`,
        drill: `${folder}drill.json`,
        writing: `${folder}snapshot${ending}${writing}`,
      };
    },
    archiveOf: (key) => (key.endsWith(writing) ? key.slice(0, -writing.length) : undefined),
    lastDrill: `${start}last-drill.json`,
  };
}

/** The height, else the time in UTC. */
function markOf({ height, at }: Position): string {
  return height === undefined ? at.toISOString().replace(/[-:]|\.\d+/g, '') : String(height);
}

function more(turn: number): string {
  return turn === 1 ? '' : `.${turn}`;
}
