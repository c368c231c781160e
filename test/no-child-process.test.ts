// Promise: tidemark runs no program. Holds what the built sources may import: their own files, Node's modules but for those that start
// processes, and the packages that package.json gives to users.
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

// node:module gives every other module by a name that could be put together at run time.
const forbiddenBuiltins = new Set(['child_process', 'cluster', 'module', 'repl', 'inspector', 'vm', 'wasi']);
// Ways to a module, or to code, that no import shows.
const backDoors = new Set([
  'require',
  'createRequire',
  'getBuiltinModule',
  'binding',
  '_linkedBinding',
  'dlopen',
  'eval',
  'Function',
  'execve',
]);

interface Packages {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Packages;
const packages = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }));

/** A node of the syntax tree (ESTree) with what is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly source?: Node | null;
  readonly callee?: Node;
  readonly object?: Node;
  readonly property?: Node;
}

const importing = new Set(['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression']);

/** What JavaScript does that it may not, each as its own words. */
function violations(code: string): string[] {
  const found: string[] = [];
  const visit = (node: Node): void => {
    const tooMuch =
      (importing.has(node.type) && node.source && !mayImport(node.source)) ||
      ((node.type === 'CallExpression' || node.type === 'NewExpression') && node.callee && isBackDoor(node.callee)) ||
      (node.type === 'MemberExpression' && node.object?.name === 'process' && node.property && isBackDoor(node.property));
    if (tooMuch) found.push(code.slice(node.start, node.end));
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child);
  };
  visit(parseAst(code) as unknown as Node);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isBackDoor(node: Node): boolean {
  const name = node.type === 'Identifier' ? node.name : node.value;
  return typeof name === 'string' && backDoors.has(name);
}

function mayImport({ value }: Node): boolean {
  if (typeof value !== 'string') return false; // a name that is made up at run time
  if (value.startsWith('.')) return true;
  const [first = '', second = ''] = value.replace(/^node:/, '').split('/');
  if (value.startsWith('node:') || builtinModules.includes(first)) return !forbiddenBuiltins.has(first);
  return packages.has(first.startsWith('@') ? `${first}/${second}` : first);
}

describe('a violation is', () => {
  test.each([
    `import { spawn } from 'node:child_process';`,
    `import cp from "child_process";`,
    `import 'node:cluster';`,
    `export { fork } from 'node:child_process';`,
    `export * from 'node:child_process';`,
    `const { exec } = await import('node:child_process');`,
    'await import(name);',
    `await import('node:' + name);`,
    `const cp = require('child_process');`,
    `process.getBuiltinModule('node:child_process')`,
    `const { getBuiltinModule: get } = 1; getBuiltinModule('node:child_process')`,
    `process.binding('spawn_sync')`,
    `const b = process.binding;`,
    `process['binding']('spawn_sync')`,
    `import { createRequire } from 'node:module';`,
    `import execa from 'execa';`,
    `import x from '@scope/unknown/deep';`,
    `import x from 'vitest';`,
    `new Function('return 1')`,
  ])('%s', (code) => {
    expect(violations(code)).not.toEqual([]);
  });
});

describe('no violation is', () => {
  test.each([
    `import pg from 'pg';`,
    `import { x } from '../model/errors.js';`,
    `import { Worker } from 'node:worker_threads';`,
    `import { readFile } from 'node:fs/promises';`,
    `export { x } from './x.js';`,
    `// import { spawn } from 'node:child_process'`,
    `const text = "from 'node:child_process'";`,
    `const found = await import('zstd-napi/binding.js');`,
    'new Worker(new URL("./worker.js", import.meta.url))',
    `const y = [1].includes(1);`,
  ])('%s', (code) => {
    expect(violations(code)).toEqual([]);
  });
});

test('no source starts a process or imports what users do not get', async () => {
  const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  expect(sources.length).toBeGreaterThan(10);
  const built = sources.sort().map((name) => name.replace(/\.ts$/, '.js'));
  const found = await Promise.all(
    built.map(async (name) => violations(await readFile(join(root, 'dist', name), 'utf8')).map((words) => `${name}: ${words}`)),
  );
  expect(found.flat()).toEqual([]);
});
