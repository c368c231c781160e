// How many bytes of rows make a chunk: where nobody says it, as many as keep the list of chunks in the manifest short. Pure.

/** Raw bytes at which a chunk is closed, of databases up to 400 GB. */
export const usualChunkBytes = 4 << 20;
/** Below, frames get small and many; above, what reads an archive needs more memory than anybody expects of it. */
export const chunkLimits = { least: 256 << 10, most: 64 << 20 } as const;

/** Rows may be larger in an archive than on the server's disk, where large values are compressed: a manifest has room for four times as many. */
const mostChunks = 100_000n;
const mebi = 1n << 20n;

/** @param bytes of all tables, on the server's disk
 *  @returns whole MiB */
export function chunkBytesFor(bytes: bigint): number {
  const wanted = (bytes / mostChunks + mebi - 1n) / mebi;
  return Math.min(chunkLimits.most, Math.max(usualChunkBytes, Number(wanted * mebi)));
}
