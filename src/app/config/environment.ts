// Environment variables: each value of the configuration has one, named after its keys (`poll.every`: TIDEMARK_POLL_EVERY), and it wins
// over the file. Which there are: variables.ts; DATABASE_URL and the PG* variables are pg/settings.ts's.
import type { JsonSchema } from './json-schema.js';
import { parseJson } from './parse-json.js';
import type { Problem } from './problems.js';
import { suggest } from './suggest.js';
import type { Variable } from './variables.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Overrides {
  /** What was read of the variables that are set. */
  readonly given: readonly { readonly variable: Variable; readonly value: unknown }[];
  readonly problems: readonly Problem[];
}

/** The variable that names the file. */
export const fileVariable = 'TIDEMARK_CONFIG';

/** Reads the variables that are set. One that is empty counts as none, as in libpq. One that is nearly the name of another is a slip; other
 *  unknown ones are not ours to judge. */
export function readEnvironment(env: Environment, variables: readonly Variable[]): Overrides {
  const given: { variable: Variable; value: unknown }[] = [];
  const problems: Problem[] = [];
  const names = [fileVariable, ...variables.map(({ name }) => name)];
  for (const [name, text = ''] of Object.entries(env)) {
    if (!name.startsWith('TIDEMARK_') || name === fileVariable || text === '' || isServiceAddress(text)) continue;
    const variable = variables.find((known) => known.name === name);
    if (variable === undefined) {
      const meant = nearly(name, names);
      if (meant !== undefined) problems.push({ path: [], variable: name, message: `unknown variable, did you mean ${meant}?` });
      continue;
    }
    try {
      given.push({ variable, value: readValue(text, variable.schema) });
    } catch {
      problems.push({ path: variable.path, variable: name, message: 'is no valid JSON' });
    }
  }
  return { given, problems };
}

/** For a service named tidemark-http, Kubernetes gives every pod TIDEMARK_HTTP_PORT=tcp://10.0.0.11:80.
 *  https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables */
function isServiceAddress(text: string): boolean {
  return /^(tcp|udp|sctp):\/\//.test(text);
}

/** All names begin alike: what differs is judged. */
function nearly(name: string, names: readonly string[]): string | undefined {
  const short = (long: string): string => long.slice('TIDEMARK_'.length);
  const meant = suggest(short(name), names.map(short));
  return meant === undefined || /^(PORT|SERVICE)(_|$)/.test(short(name)) ? undefined : `TIDEMARK_${meant}`;
}

/** Text as the JSON that would stand in the file. */
function readValue(text: string, schema: JsonSchema): unknown {
  const kinds = new Set((schema.anyOf ?? [schema]).map(({ type, const: only }) => type ?? typeof only));
  const holdsObjects = schema.oneOf !== undefined || schema.items?.oneOf !== undefined;
  if (holdsObjects || (kinds.has('array') && text.trimStart().startsWith('['))) return parseJson(text);
  if (kinds.has('array')) return text.split(',').map((item) => item.trim());
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (kinds.has('integer') && /^-?\d{1,15}$/.test(text)) return Number(text);
  return text;
}

/** A copy of what the file says with the variables' values in it. */
export function applyOverrides(raw: unknown, { given }: Overrides): unknown {
  return given.reduce<unknown>((whole, { variable, value }) => withValue(whole, variable.path, value), raw);
}

function withValue(whole: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  // `http: false` gives way to TIDEMARK_HTTP_PORT; what is of a wrong kind stays, to be told.
  if (whole !== undefined && whole !== false && !isPlain(whole)) return whole;
  const object = isPlain(whole) ? whole : {};
  return { ...object, [key]: withValue(object[key], rest, value) };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
