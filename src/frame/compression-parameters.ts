// What a compression level means for chunks of rows. The levels are zstd's own, but for level 3, which has three meanings: rows full of
// hashes, numbers and repeated keys compress better and much faster with one, prose and source code with another, and text that comes
// again far away with zstd's own. Which it is for the data at hand, a sample decides. docs/decisions/0006 has the figures.

/** Parameters beside the level, by the names that zstd gives them. */
export interface CompressionParameters {
  /** 1 is ZSTD_fast, 2 ZSTD_dfast. */
  readonly strategy: number;
  readonly hashLog: number;
  readonly chainLog?: number;
  readonly minMatch: number;
}

interface Meanings {
  /** The slowest first. */
  readonly all: readonly CompressionParameters[];
  /** For data that is not known. */
  readonly usual: CompressionParameters;
}

const usual = { strategy: 2, hashLog: 15, chainLog: 14, minMatch: 6 };

/** By level. The first of level 3 is what zstd itself takes it for: https://github.com/facebook/zstd/blob/dev/lib/compress/clevels.h */
const meanings: ReadonlyMap<number, Meanings> = new Map([
  [3, { all: [{ strategy: 2, hashLog: 17, chainLog: 16, minMatch: 5 }, usual, { strategy: 1, hashLog: 15, minMatch: 7 }], usual }],
]);

/** A faster meaning of a level may make its output so much larger, no more. */
const tolerance = 1.01;

/** The parameters of a level for data that is not known, or undefined where zstd's own are used. Any zstd reads the frames, whatever
 *  they are. */
export function defaultParameters(level: number): CompressionParameters | undefined {
  return meanings.get(level)?.usual;
}

/** The parameters of a level for data like a sample: the fastest of those that compress it (about) as well as the best.
 *  @param compressedBytes of the sample, compressed with these parameters */
export function chooseParameters(
  level: number,
  compressedBytes: (parameters: CompressionParameters) => number,
): CompressionParameters | undefined {
  const tried = (meanings.get(level)?.all ?? []).map((parameters) => ({ parameters, bytes: compressedBytes(parameters) }));
  const least = Math.min(...tried.map(({ bytes }) => bytes));
  return tried.findLast(({ bytes }) => bytes <= least * tolerance)?.parameters;
}
