// The examples of docs/testing.md, run as they stand there, in a project that has nothing else: a folder outside of this one, which finds
// tidemark among its packages.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeSnapshot } from '#dist/index.js';
import { connect, createDatabase, startServer } from '../server/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-project-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules', 'tidemark'));
  for (const name of ['pg', 'vitest', '@types']) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
});
afterAll(() => rm(folder, { recursive: true }));

/** A project of what a section of the page has that begins with the name of a file, and of a snapshot. */
async function projectOf(section: string): Promise<string> {
  const text = await readFile(join(root, 'docs', 'testing.md'), 'utf8');
  const part = text.split(/^## /m).find((one) => one.startsWith(`${section}\n`)) ?? '';
  const project = await mkdtemp(join(folder, section.replace(/\W/g, '-')));
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const [, name = '', code = ''] of part.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)) await writeFile(join(project, name), code);
  await using source = await createDatabase();
  await source.run('CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2)');
  await takeSnapshot({ database: source.url, file: join(project, 'app.tar.zst') });
  return project;
}

/** Nothing of the run that this test is part of. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|TEST$|NODE_TEST_CONTEXT|NODE_OPTIONS|TIDEMARK_|TEST_DATABASE_URL)/.test(name),
  );
  return { ...Object.fromEntries(own), ...more };
}

test('those for Vitest: a server, and a database for each test', async () => {
  const project = await projectOf('Vitest');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { stdout } = await run(process.execPath, [vitest, 'run', '--reporter=json', '--no-color'], { cwd: project, env: environment({}) });
  expect(JSON.parse(stdout.slice(stdout.indexOf('{')))).toMatchObject({ numTotalTests: 2, numPassedTests: 2, success: true });
});

test('those for Vitest have the types that they say', async () => {
  const project = await projectOf('Vitest');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const files = (await readdir(project)).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(1);
  const strict = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--lib',
    'esnext',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const { stdout } = await run(process.execPath, [tsc, ...strict, ...files], { cwd: project }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test('those for node:test: a database that is made new for each test, and nothing is left', async () => {
  const project = await projectOf('node:test');
  const server = await startServer();
  try {
    const env = environment({ TEST_DATABASE_URL: server.url });
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', 'users.test.mjs'], { cwd: project, env });
    expect(stdout).toMatch(/^# pass 2$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
    await using admin = await connect(server.url);
    const { rows } = await admin.query(`SELECT datname FROM pg_database WHERE datname LIKE 'tidemark_clone%'`);
    expect(rows).toEqual([]);
  } finally {
    await server.stop();
  }
});
