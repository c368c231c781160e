// The examples of docs/scheduler.md, run as they stand there.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as tidemark from '#dist/index.js';
import * as rules from '#dist/rules/index.js';
import { Host } from './host.js';

const page = new URL('../../docs/scheduler.md', import.meta.url);

/** The code between the fences, its imports given by hand, its places those of the test. A runtime does not end with its first block. */
async function examples(places: Readonly<Record<string, string>>): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) =>
    Object.entries(places).reduce(
      (all, [from, to]) => all.replaceAll(from, to),
      code.replaceAll(/^import .*$/gm, '').replace('await scheduler.close(); // at the end', 'await scheduler.look(); $&'),
    ),
  );
}

const run = (code: string, given: Readonly<Record<string, unknown>>): Promise<void> =>
  new Function(...Object.keys(given), `return (async () => {${code}})()`)(...Object.values(given));

test('the examples of the page do what they say', async () => {
  await using host = await Host.start(
    'CREATE TABLE blocks (height bigint); INSERT INTO blocks VALUES (7); CREATE TABLE state AS SELECT false AS applying',
  );
  const all = await examples({ "'snapshots'": JSON.stringify(host.store), '/mnt/usb': join(host.store, '..') });
  expect(all).toHaveLength(2);
  for (const code of all) await run(code, { ...tidemark, presets: rules.presets, url: host.db.url, height: 7n });
  const names = await host.archives();
  expect(names).toContain('paima-snapshot-7.tar.zst');
  expect(names.filter((name) => name.startsWith('dump-'))).toHaveLength(1);
  await tidemark.verifySnapshot({ file: join(host.store, '..', 'today.tar.zst') });
});
