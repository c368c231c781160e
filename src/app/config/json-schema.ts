// The configuration's JSON schema, for editors and validators: config.schema.json is its text, published with the package.
import * as z from 'zod';
import { configSchema } from './schema.js';

export interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly additionalProperties?: unknown;
}

/** What may stand in a file (not what becomes of it). */
export function configJsonSchema(): JsonSchema {
  // The kinds of values.ts are "any" to zod, and bring their own description along.
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema & { $schema: string };
  return { $schema, title: 'Configuration of tidemark', ...rest } as JsonSchema;
}

export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
