// Which settings are tried, and in which order: one coordinate after the other, each with the best that is known of those before it. All
// combinations would take a hundred trials, and coordinates hardly depend on each other. Pure; who tries them is trial.ts.
import { recommend } from './recommend.js';

/** What of a snapshot's options is tuned. */
export interface Settings {
  readonly copyFormat: 'auto' | 'text';
  readonly compressLevel: number;
  readonly jobs: number;
  readonly chunkBytes: number;
}

/** What a trial has measured. */
export interface Measured {
  readonly settings: Settings;
  /** Parts of tables that were read, and how many bytes these have on the server's disk. */
  readonly picks: number;
  readonly tableBytes: number;
  /** The same rows as COPY gives them, and compressed. */
  readonly rawBytes: number;
  readonly compressedBytes: number;
  /** Time that workers had something to do, of all together. */
  readonly busyMs: number;
  /** Bytes of tables on the server's disk in a second: rows as text and in binary have different sizes, so theirs say nothing. */
  readonly bytesPerSecond: number;
  /** For the whole database: bytes of tables on the server's disk for one of the archive, the time to read it and the size of the archive. */
  readonly ratio: number;
  readonly wholeMs: number;
  readonly wholeBytes: number;
}

export interface Axis {
  readonly name: keyof Settings;
  readonly values: readonly Settings[keyof Settings][];
}

const jobsTried: readonly number[] = [1, 2, 3, 4, 6, 8];
const levelsTried: readonly number[] = [3, 1, 5, 7, 9];
const chunksTried: readonly number[] = [4 << 20, 1 << 20, 16 << 20];

/** @param binary whether `auto` takes binary for any table
 *  @param processors of this machine */
export function axes({ binary, processors }: { readonly binary: boolean; readonly processors: number }): readonly Axis[] {
  return [
    { name: 'copyFormat', values: binary ? ['auto', 'text'] : ['auto'] },
    { name: 'compressLevel', values: levelsTried },
    { name: 'jobs', values: jobsTried.filter((jobs) => jobs <= Math.max(2, 2 * processors)) },
    { name: 'chunkBytes', values: chunksTried },
  ];
}

/** What is to be tried next. */
export interface Next {
  readonly settings: Settings;
  /** Trials that are still to come, this one included: time is shared out among them. */
  readonly left: number;
}

/** Asks for one trial after the other, and is told by `next()` what each has measured. The first are the settings that it starts from. */
export function* search(start: Settings, along: readonly Axis[]): Generator<Next, void, Measured> {
  const known: Measured[] = [];
  let best = start;
  for (const [i, { name, values }] of along.entries()) {
    const measured: Measured[] = [];
    // What is best so far was tried before, but for the first.
    const later = along.slice(i + 1).reduce((sum, axis) => sum + axis.values.length - 1, 0);
    const open = values.map((value): Settings => ({ ...best, [name]: value }));
    let left = open.filter((settings) => find(known, settings) === undefined).length + later;
    for (const settings of open) {
      const before = find(known, settings);
      if (before !== undefined) measured.push(before);
      else {
        const result = yield { settings, left };
        known.push(result);
        measured.push(result);
        left -= 1;
      }
    }
    best = recommend(measured)?.settings ?? best;
  }
}

function find(known: readonly Measured[], wanted: Settings): Measured | undefined {
  return known.find(({ settings }) => isSame(settings, wanted));
}

/** How small an archive gets does not depend on the jobs: of trials that differ in nothing else, the one that has read most tells it for all.
 *  @param earlier trials, of which each has read about the same parts of the tables, but more or fewer of them */
export function withSizeOf(trial: Measured, earlier: readonly Measured[]): Measured {
  const { jobs } = trial.settings;
  const alike = earlier.filter(({ settings, picks }) => picks > trial.picks && isSame({ ...settings, jobs }, trial.settings));
  const best = alike.toSorted((a, b) => b.picks - a.picks)[0];
  return best === undefined ? trial : { ...trial, ratio: best.ratio, wholeBytes: best.wholeBytes };
}

export function isSame(a: Settings, b: Settings): boolean {
  return a.copyFormat === b.copyFormat && a.compressLevel === b.compressLevel && a.jobs === b.jobs && a.chunkBytes === b.chunkBytes;
}
