// Durations and sizes as people write them, in options and in configurations. Who asks says what is wrong with what cannot be read.

const unitsMs = new Map(Object.entries({ ms: 1, s: 1000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 }));

/** `10s`, `1h30m`, `1.5 h`, `2 d 12 h`: units as PostgreSQL's settings have them (`min`), and `m`. A number alone is in milliseconds.
 *  @returns milliseconds, a whole number; undefined for what is no duration */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return wholeMs(Number(text));
  if (!/^\s*(\d+(\.\d+)?\s*[a-z]+\s*)+$/.test(text)) return undefined;
  let ms = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const size = unitsMs.get(unit);
    // `30m1h` and `1h1h` are slips.
    if (size === undefined || size >= smallest) return undefined;
    smallest = size;
    ms += Number(number) * size;
  }
  return wholeMs(ms);
}

function wholeMs(ms: number): number | undefined {
  return ms <= Number.MAX_SAFE_INTEGER ? Math.round(ms) : undefined;
}

const letters = ['k', 'm', 'g', 't', 'p'];

/** `64MB` (64 million bytes), `1GiB` (2^30), `1.5 kB`, `512B`, `512`; capitals do not matter.
 *  @returns bytes; undefined for what is no size */
export function parseBytes(text: string): bigint | undefined {
  const match = /^(\d{1,18})(?:\.(\d{1,9}))?\s*(?:([kmgtp])(i?))?b?$/i.exec(text.trim());
  if (!match) return undefined;
  const [, whole = '', fraction = '', letter, binary] = match;
  const power = letter === undefined ? 0 : letters.indexOf(letter.toLowerCase()) + 1;
  const unit = (binary ? 1024n : 1000n) ** BigInt(power);
  return (BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length);
}
