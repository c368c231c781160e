// What a compression level means for chunks of rows. The levels are zstd's own, but for two. Level 3 has four meanings: rows full of hashes,
// numbers and repeated keys compress better and much faster with one, prose and source code with others; which it is for the data at hand, a
// sample decides. Level 1 is the fastest of the four. docs/decisions/0006 has the figures.

/** Parameters beside the level, by the names that zstd gives them. */
export interface CompressionParameters {
  /** 1 is ZSTD_fast, 2 ZSTD_dfast. */
  readonly strategy: number;
  readonly hashLog: number;
  readonly chainLog?: number;
  readonly minMatch: number;
}

/** What zstd itself takes level 3 for: https://github.com/facebook/zstd/blob/dev/lib/compress/clevels.h */
const own: CompressionParameters = { strategy: 2, hashLog: 17, chainLog: 16, minMatch: 5 };
/** Finds what comes again far away, also for data that is not known. */
const far: CompressionParameters = { strategy: 1, hashLog: 17, minMatch: 6 };
const near: CompressionParameters = { strategy: 1, hashLog: 16, minMatch: 6 };
/** Finds long matches alone: all that rows have as a rule. */
const long: CompressionParameters = { strategy: 1, hashLog: 15, minMatch: 7 };

/** A faster meaning of a level may make its output so much larger, no more. */
const tolerance = 1.02;

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
  if (level !== 3) return defaultParameters(level);
  const tryOut = (parameters: CompressionParameters) => ({ parameters, bytes: compressedBytes(parameters) });
  const [withFar, withLong] = [tryOut(far), tryOut(long)];
  // Short matches save nothing here, nor do those far away: the other two would not either.
  if (withLong.bytes <= withFar.bytes) return long;
  const fromSlowest = [tryOut(own), withFar, tryOut(near), withLong];
  const least = Math.min(...fromSlowest.map(({ bytes }) => bytes));
  return fromSlowest.findLast(({ bytes }) => bytes <= least * tolerance)?.parameters;
}
