// What a compression level means for chunks of rows. The levels are zstd's own, but for two. Level 3 has five meanings: rows full of hashes,
// numbers and repeated keys compress better and much faster with two of them, prose and source code with others; which it is for the data at
// hand, a sample decides. Level 1 is one of the two fastest. docs/decisions/0006 has the figures.

/** Parameters beside the level, by the names that zstd gives them. */
export interface CompressionParameters {
  /** 1 is ZSTD_fast, 2 ZSTD_dfast. */
  readonly strategy: number;
  readonly hashLog: number;
  readonly chainLog?: number;
  readonly minMatch: number;
  /** With ZSTD_fast: one less than the bytes of a step where nothing matches. zstd would then leave literals as they are, and is told not to. */
  readonly targetLength?: number;
}

/** What zstd itself takes level 3 for: https://github.com/facebook/zstd/blob/dev/lib/compress/clevels.h */
const own: CompressionParameters = { strategy: 2, hashLog: 17, chainLog: 16, minMatch: 5 };
/** Finds what comes again far away, also for data that is not known. */
const far: CompressionParameters = { strategy: 1, hashLog: 17, minMatch: 6 };
const near: CompressionParameters = { strategy: 1, hashLog: 16, minMatch: 6 };
/** Finds long matches alone: all that rows have as a rule. */
const long: CompressionParameters = { strategy: 1, hashLog: 15, minMatch: 7 };

/** Does not even look everywhere: a few bytes of a long match are lost. Numbers in binary, which match in short pieces, get larger. */
const quick: CompressionParameters = { strategy: 1, hashLog: 14, minMatch: 7, targetLength: 3 };

/** A faster meaning of level 3 may make its output so much larger, no more; one of level 1, where speed is what was asked for. */
const [tolerance, quickTolerance] = [1.03, 1.05];

/** The parameters of a level for data that is not known, or undefined where zstd's own are used. Any zstd reads the frames, whatever
 *  they are. */
export function defaultParameters(level: number): CompressionParameters | undefined {
  if (level === 1) return long;
  return level === 3 ? far : undefined;
}

/** The parameters of a level for data like a sample: the fastest of those that compress it (about) as well as the best.
 *  @param compressedBytes of the sample, compressed with these parameters */
export function chooseParameters(
  level: number,
  compressedBytes: (parameters: CompressionParameters) => number,
): CompressionParameters | undefined {
  if (level !== 1 && level !== 3) return undefined;
  const tryOut = (parameters: CompressionParameters): Tried => ({ parameters, bytes: compressedBytes(parameters) });
  const [withLong, withQuick] = [tryOut(long), tryOut(quick)];
  if (level === 1) return fastest([withLong, withQuick], quickTolerance);
  const withFar = tryOut(far);
  // Short matches save nothing here, nor do those far away: the other two would not either.
  if (withLong.bytes <= withFar.bytes) return fastest([withLong, withQuick], tolerance);
  return fastest([tryOut(own), withFar, tryOut(near), withLong, withQuick], tolerance);
}

interface Tried {
  readonly parameters: CompressionParameters;
  readonly bytes: number;
}

/** @param tried the slowest first */
function fastest(tried: readonly Tried[], allowed: number): CompressionParameters | undefined {
  const least = Math.min(...tried.map(({ bytes }) => bytes));
  return tried.findLast(({ bytes }) => bytes <= least * allowed)?.parameters;
}
