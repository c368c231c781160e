// The use case "read the configuration": file, environment, schema, contradictions; in the end everything that is right, or everything
// that is wrong.
import { resolve } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { LoadedConfig } from './config.js';
import { applyOverrides, type Environment, fileVariable, readEnvironment } from './environment.js';
import { findConfig, searchPlaces } from './find.js';
import { configJsonSchema } from './json-schema.js';
import { configError, formatPath, inOurWords, type Problem, problemsOf } from './problems.js';
import { configSchema } from './schema.js';
import { settle } from './settle.js';
import { variablesOf } from './variables.js';

export interface LoadOptions {
  /** Path of the file, relative to `directory`. Default: TIDEMARK_CONFIG, else the first of tidemark.config.json, .mjs, .js, .cjs, .ts and
   *  the key `tidemark` of package.json, in the directory or above it; where there is none, the environment has to say everything. */
  readonly file?: string | undefined;
  /** Default: that of the process. */
  readonly env?: Environment;
  /** Default: that of the process. */
  readonly directory?: string;
}

/** Reads and checks the configuration. Each call reads the file anew.
 *  @throws TidemarkError USAGE with all that is wrong, each with its key (`details.problems`); FILE_ERROR */
export async function loadConfig({ file, env = process.env, directory = process.cwd() }: LoadOptions = {}): Promise<LoadedConfig> {
  const base = resolve(directory);
  const found = await findConfig({ file: file ?? (env[fileVariable] || undefined), directory: base });
  const variables = variablesOf(configJsonSchema());
  const overrides = readEnvironment(env, variables);
  if (found === undefined && overrides.given.length === 0 && overrides.problems.length === 0) throw notFound(base);
  const source = found?.file ?? 'from the environment';
  const givenBy = (path: readonly PropertyKey[]): string | undefined =>
    overrides.given.find(({ variable }) => variable.path.every((key, i) => key === path[i]))?.variable.name;
  const told = (problems: readonly Problem[]): TidemarkError =>
    configError(
      source,
      problems.map((problem) => {
        const variable = problem.variable ?? givenBy(problem.path);
        return variable === undefined ? problem : { ...problem, variable };
      }),
    );

  const parsed = configSchema.safeParse(applyOverrides(found?.raw, overrides), { error: inOurWords });
  const problems = [...overrides.problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, variables))];
  if (!parsed.success || problems.length > 0) throw told(problems);
  const settled = settle(parsed.data, {
    file: found?.file,
    directory: base,
    env,
    fromEnvironment: (key) => overrides.given.some(({ variable }) => formatPath(variable.path) === key),
  });
  if (settled.config === undefined) throw told(settled.problems);
  return {
    ...settled.config,
    ...(found === undefined ? {} : { file: found.file }),
    ...(parsed.data.preset === undefined ? {} : { preset: parsed.data.preset }),
    fromEnvironment: overrides.given.map(({ variable }) => ({ variable: variable.name, key: formatPath(variable.path) })),
  };
}

function notFound(directory: string): TidemarkError {
  const names = searchPlaces.filter((name) => name !== 'package.json');
  return new TidemarkError('USAGE', `find the configuration in ${directory} or above: there is no ${names.join(', ')}`, {
    hint: 'name one with --config; docs/config.md has an example',
  });
}
