// docs/config.md: its examples load, its table has every key and the true defaults.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configJsonSchema, type JsonSchema } from '#dist/app/config/json-schema.js';
import { variablesOf } from '#dist/app/config/variables.js';
import { load } from './write-config.js';

const page = await readFile(new URL('../../../docs/config.md', import.meta.url), 'utf8');
const schema = configJsonSchema();

function block(language: string): string {
  const text = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (text === undefined) throw new Error(`the page has no ${language} block`);
  return text;
}

test('the least loads', async () => {
  const { config } = await load(block('json'));
  expect(config).toMatchObject({ preset: 'runtime', retention: { last: 2 } });
});

test('the example loads, and leaves out no key but the preset', async () => {
  const { config } = await load(block('js'), { name: 'tidemark.config.mjs' });
  expect(config).toMatchObject({
    database: { host: 'db.internal', role: 'reader' },
    prefix: 'indexer',
    retention: { heights: { keep: 10 } },
  });
  expect(config.schedule.rules.map(({ by }) => by)).toEqual(['height', 'time', 'changes', 'commits', 'stream', 'wal', 'cron']);
  const text = block('js');
  const names = variablesOf(schema).filter(({ path }) => path[0] !== 'snapshot' && path[0] !== 'preset');
  expect(names.map(({ path }) => path.at(-1) ?? '').filter((key) => !text.includes(`${key}:`))).toEqual(['hourly']);
});

test('the table has every key of the top, and the defaults of the schema', () => {
  const rows = page.split('\n').flatMap((line) => {
    const [, keys = '', defaults = ''] = /^\| (`[^|]*`) \|([^|]*)\| /.exec(line) ?? [];
    const words = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
    return words(keys).map((key, i) => [key, words(defaults)[i]] as const);
  });
  const tops = new Set(rows.map(([key]) => key.split('.')[0]));
  expect(Object.keys(schema.properties ?? {}).filter((key) => !tops.has(key))).toEqual(['$schema']);
  for (const [key, told] of rows) {
    const part = key.split('.').reduce<JsonSchema | undefined>((at, name) => (at?.anyOf?.[1] ?? at)?.properties?.[name], schema);
    expect(part, key).toBeDefined();
    const fixed = part?.default;
    if (fixed !== undefined && typeof fixed !== 'object') expect([key, told]).toEqual([key, String(fixed)]);
  }
  expect(rows.length).toBeGreaterThan(20);
});

test('the variables that it names are there', () => {
  const known = new Set(['TIDEMARK_CONFIG', ...variablesOf(schema).map(({ name }) => name)]);
  const named = page.match(/TIDEMARK_[A-Z_]*[A-Z]\b(?![*_])/g) ?? [];
  expect(named.filter((name) => !known.has(name) && !/^TIDEMARK_(PORT|SERVICE)/.test(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(8);
});
