// How settings are written: as options of the command, and as keys of a configuration. Pure.
import type { Settings } from './trials.js';

const units = [
  ['GiB', 1 << 30],
  ['MiB', 1 << 20],
  ['KiB', 1 << 10],
] as const;

/** `4194304` -> `4MiB`, as options and configurations take it. */
export function spellBytes(bytes: number): string {
  const unit = units.find(([, size]) => bytes % size === 0);
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`;
}

/** Of `tidemark snapshot`. */
export function optionsOf({ copyFormat, compressLevel, jobs, chunkBytes }: Settings): readonly string[] {
  return ['-j', `${jobs}`, '-Z', `${compressLevel}`, '--copy-format', copyFormat, '--chunk-size', spellBytes(chunkBytes)];
}

/** Of the section `snapshot` of a configuration. */
export function keysOf({ copyFormat, compressLevel, jobs, chunkBytes }: Settings) {
  return { jobs, compressLevel, copyFormat, chunkSize: spellBytes(chunkBytes) };
}
