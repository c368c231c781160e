import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { toolVersion } from '#dist/model/tool-version.js';

it('is the version of package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(toolVersion).toBe(version);
});
