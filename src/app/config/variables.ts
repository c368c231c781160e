// The environment variables that there are: one for each value of the JSON schema, named after its keys.
import type { JsonSchema } from './json-schema.js';

export interface Variable {
  readonly name: string;
  /** `['poll', 'every']` */
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

export function variablesOf(schema: JsonSchema, path: readonly string[] = []): readonly Variable[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, part]) => {
    if (key === '$schema') return [];
    const here = [...path, key];
    const options = part.anyOf ?? [part];
    const inner = options.flatMap((option) => (isConnection(option) ? [] : variablesOf(option, here)));
    const whole = options.some((option) => option.properties === undefined);
    return [...(whole ? [{ name: nameOf(here), path: here, schema: part }] : []), ...inner];
  });
}

/** The parts of a connection have variables of their own: PGHOST and its like. */
function isConnection({ properties }: JsonSchema): boolean {
  return properties !== undefined && 'sslmode' in properties;
}

/** `['position', 'heightQuery']` -> `TIDEMARK_POSITION_HEIGHT_QUERY` */
function nameOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return ['TIDEMARK', ...words].join('_');
}
