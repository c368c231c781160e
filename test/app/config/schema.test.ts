// The published JSON schema: it is what the schema gives, describes every key, and a file is judged by it as by the loader.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configJsonSchema, configSchemaText, type JsonSchema } from '#dist/app/config/json-schema.js';
import { variablesOf } from '#dist/app/config/variables.js';

const root = new URL('../../..', import.meta.url);

test('config.schema.json is up to date: npm run config-schema writes it', async () => {
  expect(await readFile(new URL('config.schema.json', root), 'utf8')).toBe(configSchemaText());
});

test('the package publishes it', async () => {
  const { files, exports } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
  expect(files).toContain('config.schema.json');
  expect(exports['./config.schema.json']).toBe('./config.schema.json');
});

test('every key is described, and no object takes others', () => {
  const bare: string[] = [];
  const visit = (schema: JsonSchema, path: string): void => {
    for (const [key, part] of Object.entries(schema.properties ?? {})) {
      if (!part.description) bare.push(`${path}.${key}`);
      visit(part, `${path}.${key}`);
    }
    if (schema.properties && schema.additionalProperties !== false) bare.push(`${path} takes others`);
    for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])]) visit(part, path);
  };
  visit(configJsonSchema(), '');
  expect(bare).toEqual([]);
});

test('defaults are in it', () => {
  const { store, poll, http } = configJsonSchema().properties ?? {};
  expect([store?.default, poll?.properties?.every?.default, http?.anyOf?.[1]?.properties?.port?.default]).toEqual([
    'snapshots',
    '10s',
    7432,
  ]);
});

test('each value has its own environment variable', () => {
  const names = variablesOf(configJsonSchema()).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(
    expect.arrayContaining([
      'TIDEMARK_DATABASE',
      'TIDEMARK_HTTP',
      'TIDEMARK_HTTP_PORT',
      'TIDEMARK_RULES',
      'TIDEMARK_RETENTION_HEIGHTS_EVERY',
      'TIDEMARK_DRILL_RULE',
      'TIDEMARK_DRILL_DATABASE',
    ]),
  );
  expect(names.filter((name) => /SCHEMA$|DATABASE_|RULES_|CONFIG/.test(name))).toEqual([]);
});
