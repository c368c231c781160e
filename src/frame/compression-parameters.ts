// What a compression level means for chunks of rows. The levels are zstd's own, but for level 3: its hash tables are larger than a core's
// near cache, and rows full of hashes and numbers gain nothing from matches of five bytes. docs/decisions/0006 has the figures.

/** Parameters beside the level, by the names that zstd gives them. Absent: zstd's own for that level. */
export interface CompressionParameters {
  readonly hashLog: number;
  readonly chainLog: number;
  readonly minMatch: number;
}

const tuned: ReadonlyMap<number, CompressionParameters> = new Map([[3, { hashLog: 15, chainLog: 14, minMatch: 6 }]]);

/** The parameters of a level, or undefined where zstd's own are used. Any zstd reads the frames, whatever they are. */
export function compressionParameters(level: number): CompressionParameters | undefined {
  return tuned.get(level);
}
