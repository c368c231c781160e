// What the options of public functions are called, so that a name that none has is refused. TypeScript does that only where an object is written
// into the call; from JavaScript, or spread from elsewhere, a misspelled `dryRun` would be a restore, and a misspelled `mask` none. Pure.
import { TidemarkError } from './errors.js';

/** The names of some options: none is missing and none is more, as the compiler holds. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** Who has the options, and what they are called.
 *  @param attempt what messages begin with
 *  @throws TidemarkError USAGE for the first that has another name, and where there is no object */
export function refuseUnknownOptions<Options extends object>(options: Options, names: OptionNames<Options>, attempt: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new TidemarkError('USAGE', `${attempt}: the options are not an object`, { hint: `they have the names ${listOf(names)}` });
  }
  const known = new Set(Object.keys(names));
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !known.has(name));
  if (unknown === undefined) return;
  throw new TidemarkError('USAGE', `${attempt}: there is no option ${JSON.stringify(unknown[0])}`, {
    hint: `the options are ${listOf(names)}`,
  });
}

/** The same names without some. */
export function withoutNames<Options, Name extends keyof Options>(
  names: OptionNames<Options>,
  left: readonly Name[],
): OptionNames<Omit<Options, Name>> {
  const kept = Object.entries(names).filter(([name]) => !left.includes(name as Name));
  return Object.fromEntries(kept) as OptionNames<Omit<Options, Name>>;
}

function listOf(names: object): string {
  return Object.keys(names).join(', ');
}
