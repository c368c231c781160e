import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '#dist/app/config/load.js';
import { openSettingsFile } from '#dist/app/tune/write-settings.js';

const settings = { copyFormat: 'text', compressLevel: 5, jobs: 3, chunkBytes: 16 << 20 } as const;
const keys = { jobs: 3, compressLevel: 5, copyFormat: 'text', chunkSize: '16MiB' };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, before: string | undefined): Promise<string> {
  const file = join(folder, name);
  if (before !== undefined) await writeFile(file, before);
  const open = await openSettingsFile(file);
  await open.write(settings);
  expect(open.path).toBe(file);
  return await readFile(file, 'utf8');
}

test('all else stays, and the indentation; a configuration reads what was written', async () => {
  const before = `{\n    "preset": "daemon",\n    "snapshot": { "jobs": 1, "noOwner": true },\n    "store": "x"\n}\n`;
  const text = await written('a.json', before);
  expect(JSON.parse(text)).toEqual({ preset: 'daemon', snapshot: { noOwner: true, ...keys }, store: 'x' });
  expect(Object.keys(JSON.parse(text))).toEqual(['preset', 'snapshot', 'store']);
  expect(text).toMatch(/^\{\n {4}"preset"[\s\S]*\}\n$/);
  const config = await loadConfig({ file: join(folder, 'a.json'), env: {} });
  expect(config.snapshot).toEqual({ noOwner: true, jobs: 3, compressLevel: 5, copyFormat: 'text', chunkBytes: 16 << 20 });
});

test('a new file where there is none, and the key of package.json', async () => {
  expect(JSON.parse(await written('new.json', undefined))).toEqual({ snapshot: keys });
  const text = await written('package.json', '{ "name": "x", "tidemark": { "preset": "memory" } }');
  expect(JSON.parse(text)).toEqual({ name: 'x', tidemark: { preset: 'memory', snapshot: keys } });
});

test('permissions and links stay, and nothing is left beside the file', async () => {
  await writeFile(join(folder, 'secret.json'), '{}', { mode: 0o640 });
  await chmod(join(folder, 'secret.json'), 0o640);
  await symlink('secret.json', join(folder, 'link.json'));
  await (await openSettingsFile(join(folder, 'link.json'))).write(settings);
  expect((await stat(join(folder, 'secret.json'))).mode & 0o777).toBe(0o640);
  expect(JSON.parse(await readFile(join(folder, 'secret.json'), 'utf8'))).toEqual({ snapshot: keys });
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test.each([
  ['tidemark.config.mjs', 'export default {};', 'only a configuration in JSON (.json) can be written', /by hand/],
  ['broken.json', '{\n"a": 1,\n}', 'line 3', /docs\/config.md/],
  ['list.json', '[]', 'the file must be an object', /docs\/config.md/],
  ['odd.json', '{ "snapshot": 3 }', 'its key snapshot must be an object', /docs\/config.md/],
])('%s is refused before anything is tried', async (name, content, message, hint) => {
  const file = join(folder, name);
  await writeFile(file, content);
  await expect(openSettingsFile(file)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(message),
    hint: expect.stringMatching(hint),
  });
  expect(await readFile(file, 'utf8')).toBe(content);
});

test('a directory that is not there is told at the beginning', async () => {
  await expect(openSettingsFile(join(folder, 'nowhere', 'a.json'))).rejects.toMatchObject({ code: 'FILE_ERROR' });
});
