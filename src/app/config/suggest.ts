// Which word was meant: the nearest of those that are known, or none where nothing is near.
import { distance } from 'fastest-levenshtein';

/** Differences in capitals, `-` and `_` count for nothing; a beginning counts as near (`hostaddr`: `host`), and so do the
 *  same letters in another order (`form`: `from`). */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const plain = simplify(word);
  const judged = known.map((candidate) => ({ candidate, far: farness(plain, simplify(candidate)) }));
  const [nearest] = judged.sort((one, other) => one.far - other.far);
  return nearest !== undefined && nearest.far < 0.45 ? nearest.candidate : undefined;
}

/** `did you mean last?`, or what there is to choose from. */
export function suggestion(word: string, known: readonly string[]): string {
  const nearest = suggest(word, known);
  return nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`;
}

/** From 0, the same, to 1. */
function farness(one: string, other: string): number {
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  if (longer.length === 0) return 1;
  const share = distance(one, other) / longer.length;
  const close = (shorter.length >= 3 && longer.startsWith(shorter)) || lettersOf(one) === lettersOf(other);
  return close ? Math.min(share, 0.4) : share;
}

function lettersOf(word: string): string {
  return [...word].sort().join('');
}

/** Words of others for the same. */
const meanings = new Map(Object.entries({ dbname: 'database', username: 'user', hostname: 'host', interval: 'every', directory: 'store' }));

export function simplify(word: string): string {
  const plain = word.toLowerCase().replace(/[-_]/g, '');
  return meanings.get(plain) ?? plain;
}
