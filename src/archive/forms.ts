// The forms on disk of what an archive has by the hundred thousand: steps, tables, chunks, frames. Each is one definition for both
// directions, as with zod, which has all else; for these zod took ten times as long.

/** How a value lies in JSON. */
export interface Form<Value> {
  /** Makes the value of the JSON itself, which must be nobody else's: only what lies in another way is replaced in it.
   *  @throws Flaw where it is not of this form */
  read(json: unknown): Value;
  /** Leaves the value alone. @throws Flaw where `read` would refuse what comes out */
  write(value: Value): unknown;
}

/** What is wrong, and where in the value. Never leaves this folder as it is. */
export class Flaw extends Error {
  readonly path: PropertyKey[] = [];

  /** Lets a flaw of a part, or whatever else it threw, be known as one of this place in the whole. */
  static at(place: PropertyKey, error: unknown): unknown {
    if (error instanceof Flaw) error.path.unshift(place);
    return error;
  }
}

/** What is in JSON as it is in memory. */
function plain<Value>(message: string, is: (value: unknown) => boolean): Form<Value> {
  const check = (value: unknown): Value => {
    if (!is(value)) throw new Flaw(message);
    return value as Value;
  };
  return { read: check, write: check };
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const isText = (value: unknown): boolean => typeof value === 'string';

export const text: Form<string> = plain('it must be a text', isText);
/** A number that indexes something. */
export const index: Form<number> = plain('it must be a number that is not negative', isIndex);
export const uint32: Form<number> = plain('it must be a number of 32 bits', (value) => isIndex(value) && (value as number) < 2 ** 32);
export const indexes: Form<readonly number[]> = plain(
  'it must be a list of numbers that are not negative',
  (value) => Array.isArray(value) && value.every(isIndex),
);
export const texts: Form<readonly string[]> = plain('it must be a list of texts', (value) => Array.isArray(value) && value.every(isText));

export function textUpTo(length: number): Form<string> {
  return plain(`it must be a text of ${length} characters at most`, (value) => typeof value === 'string' && value.length <= length);
}

export function pattern(of: RegExp, length = Number.POSITIVE_INFINITY): Form<string> {
  return plain(`it must be a text like ${of.source}`, (value) => typeof value === 'string' && value.length <= length && of.test(value));
}

/** SHA-256 in hex. */
export const hash = pattern(/^[0-9a-f]{64}$/);

export function oneOf<const Value extends string | boolean>(...values: readonly Value[]): Form<Value> {
  const known: ReadonlySet<unknown> = new Set(values);
  return plain(`it must be one of ${values.join(', ')}`, (value) => known.has(value));
}

/** Integers that can pass 2^53, as decimal strings; never negative. */
export const decimal: Form<bigint> = {
  read(json) {
    if (typeof json !== 'string' || !/^(0|[1-9][0-9]{0,18})$/.test(json)) throw new Flaw('it must be a text of up to 19 digits');
    return BigInt(json);
  },
  write(value) {
    if (typeof value !== 'bigint' || value < 0n || value >= 10n ** 19n) throw new Flaw('it must be a bigint of up to 19 digits');
    return value.toString();
  },
};

export function nullable<Value>(form: Form<Value>): Form<Value | null> {
  return {
    read: (json) => (json === null ? null : form.read(json)),
    write: (value) => (value === null ? null : form.write(value)),
  };
}

export function pair<First, Second>(first: Form<First>, second: Form<Second>): Form<readonly [First, Second]> {
  const checked = (value: unknown): readonly unknown[] => {
    if (!Array.isArray(value) || value.length !== 2) throw new Flaw('it must be a pair');
    return value;
  };
  return {
    read(json) {
      const [one, other] = checked(json);
      return [first.read(one), second.read(other)];
    },
    write(value) {
      checked(value);
      return [first.write(value[0]), second.write(value[1])];
    },
  };
}

/** @param least of these it has at least */
export function listOf<Value>(form: Form<Value>, least = 0): Form<readonly Value[]> {
  const checked = (values: unknown): unknown[] => {
    if (!Array.isArray(values)) throw new Flaw('it must be a list');
    if (values.length < least) throw new Flaw(`it must be a list of ${least} at least`);
    return values;
  };
  return {
    read(json) {
      const values = checked(json);
      for (let at = 0; at < values.length; at += 1) {
        try {
          values[at] = form.read(values[at]);
        } catch (error) {
          throw Flaw.at(at, error);
        }
      }
      return values as Value[];
    },
    write(given) {
      const values = checked(given);
      const written: unknown[] = [];
      for (let at = 0; at < values.length; at += 1) {
        try {
          written.push(form.write(values[at] as Value));
        } catch (error) {
          throw Flaw.at(at, error);
        }
      }
      return written;
    },
  };
}

/** Of a field that may be absent; never null. */
export interface OptionalForm<Value> extends Form<Value> {
  readonly optional: true;
}

export function optional<Value>(form: Form<Value>): OptionalForm<Value> {
  return { read: form.read, write: form.write, optional: true };
}

type FieldForms<Value> = {
  readonly [Name in keyof Value]-?: Record<never, never> extends Pick<Value, Name>
    ? OptionalForm<Exclude<Value[Name], undefined>>
    : Form<Value[Name]>;
};

/** An object of these fields and no others, written in this order. */
export function fields<Value extends object>(forms: FieldForms<Value>): Form<Value> {
  const known = Object.entries<Form<unknown> & { readonly optional?: true }>(forms).map(([name, form]) => ({
    name,
    read: form.read,
    write: form.write,
    optional: form.optional === true,
  }));
  const each = (from: unknown, take: (object: Record<string, unknown>, field: (typeof known)[number]) => void): void => {
    if (typeof from !== 'object' || from === null || Array.isArray(from)) throw new Flaw('it must be an object');
    let found = 0;
    for (const field of known) {
      try {
        if ((from as Record<string, unknown>)[field.name] !== undefined) take(from as Record<string, unknown>, field);
        else if (!field.optional) throw new Flaw('it is missing');
        else continue;
      } catch (error) {
        throw Flaw.at(field.name, error);
      }
      found += 1;
    }
    if (found !== Object.keys(from).length) throw new Flaw(`it has a field that is unknown: ${unknownOf(from, known)}`);
  };
  return {
    read(json) {
      each(json, (object, { name, read }) => {
        object[name] = read(object[name]);
      });
      return json as Value;
    },
    write(value) {
      const written: Record<string, unknown> = {};
      each(value, (object, { name, write }) => {
        written[name] = write(object[name]);
      });
      return written;
    },
  };
}

function unknownOf(object: object, known: readonly { readonly name: string }[]): string | undefined {
  return Object.keys(object).find(
    (key) => (object as Record<string, unknown>)[key] === undefined || !known.some(({ name }) => name === key),
  );
}
