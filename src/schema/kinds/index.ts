// The register: every kind of object that tidemark knows. The order here does not matter; priority.ts has the order of emission.
import type { Kind } from '../kind.js';
import { aggregate } from './aggregate.js';
import { baseType } from './base-type.js';
import { collation } from './collation.js';
import { composite } from './composite.js';
import { domain } from './domain.js';
import { enumType } from './enum.js';
import { extension } from './extension.js';
import { functionKind } from './function.js';
import { procedure } from './procedure.js';
import { range } from './range.js';
import { schema } from './schema.js';
import { shellType } from './shell-type.js';

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
];
