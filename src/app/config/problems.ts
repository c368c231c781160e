// What is wrong with a configuration, as sentences about keys: zod's findings in our words, all at once, with the key or the variable that
// was probably meant. No sentence repeats a value that may be a password.
import type * as z from 'zod';
import { TidemarkError } from '../../model/errors.js';
import { simplify, suggestion } from './suggest.js';
import { shown } from './values.js';
import type { Variable } from './variables.js';

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The environment variable that the value is from. */
  readonly variable?: string;
}

/** `retention.heights`, `rules[1].every` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = /^[\w$-]+$/.test(String(key)) ? String(key) : JSON.stringify(key);
      return i === 0 ? name : `.${name}`;
    })
    .join('');
}

/** All of them in one error.
 *  @param source `/etc/tidemark.config.json`, or `from the environment` */
export function configError(source: string, problems: readonly Problem[]): TidemarkError {
  const told = problems.map(({ path, message, variable }) => {
    const where = variable ?? formatPath(path);
    return where === '' ? message : `${where}: ${message}`;
  });
  return new TidemarkError('USAGE', `read configuration ${source}: ${told.join('; ')}`, {
    hint: 'docs/config.md has every key and an example',
    details: { problems: problems.map(({ path, ...rest }) => ({ key: formatPath(path), ...rest })) },
  });
}

type Issue = z.core.$ZodIssue;

/** @param variables all there are: they know each key and where it is */
export function problemsOf(issues: readonly Issue[], variables: readonly Variable[]): Problem[] {
  const places = issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => formatPath(path));
  // A check of a whole section has nothing to say of one whose keys are misspelt.
  const worthTelling = issues.filter(({ code, path }) => code !== 'custom' || !places.includes(formatPath(path)));
  return worthTelling.flatMap((issue) => problemsOfIssue(issue, variables));
}

function problemsOfIssue(issue: Issue, variables: readonly Variable[]): Problem[] {
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, message.split(' '), variables) }));
  }
  if (issue.code === 'invalid_union') {
    // Of the forms that a value may have, the one that it has but for something inside.
    const form = issue.errors.find((errors) => !errors.some((error) => error.path.length === 0 && error.code !== 'unrecognized_keys'));
    if (form !== undefined) return problemsOf(form.map((inner) => ({ ...inner, path: [...path, ...inner.path] })) as Issue[], variables);
  }
  return [{ path, message }];
}

/** @param known the keys that there are at this place */
function unknownKey(key: string, known: readonly string[], variables: readonly Variable[]): string {
  const same = (name: string | undefined): boolean => name !== undefined && simplify(name) === simplify(key);
  if (!known.some(same)) {
    const all = new Set(variables.flatMap(({ path }) => path.map((_, i) => path.slice(0, i + 1).join('.'))));
    const elsewhere = [...all].filter((path) => same(path.split('.').at(-1)));
    if (elsewhere.length === 1) return `unknown key, did you mean ${elsewhere[0]}?`;
  }
  const choices = known.filter((name) => name !== '$schema');
  return `unknown key, ${suggestion(key, choices)}`;
}

/** What zod says where the schema has no words of its own. Given to each reading. */
export const inOurWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type': {
      const must = { array: 'a list', string: 'text' }[issue.expected as string] ?? 'an object';
      return `must be ${must}, and is ${kindOf(issue.input)}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      return typeof issue.input === 'string'
        ? `${shown(issue.input)} is not known, ${suggestion(issue.input, values)}`
        : `must be one of ${values.join(', ')}, and is ${shown(issue.input)}`;
    }
    case 'invalid_union':
      return typeof issue.input === 'object' && issue.input !== null && 'by' in issue.input
        ? byWhat(issue.input.by, optionsOf(issue))
        : `must say by what: by is one of ${optionsOf(issue).join(', ')}`;
    default:
      return undefined;
  }
};

function optionsOf(issue: object): string[] {
  return 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

function byWhat(by: unknown, options: readonly string[]): string {
  return typeof by === 'string' ? `there is no rule ${shown(by)}, ${suggestion(by, options)}` : `must be one of ${options.join(', ')}`;
}

/** Without its value, which may be a connection string in the wrong place. */
function kindOf(input: unknown): string {
  if (input === undefined) return 'missing';
  return typeof input === 'string' ? 'text' : typeof input === 'number' ? 'a number' : shown(input);
}
