// Numbers for people.

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1234567n` -> `1.2 MB` (decimal units) */
export function formatBytes(bytes: bigint | number): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 999.95 && unit < sizes.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${sizes[unit]}`;
}

/** `1234567n` -> `1,234,567` */
export function formatCount(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 table`, `1,200 tables` */
export function formatCounted(count: bigint | number, noun: string): string {
  return `${formatCount(count)} ${noun}${BigInt(count) === 1n ? '' : 's'}`;
}

/** Milliseconds -> `0.42 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`, `3 d 7 h` */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  // The limits are where rounding would print the next unit's number.
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return '1 min 0 s';
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const ages: readonly (readonly [ms: number, noun: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** Milliseconds -> `42 seconds`, `90 minutes`, `26 hours`, `12 days`: the largest unit that there are two of. */
export function formatAge(ms: number): string {
  const [size, noun] = ages.find(([unit]) => ms >= 2 * unit) ?? [1000, 'second'];
  return formatCounted(Math.floor(ms / size), noun);
}
