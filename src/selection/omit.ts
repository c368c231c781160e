// Takes out of a catalog what the switches --no-owner, --no-comments, --no-publications, --no-tablespaces and their like leave out: steps
// that others may need only for the order, objects that nothing else is made of, and settings around a statement. Closes the gaps.
import type { Catalog, DatabaseProperties, Step } from '../model/catalog.js';
import type { Globals } from '../model/globals.js';
import { renumber } from './renumber.js';

/** What each switch leaves out: facets of all objects, or objects of these kinds. */
const omitted = {
  owner: { facets: ['owner'], property: 'owner' },
  privileges: { facets: ['privilege'], property: 'privileges' },
  comments: { facets: ['comment'], property: 'comment' },
  'security-labels': { facets: ['security-label'], property: 'labels' },
  publications: { kinds: ['publication', 'publication table', 'publication schema'] },
  subscriptions: { kinds: ['subscription'] },
  tablespaces: { settings: /^SET default_tablespace = /, property: 'tablespace' },
  'table-access-method': {
    // That of a partitioned table, which has no storage, is set by itself.
    settings: /^(?:SET default_table_access_method = |ALTER TABLE ONLY "(?:[^"]|"")*"\."(?:[^"]|"")*" SET ACCESS METHOD )/,
  },
} as const satisfies Readonly<Record<string, Omitted>>;

interface Omitted {
  readonly facets?: readonly string[];
  readonly kinds?: readonly string[];
  /** Statements that only say where, or in which form, the next one puts its object. */
  readonly settings?: RegExp;
  /** What of the database itself. */
  readonly property?: 'owner' | 'privileges' | 'comment' | 'tablespace' | 'labels';
}

/** The word of a switch without its `--no-`. */
export type Omission = keyof typeof omitted;

/** The catalog without these: whatever needed a step that goes needs what that one needed. Objects that had nothing but such steps go,
 *  too. */
export function omit(catalog: Catalog, omissions: ReadonlySet<Omission>): Catalog {
  const chosen: readonly Omitted[] = [...omissions].map((name) => omitted[name]);
  const facets = new Set(chosen.flatMap((one) => one.facets ?? []));
  const kinds = new Set(chosen.flatMap((one) => one.kinds ?? []));
  const settings = chosen.flatMap((one) => one.settings ?? []);
  const goes = ({ facet, object }: Step): boolean => facets.has(facet) || kinds.has(catalog.objects[object]?.kind ?? '');
  const properties = chosen.flatMap((one) => one.property ?? []);
  const rest = withoutGlobals(withoutProperties(catalog, properties), omissions);
  return withoutSteps(withoutStatements(rest, settings), goes);
}

function withoutProperties(catalog: Catalog, properties: readonly (keyof DatabaseProperties)[]): Catalog {
  if (catalog.database === undefined || properties.length === 0) return catalog;
  const none = properties.map((name) => [name, name === 'labels' ? [] : null]);
  return { ...catalog, database: { ...catalog.database, ...Object.fromEntries(none) } };
}

/** Who is a member of which role is no privilege here, as in pg_dumpall. */
function withoutGlobals(catalog: Catalog, omissions: ReadonlySet<Omission>): Catalog {
  if (catalog.globals === undefined || omissions.size === 0) return catalog;
  const { roles, parameters, tablespaces, ...rest } = catalog.globals;
  const described = {
    ...(omissions.has('comments') ? { comment: null } : {}),
    ...(omissions.has('security-labels') ? { labels: [] } : {}),
  };
  const ruled = {
    ...(omissions.has('owner') ? { owner: null } : {}),
    ...(omissions.has('privileges') ? { privileges: [], roles: [] } : {}),
  };
  const globals: Globals = {
    ...rest,
    roles: roles.map((role) => ({ ...role, ...described })),
    parameters: omissions.has('privileges') ? [] : parameters,
    tablespaces: omissions.has('tablespaces') ? [] : tablespaces.map((tablespace) => ({ ...tablespace, ...described, ...ruled })),
  };
  return { ...catalog, globals };
}

function withoutStatements(catalog: Catalog, settings: readonly RegExp[]): Catalog {
  if (settings.length === 0) return catalog;
  const goes = (statement: string): boolean => settings.some((setting) => setting.test(statement));
  return {
    ...catalog,
    steps: catalog.steps.map((step) =>
      step.statements.some(goes) ? { ...step, statements: step.statements.filter((statement) => !goes(statement)) } : step,
    ),
  };
}

function withoutSteps(catalog: Catalog, goes: (step: Step) => boolean): Catalog {
  if (!catalog.steps.some(goes)) return catalog;
  // A need has a smaller id than its step, so what replaces it is known already.
  const stead: (readonly number[])[] = [];
  const kept: Step[] = [];
  for (const step of catalog.steps) {
    const needs = [...new Set(step.needs.flatMap((need) => stead[need] ?? []))].sort((a, b) => a - b);
    stead.push(goes(step) ? needs : [step.id]);
    if (!goes(step)) kept.push({ ...step, needs });
  }
  const had = new Set(catalog.steps.map((step) => step.object));
  const have = new Set(kept.map((step) => step.object));
  const objects = catalog.objects.filter(({ id }) => have.has(id) || !had.has(id));
  return renumber(catalog, { objects, steps: kept });
}
