// Stretches of heights.

/** The number of the stretch of `every` heights that a height lies in: `floor(height / every)`, below zero, too. */
export function heightBucket(height: bigint, every: bigint): bigint {
  const quotient = height / every;
  return height % every < 0n ? quotient - 1n : quotient;
}
