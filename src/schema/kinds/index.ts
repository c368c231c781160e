// The register: every kind of object that tidemark knows. The order here does not matter; priority.ts has the order of emission.
import type { Kind } from '../kind.js';
import { aggregate } from './aggregate.js';
import { baseType } from './base-type.js';
import { collation } from './collation.js';
import { composite } from './composite.js';
import { constraint } from './constraint.js';
import { domain } from './domain.js';
import { enumType } from './enum.js';
import { eventTrigger } from './event-trigger.js';
import { extension } from './extension.js';
import { foreignKey } from './foreign-key.js';
import { functionKind } from './function.js';
import { materializedView } from './materialized-view.js';
import { policy } from './policy.js';
import { procedure } from './procedure.js';
import { range } from './range.js';
import { rule } from './rule.js';
import { schema } from './schema.js';
import { sequence } from './sequence/index.js';
import { shellType } from './shell-type.js';
import { statistics } from './statistics.js';
import { table } from './table/index.js';
import { tableIndex } from './table-index.js';
import { trigger } from './trigger.js';
import { view } from './view.js';

export const kinds: readonly Kind<unknown>[] = [
  aggregate,
  baseType,
  collation,
  composite,
  domain,
  enumType,
  extension,
  functionKind,
  procedure,
  range,
  schema,
  shellType,
  constraint,
  eventTrigger,
  foreignKey,
  materializedView,
  policy,
  rule,
  sequence,
  statistics,
  table,
  tableIndex,
  trigger,
  view,
];
