// `tidemark bootstrap` and `tidemark drill` as a deployment runs them: what they print, and how they exit.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chain, flipByte, invalid, makeChain, position } from '../app/bootstrap/bootstrap-store.js';
import { createDatabase } from '../server/index.js';
import { jsonLines, runCli } from './run-cli.js';

let chain: Chain;
beforeAll(async () => {
  chain = await makeChain({ heights: [100, 200] });
});
afterAll(() => chain[Symbol.asyncDispose]());

const queries = ['--invalid', invalid, '--height-query', position.heightQuery, '--streams-query', position.streamsQuery];

describe('tidemark bootstrap', () => {
  test('says what it restored, and where to go on; then that there is nothing to do', async () => {
    await using store = await chain.storeOf(100, 200);
    await using database = await createDatabase();
    const args = ['bootstrap', '--store', store.path, '--prefix', 'chain', '-d', database.url, '-j', '1', ...queries];
    const first = await runCli(args);
    expect([first.exitCode, first.stdout]).toEqual([
      0,
      expect.stringMatching(/^restored chain-200: go on after height 200\ndatabase \S+: 3 tables, 202 rows/),
    ]);
    expect(first.stderr).toBe(`tidemark: database ${database.name}: the database is empty; restoring chain-200\n`);
    const second = await runCli([...args, '--available', 'txs=2001']);
    expect([second.exitCode, second.stderr]).toEqual([0, '']);
    expect(second.stdout).toMatch(/^database \S+ is healthy: nothing to do\nit stands at height 200, /);
    const third = await runCli([...args, '--available', 'txs=2002']);
    expect([third.exitCode, third.stdout]).toEqual([5, '']);
    expect(third.stderr).toContain('no snapshot reaches what the streams still hold');
  });

  test('as JSON, by the configuration file', async () => {
    await using store = await chain.storeOf(100);
    await using database = await createDatabase();
    const file = join(store.path, 'tidemark.config.json');
    await writeFile(file, JSON.stringify({ database: database.url, store: '.', prefix: 'chain', preset: 'runtime', position }));
    const planned = await runCli(['bootstrap', '--config', file, '--json', '--dry-run']);
    expect([planned.exitCode, planned.stdout]).toEqual([5, '']);
    expect(planned.stderr).toContain('a dry run does not read them');
    const restored = await runCli(['bootstrap', '--json'], { cwd: store.path });
    expect(jsonLines(restored.stdout)).toMatchObject([
      {
        type: 'bootstrap',
        action: 'restored',
        database: database.name,
        height: '100',
        goOnFrom: '101',
        snapshot: { id: 'chain-100' },
        tried: [],
      },
    ]);
    const again = await runCli(['bootstrap', '--json'], { cwd: store.path });
    expect(jsonLines(again.stdout)).toMatchObject([{ action: 'none', position: { height: '100', streams: { txs: '1000' } } }]);
  });

  test('an empty store and an empty database: from the beginning, and that is no failure', async () => {
    await using store = await chain.storeOf();
    await using database = await createDatabase();
    const { exitCode, stdout, stderr } = await runCli(['bootstrap', '--store', store.path, '-d', database.url]);
    expect([exitCode, stdout]).toEqual([0, 'the database is empty, and there is no snapshot: start from the beginning\n']);
    expect(stderr).toBe(`tidemark: ${store.path} has nothing that begins with snapshot-\n`);
  });
});

describe('tidemark drill', () => {
  test('says what it proved; damage is exit code 5', async () => {
    await using store = await chain.storeOf(100, 200);
    const args = ['drill', '--store', store.path, '--prefix', 'chain', '-d', chain.source.url];
    const none = await runCli(args);
    expect([none.exitCode, none.stderr]).toEqual([5, expect.stringContaining('there is no good snapshot')]);
    expect((await runCli(['list', '--store', store.path, '--prefix', 'chain', '--verify'])).exitCode).toBe(0);
    const good = await runCli(args);
    expect([good.exitCode, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^chain-200 can be restored: 3 tables with 202 rows and all definitions are those of the archive \(/),
    ]);
    await flipByte(join(store.path, 'chain-100.tar.zst'));
    const bad = await runCli([...args, 'chain-100', '--json']);
    expect([bad.exitCode, bad.stdout, jsonLines(bad.stderr).at(-1)]).toEqual([
      5,
      '',
      expect.objectContaining({ type: 'error', code: 'ARCHIVE_CORRUPT' }),
    ]);
    const list = await runCli(['list', '--store', store.path, '--prefix', 'chain', '--json']);
    expect(jsonLines(list.stdout)[0]).toMatchObject({
      snapshots: [{ id: 'chain-200', drill: { ok: true, rows: '202' } }],
      unknown: [{ id: 'chain-100' }],
    });
  });
});
