// The register: every kind of object that tidemark knows. The order here does not matter; priority.ts has the order of emission.
import type { Kind } from '../kind.js';
import { accessMethod } from './access-method.js';
import { aggregate } from './aggregate.js';
import { baseType } from './base-type.js';
import { cast } from './cast.js';
import { collation } from './collation.js';
import { composite } from './composite.js';
import { constraint } from './constraint.js';
import { conversion } from './conversion.js';
import { domain } from './domain.js';
import { enumType } from './enum.js';
import { eventTrigger } from './event-trigger.js';
import { extension } from './extension.js';
import { extensionConfiguration } from './extension-configuration.js';
import { foreignDataWrapper } from './foreign-data-wrapper.js';
import { foreignKey } from './foreign-key.js';
import { functionKind } from './function.js';
import { language } from './language.js';
import { largeObject } from './large-object.js';
import { materializedView } from './materialized-view.js';
import { operator } from './operator.js';
import { operatorClass } from './operator-class.js';
import { operatorFamily } from './operator-family.js';
import { operatorFamilyMember } from './operator-family-member.js';
import { policy } from './policy.js';
import { procedure } from './procedure.js';
import { publication } from './publication.js';
import { publicationSchema } from './publication-schema.js';
import { publicationTable } from './publication-table.js';
import { range } from './range.js';
import { rule } from './rule.js';
import { schema } from './schema.js';
import { sequence } from './sequence/index.js';
import { server } from './server.js';
import { shellType } from './shell-type.js';
import { statistics } from './statistics.js';
import { subscription } from './subscription.js';
import { table } from './table/index.js';
import { tableIndex } from './table-index.js';
import { textSearchConfiguration } from './text-search-configuration.js';
import { textSearchDictionary } from './text-search-dictionary.js';
import { textSearchParser } from './text-search-parser.js';
import { textSearchTemplate } from './text-search-template.js';
import { transform } from './transform.js';
import { trigger } from './trigger.js';
import { userMapping } from './user-mapping.js';
import { view } from './view.js';

export const kinds: readonly Kind<unknown>[] = [
  accessMethod,
  aggregate,
  baseType,
  cast,
  collation,
  composite,
  conversion,
  domain,
  enumType,
  extension,
  extensionConfiguration,
  functionKind,
  language,
  operator,
  operatorClass,
  operatorFamily,
  operatorFamilyMember,
  procedure,
  range,
  schema,
  shellType,
  constraint,
  eventTrigger,
  foreignKey,
  largeObject,
  materializedView,
  policy,
  rule,
  sequence,
  statistics,
  table,
  tableIndex,
  textSearchConfiguration,
  textSearchDictionary,
  textSearchParser,
  textSearchTemplate,
  transform,
  trigger,
  view,
  foreignDataWrapper,
  server,
  userMapping,
  publication,
  publicationTable,
  publicationSchema,
  subscription,
];
