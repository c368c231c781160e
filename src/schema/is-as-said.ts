// Whether a row is as its schema says, found out without zod's own parser, which makes two objects for each value that it looks at: rows
// come by the ten thousand, from SQL of ours, and are right. What is not right is for zod to explain.
import type * as z from 'zod';

type Check = (value: unknown) => boolean;

/** A check that is true only where parsing would succeed and give the value as it is, but for keys that the schema does not name. Undefined
 *  for a schema that makes something else of its values. */
export function isAsSaid(schema: z.core.$ZodType): Check | undefined {
  const isOfType = ofType(schema);
  const { checks = [] } = schema._zod.def;
  if (isOfType === undefined || checks.length === 0) return isOfType;
  return (value) => isOfType(value) && checks.every((check) => passes(check as z.core.$ZodCheck<unknown>, value));
}

function passes({ _zod }: z.core.$ZodCheck<unknown>, value: unknown): boolean {
  const payload: z.core.ParsePayload = { value, issues: [] };
  _zod.check(payload);
  return payload.issues.length === 0 && payload.value === value;
}

function ofType(schema: z.core.$ZodType): Check | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
    case 'boolean':
      return 'format' in def ? undefined : (value) => typeof value === def.type;
    case 'number':
      return 'format' in def ? undefined : Number.isFinite;
    case 'enum': {
      const known = new Set<unknown>(Object.values(def.entries));
      return (value) => known.has(value);
    }
    case 'custom':
      return (value) => (def as z.core.$ZodCustomDef).fn(value) === true;
    case 'nullable':
      return orElse(isAsSaid(def.innerType), null);
    case 'optional':
      return orElse(isAsSaid(def.innerType), undefined);
    case 'array':
      return each(isAsSaid(def.element));
    case 'tuple':
      return def.rest === null ? inOrder(def.items.map(isAsSaid)) : undefined;
    case 'record':
      return values(isAsSaid(def.keyType), isAsSaid(def.valueType));
    case 'object':
      return def.catchall === undefined ? fields(Object.entries(def.shape).map(([name, field]) => [name, isAsSaid(field)])) : undefined;
    default:
      return undefined;
  }
}

function orElse(check: Check | undefined, other: null | undefined): Check | undefined {
  return check && ((value) => value === other || check(value));
}

function each(check: Check | undefined): Check | undefined {
  return check && ((value) => Array.isArray(value) && value.every((item) => check(item)));
}

function inOrder(checks: readonly (Check | undefined)[]): Check | undefined {
  const known = checks.filter((check) => check !== undefined);
  if (known.length < checks.length) return undefined;
  return (value) => Array.isArray(value) && value.length === known.length && known.every((check, at) => check(value[at]));
}

function values(key: Check | undefined, check: Check | undefined): Check | undefined {
  if (key === undefined || check === undefined) return undefined;
  return (value) => isObject(value) && Object.entries(value).every(([name, item]) => key(name) && check(item));
}

function fields(named: readonly (readonly [string, Check | undefined])[]): Check | undefined {
  const known: (readonly [string, Check])[] = [];
  for (const [name, check] of named) {
    if (check === undefined) return undefined;
    known.push([name, check]);
  }
  return (value) => {
    if (!isObject(value)) return false;
    for (const [name, check] of known) if (!check(value[name])) return false;
    return true;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
