// docs/library.md names every command with its function, and every function with its types, as they are.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createProgram } from '#dist/cli/program.js';
import * as tidemark from '#dist/index.js';
import * as rules from '#dist/rules/index.js';
import * as testing from '#dist/testing/index.js';

const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');
const words = (text: string): string[] => [...text.matchAll(/`(\w+)[^`]*`/g)].flatMap(([, word]) => word ?? []);

const page = await read('docs/library.md');
/** The cells of the first table, without its head. */
const rows = (page.split('\n\n').find((part) => part.startsWith('| command | function')) ?? '')
  .trim()
  .split('\n')
  .slice(2)
  .map((line) => line.split('|').slice(1, -1));

test('every command is there, and no other', () => {
  const named = new Set(rows.flatMap(([command = '']) => words(command)));
  const known = createProgram().commands.map((command) => command.name());
  expect([...named].sort()).toEqual(known.sort());
});

test('every function of the package is there, and no other', () => {
  const entries = { tidemark, rules, testing };
  const named = rows.flatMap(([, functions = '']) => words(functions));
  const unknown = named.filter((name) => !Object.values(entries).some((entry) => name in entry) && !(name in entries));
  expect(unknown).toEqual([]);
  const functions = Object.entries(tidemark).filter(([, value]) => typeof value === 'function' && !/^class /.test(String(value)));
  expect(functions.map(([name]) => name).filter((name) => !named.includes(name))).toEqual(['openStore']);
});

test('the types are exported', async () => {
  const entries = await Promise.all(['', 'rules/', 'testing/'].map((folder) => read(`src/${folder}index.ts`)));
  const exported = new Set(entries.flatMap((text) => [...text.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name)));
  const types = rows.flatMap(([, , options = '', result = '']) => words(`${options} ${result}`)).filter((name) => /^[A-Z]/.test(name));
  expect(types.length).toBeGreaterThan(30);
  expect(types.filter((name) => !exported.has(name))).toEqual([]);
});
