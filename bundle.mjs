// After tsc: puts the command and the worker threads into dist/bundle, each with the packages that it needs at its start, because finding
// and reading some two hundred small files took most of the time of a short command and of every thread. The library itself, which users
// import, stays as tsc has it and shares packages with their program.
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
/** zod brings its messages in fifty languages; English is what it speaks unless told otherwise. */
const oneLanguage = {
  name: 'one language',
  setup: ({ onLoad }) =>
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';" })),
};
/** Small, without native code, files of their own or a say in what else is loaded. */
const inside = ['cli-table3', 'commander', 'croner', 'fastest-levenshtein', 'pg', 'pg-copy-streams', 'pg-protocol', 'zod'];
const known = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
const outdir = 'dist/bundle';

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outdir,
  entryNames: '[name]',
  metafile: true,
  logLevel: 'warning',
  plugins: [oneLanguage],
  // Optional packages of those: where they are asked for, they are looked for as before.
  external: [...known.filter((name) => !inside.includes(name)), 'pg-native', 'pg-cloudflare', '@colors/colors'],
  // Packages in CommonJS ask for Node.js's own modules by require().
  banner: { js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);" },
  // pg finds out that it does not run at Cloudflare by making a Response, for which Node.js 20 loads the whole of fetch.
  define: { navigator: '{"userAgent":"Node.js"}' },
};

await rm(outdir, { recursive: true, force: true });
const results = await Promise.all([
  build({ ...common, entryPoints: ['src/cli/main.ts'], splitting: true }),
  build({
    ...common,
    entryPoints: [
      'src/snapshot/read-worker.ts',
      'src/restore/load-worker.ts',
      'src/archive/check-worker.ts',
      'src/app/config/module-worker.ts',
    ],
  }),
]);
await writeFile(`${outdir}/LICENSES.txt`, await licences(results.flatMap(({ metafile }) => Object.keys(metafile.inputs))));
await chmod(`${outdir}/main.js`, 0o755);

/** Those of all packages that are inside, as they ask for. */
async function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    const found = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'License', 'license'].map((file) => readFile(`${folder}/${file}`, 'utf8'));
    return `${name} ${version} (${license})\n\n${(await Promise.any(found).catch(() => '')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
