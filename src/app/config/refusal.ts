// Lets the checks of the library speak about parts of a configuration: what they refuse becomes a sentence about a key.
import { TidemarkError } from '../../model/errors.js';

/** What a check refuses, without the words that say what it was about; undefined where it does not. */
export function refusalOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'USAGE') throw error;
    const told = error.message.replace(
      /^(read the (schedule|retention policy|connection settings|database URL|connection string)|take a snapshot): /,
      '',
    );
    return error.hint === undefined ? told : `${told} (${error.hint})`;
  }
}

/** Without the keys whose value is undefined: zod gives them the type "or undefined", which the library's options do not have. */
export function defined<Value extends object>(value: Value): Defined<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<Value>;
}

export type Defined<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> };
