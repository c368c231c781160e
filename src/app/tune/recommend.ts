// Which of the settings that were tried to take. Pure.
import type { Measured } from './trials.js';

/** Speeds that are so close to the best one count as equal: what is measured in seconds is no more exact. */
export const closeToBest = 0.95;
/** The same for sizes, which are of other parts of the tables from trial to trial. */
const sameSize = 1.005;

/** Of those that are about as fast as the fastest, the smallest archive; where several are of one size, the one with the fewest jobs, and
 *  then the smallest chunks, which need memory here and where the archive is read. Undefined where nothing was tried. */
export function recommend<One extends Measured>(measured: readonly One[]): One | undefined {
  const fastest = Math.max(...measured.map(({ bytesPerSecond }) => bytesPerSecond));
  return smallestOf(measured.filter(({ bytesPerSecond }) => bytesPerSecond >= fastest * closeToBest));
}

/** The smallest archive, whatever it costs; of several the fastest. */
export function smallest<One extends Measured>(measured: readonly One[]): One | undefined {
  const least = Math.min(...measured.map(({ wholeBytes }) => wholeBytes));
  return measured.filter(({ wholeBytes }) => wholeBytes <= least * sameSize).toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond)[0];
}

function smallestOf<One extends Measured>(measured: readonly One[]): One | undefined {
  const least = Math.min(...measured.map(({ wholeBytes }) => wholeBytes));
  return measured
    .filter(({ wholeBytes }) => wholeBytes <= least * sameSize)
    .toSorted(
      ({ settings: a, ...one }, { settings: b, ...other }) =>
        a.jobs - b.jobs || a.chunkBytes - b.chunkBytes || other.bytesPerSecond - one.bytesPerSecond,
    )[0];
}
