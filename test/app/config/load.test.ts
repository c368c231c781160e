// What a configuration becomes: every key, defaults, presets, paths, the environment; and where files are found.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '#dist/app/config/load.js';
import { presets } from '#dist/rules/presets.js';
import { temporaryDirectory } from '../../temporary-directory.js';
import { bare, least, load, refused } from './write-config.js';

describe('what a file says', () => {
  test('the least, with all defaults', async () => {
    const { config, directory } = await load(least);
    expect(config).toEqual({
      file: join(directory, 'tidemark.config.json'),
      fromEnvironment: [],
      database: expect.objectContaining({ host: 'localhost', port: 5432, user: 'nobody', database: 'nobody' }),
      store: join(directory, 'snapshots'),
      prefix: 'snapshot',
      layout: 'flat',
      position: {},
      snapshot: {},
      schedule: { rules: [{ by: 'time', every: 3_600_000 }] },
      retention: { last: 2 },
      poll: { everyMs: 10_000 },
      http: { host: '127.0.0.1', port: 7432 },
      log: { level: 'info' },
      webhook: { timeoutMs: 10_000 },
      leaseMs: 30_000,
      reserveBytes: 1_000_000_000n,
    });
    expect(Object.keys(config.snapshot)).toEqual([]);
  });

  test('every key', async () => {
    const lists = { tables: ['a'], schemas: ['b'], excludeTables: ['c'], excludeSchemas: ['d'], excludeTableData: ['e'] };
    const more = {
      tablesAndChildren: ['f'],
      excludeTablesAndChildren: ['g'],
      excludeTableDataAndChildren: ['h'],
      extensions: ['i'],
      excludeExtensions: ['j'],
    };
    const flags = Object.fromEntries(
      [
        ...[
          'largeObjects',
          'noOwner',
          'noPrivileges',
          'noComments',
          'noPublications',
          'noSubscriptions',
          'noSecurityLabels',
          'noTablespaces',
        ],
        ...['noTableAccessMethod', 'loadViaPartitionRoot', 'secrets', 'globals', 'rolePasswords', 'statistics', 'skipUnsupported'],
      ].map((name) => [name, true]),
    );
    const snapshot = {
      ...lists,
      ...more,
      ...flags,
      jobs: 3,
      compressLevel: -2,
      copyFormat: 'text',
      includeForeignData: ['k'],
      attempts: 2,
    };
    const { config, directory } = await load({
      $schema: './config.schema.json',
      database: {
        host: '/run/pg',
        port: 5433,
        database: "it's",
        user: 'u',
        password: 'p\\w',
        sslmode: 'disable',
        passfile: 'pass',
        options: '-c x=1',
      },
      role: 'reader',
      store: '../store',
      prefix: 'paima-snapshot',
      layout: 'dated',
      position: { heightQuery: 'SELECT 1', hashQuery: 'SELECT $1', streamsQuery: 'SELECT 2' },
      snapshot: {
        ...snapshot,
        completedOnce: ['l'],
        sections: ['pre-data', 'data'],
        filterFiles: ['filter', '/abs'],
        lockTimeout: 0,
        maxAge: '1h',
      },
      preset: 'memory',
      rules: [
        { by: 'height', every: 151200 },
        { by: 'height', every: '99999999999999999', from: 'multiples' },
        { by: 'time', every: '1h30m' },
        { by: 'changes', changes: 10000, after: '60s' },
        { by: 'commits', every: 1000 },
        { by: 'stream', stream: 's', every: 5 },
        { by: 'wal', every: '1GiB' },
        { by: 'wal', every: 5 },
        { by: 'cron', expression: '0 2 * * *', timeZone: 'Europe/Berlin' },
      ],
      whenNone: false,
      atShutdown: false,
      retry: { height: 3600, after: '15m' },
      retention: {
        ...{ last: 3, within: '30d', hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 'all' },
        ...{ heights: { every: 1000000, keep: 5 }, timeZone: 'Asia/Tokyo' },
      },
      poll: { every: '2s', listen: 'blocks' },
      http: { host: '::', port: 0 },
      log: { level: 'debug' },
      webhook: { success: 'https://a/x', failure: 'http://b/y', timeout: '500ms' },
      lease: '1m',
      drill: { rule: { by: 'cron', expression: '0 0 * * 0' }, database: 'postgres://u@scratch/x' },
      reserve: '64MB',
    });
    const { lockTimeoutMs, maxAgeMs, filterFiles, sections, completed, ...rest } = config.snapshot;
    expect(rest).toEqual(snapshot);
    expect(completed).toEqual({ tables: ['l'] });
    expect({ lockTimeoutMs, maxAgeMs, filterFiles, sections }).toEqual({
      ...{ lockTimeoutMs: 0, maxAgeMs: 3_600_000, sections: ['pre-data', 'data'] },
      filterFiles: [join(directory, 'filter'), '/abs'],
    });
    expect(config).toMatchObject({
      database: {
        host: '/run/pg',
        port: 5433,
        database: "it's",
        user: 'u',
        password: 'p\\w',
        options: '-c x=1',
        role: 'reader',
        passfile: join(directory, 'pass'),
      },
      store: join(directory, '../store'),
      prefix: 'paima-snapshot',
      position: { heightQuery: 'SELECT 1', hashQuery: 'SELECT $1', streamsQuery: 'SELECT 2' },
      preset: 'memory',
      schedule: {
        rules: [
          { by: 'height', every: 151_200n },
          { by: 'height', every: 99_999_999_999_999_999n, from: 'multiples' },
          { by: 'time', every: 5_400_000 },
          { by: 'changes', changes: 10_000n, after: 60_000 },
          { by: 'commits', every: 1000n },
          { by: 'stream', stream: 's', every: 5n },
          { by: 'wal', every: 1n << 30n },
          { by: 'wal', every: 5n },
          { by: 'cron', expression: '0 2 * * *', timeZone: 'Europe/Berlin' },
        ],
        whenNone: false,
        atShutdown: false,
        retry: { height: 3600n, ms: 900_000 },
      },
      retention: {
        ...{ last: 3, within: 2_592_000_000, hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 'all' },
        ...{ heights: { every: 1_000_000n, keep: 5 }, timeZone: 'Asia/Tokyo' },
      },
      poll: { everyMs: 2000, listen: 'blocks' },
      http: { host: '::', port: 0 },
      log: { level: 'debug' },
      webhook: { success: 'https://a/x', failure: 'http://b/y', timeoutMs: 500 },
      leaseMs: 60_000,
      drill: { rule: { by: 'cron', expression: '0 0 * * 0' }, database: { host: 'scratch', database: 'x' } },
      reserveBytes: 64_000_000n,
    });
  });

  test('http: false serves nothing', async () => {
    expect((await load({ ...least, http: false })).config).not.toHaveProperty('http');
  });

  test('a string is a database as everywhere', async () => {
    expect((await load({ ...least, database: 'host=db dbname=x' })).config.database).toMatchObject({
      host: 'db',
      database: 'x',
      user: 'nobody',
    });
    expect((await load({ ...least, database: 'x' })).config.database).toMatchObject({ host: 'localhost', database: 'x' });
    expect((await load({ ...least, database: {} }, { env: { PGHOST: 'h', DATABASE_URL: 'other' } })).config.database).toMatchObject({
      host: 'h',
      database: 'nobody',
    });
  });
});

describe('presets', () => {
  const position = { heightQuery: 'SELECT 1' };

  test.each(Object.keys(presets) as (keyof typeof presets)[])('%s alone', async (preset) => {
    const { config } = await load({ preset, position });
    expect({ schedule: config.schedule, retention: config.retention }).toEqual({
      schedule: presets[preset].schedule,
      retention: presets[preset].retention,
    });
  });

  test('own keys win: retention as a whole, rules with the retry', async () => {
    expect((await load({ preset: 'indexer', retention: { last: 5 } })).config).toMatchObject({
      schedule: presets.indexer.schedule,
      retention: { last: 5 },
    });
    const { config } = await load({ preset: 'runtime', position, rules: [{ by: 'height', every: 100 }] });
    expect(config.schedule).toEqual({ rules: [{ by: 'height', every: 100n }] });
    expect(config.retention).toEqual({ last: 2 });
    const stays = await load({ preset: 'memory', rules: [{ by: 'time', every: '1m' }] });
    expect(stays.config.schedule.atShutdown).toBe(true);
    const own = await load({ preset: 'memory', atShutdown: false, whenNone: false, retry: { after: '5s' } });
    expect(own.config.schedule).toEqual({ ...presets.memory.schedule, atShutdown: false, whenNone: false, retry: { ms: 5000 } });
  });

  test('at shutdown only, without rules', async () => {
    expect((await load({ atShutdown: true, retention: { last: 1 } })).config.schedule).toEqual({ rules: [], atShutdown: true });
  });
});

describe('the environment', () => {
  test('wins over the file; its paths are relative to the directory', async () => {
    await using place = await temporaryDirectory();
    await mkdir(join(place.path, 'etc'));
    await writeFile(
      join(place.path, 'etc/x.json'),
      JSON.stringify({ ...least, store: 'a', http: false, snapshot: { jobs: 2 }, poll: { listen: 'c' } }),
    );
    const env = {
      ...bare,
      TIDEMARK_CONFIG: 'etc/x.json',
      TIDEMARK_DATABASE: 'postgres://e@host/db',
      TIDEMARK_STORE: 'b',
      TIDEMARK_HTTP_PORT: '8080',
      TIDEMARK_POLL_EVERY: '3s',
      TIDEMARK_SNAPSHOT_NO_OWNER: 'true',
      TIDEMARK_SNAPSHOT_EXCLUDE_TABLES: 'queue_*, jobs',
      TIDEMARK_SNAPSHOT_TABLES: '["a,b"]',
      TIDEMARK_SNAPSHOT_FILTER_FILES: 'filter',
      TIDEMARK_RETENTION_LAST: 'all',
      TIDEMARK_RETENTION_HEIGHTS_EVERY: '99999999999999999',
      TIDEMARK_POSITION_HEIGHT_QUERY: 'SELECT 1',
      TIDEMARK_RULES: '[{"by":"commits","every":500}]',
      TIDEMARK_PREFIX: '',
    };
    const config = await loadConfig({ directory: place.path, env });
    expect(config).toMatchObject({
      file: join(place.path, 'etc/x.json'),
      database: { host: 'host', user: 'e' },
      store: join(place.path, 'b'),
      prefix: 'snapshot',
      http: { host: '127.0.0.1', port: 8080 },
      poll: { everyMs: 3000, listen: 'c' },
      snapshot: { jobs: 2, noOwner: true, excludeTables: ['queue_*', 'jobs'], tables: ['a,b'], filterFiles: [join(place.path, 'filter')] },
      retention: { last: 'all', heights: { every: 99_999_999_999_999_999n } },
      schedule: { rules: [{ by: 'commits', every: 500n }] },
    });
    expect(config.fromEnvironment).toContainEqual({ variable: 'TIDEMARK_HTTP_PORT', key: 'http.port' });
    expect(config.fromEnvironment).toHaveLength(12);
    const other = await loadConfig({
      directory: place.path,
      env: { ...bare, TIDEMARK_CONFIG: 'nowhere', TIDEMARK_HTTP: 'false' },
      file: 'etc/x.json',
    });
    expect(other.http).toBeUndefined();
  });

  test('is enough, without a file', async () => {
    await using place = await temporaryDirectory();
    const config = await loadConfig({
      directory: place.path,
      env: { ...bare, TIDEMARK_PRESET: 'memory', DATABASE_URL: 'postgres://u@h/d' },
    });
    expect(config).toMatchObject({ store: join(place.path, 'snapshots'), database: { host: 'h' } });
    expect(config).not.toHaveProperty('file');
  });

  test('of a cluster is not taken for ours', async () => {
    const env = {
      TIDEMARK_HTTP_PORT: 'tcp://10.0.0.1:80',
      TIDEMARK_SERVICE_HOST: '10.0.0.1',
      TIDEMARK_PORT: '9',
      TIDEMARK_SOMETHING_ELSE: '1',
    };
    expect((await load(least, { env })).config).toMatchObject({ http: { port: 7432 }, fromEnvironment: [] });
  });
});

describe('files', () => {
  test.each([
    ['tidemark.config.mjs', `export default { preset: 'memory', reserve: 5, rules: [{ by: 'commits', every: 500n }] };`],
    ['tidemark.config.js', `module.exports = { preset: 'memory', reserve: 5, rules: [{ by: 'commits', every: 500n }] };`],
    ['tidemark.config.cjs', `module.exports = { preset: 'memory', reserve: 5, rules: [{ by: 'commits', every: 500n }] };`],
    [
      'tidemark.config.mjs',
      `console.log('x'); export default Promise.resolve({ preset: 'memory', reserve: 5, prefix: undefined, rules: [{ by: 'commits', every: 500 }] });`,
    ],
    ['tidemark.config.json', `{ "preset": "memory", "reserve": "5B", "rules": [{ "by": "commits", "every": "500" }] }`],
    ['package.json', `{ "name": "x", "tidemark": { "preset": "memory", "reserve": 5, "rules": [{ "by": "commits", "every": 500 }] } }`],
  ])('%s', async (name, content) => {
    const { config, directory } = await load(content, { name });
    expect(config).toMatchObject({
      file: join(directory, name),
      reserveBytes: 5n,
      schedule: { rules: [{ every: 500n }] },
      prefix: 'snapshot',
    });
  });

  test('a directory above has it; a package.json without the key is passed by', async () => {
    await using place = await temporaryDirectory();
    await mkdir(join(place.path, 'a/b'), { recursive: true });
    await writeFile(join(place.path, 'a/package.json'), '{"name": "x"}');
    await writeFile(join(place.path, 'tidemark.config.json'), JSON.stringify(least));
    const { file, store } = await loadConfig({ directory: join(place.path, 'a/b'), env: bare });
    expect({ file, store }).toEqual({ file: join(place.path, 'tidemark.config.json'), store: join(place.path, 'snapshots') });
  });

  test('a second reading sees what has changed', async () => {
    await using place = await temporaryDirectory();
    for (const [name, begin] of [
      ['tidemark.config.mjs', 'export default'],
      ['x.cjs', 'module.exports ='],
    ] as const) {
      for (const prefix of ['one', 'two']) {
        await writeFile(join(place.path, name), `${begin} { preset: 'memory', prefix: '${prefix}' }`);
        expect((await loadConfig({ directory: place.path, file: name, env: bare })).prefix).toBe(prefix);
      }
    }
  });

  test.each([
    ['tidemark.config.mjs', 'const a = 1;\nthrow new Error("no luck");', 'it throws: no luck (line 2)'],
    ['tidemark.config.mjs', 'throw "no luck"', 'it throws: no luck'],
    ['tidemark.config.cjs', '\n\nthrow new Error("no luck")', 'it throws: no luck (line 3)'],
    ['tidemark.config.mjs', 'export default { a: 1\n b: 2 }', /^it cannot be run: `node .*` tells why$|^it throws: Unexpected/],
    ['tidemark.config.mjs', 'process.exit(0)', 'it ended before it had exported anything'],
    ['tidemark.config.mjs', 'await new Promise(() => {})', 'it ended before it had exported anything'],
    ['tidemark.config.mjs', 'export const preset = "memory"', 'it has no default export'],
    ['tidemark.config.mjs', 'export default { store: () => "x" }', 'what it exports is not plain data'],
    ['tidemark.config.json', '{\n  "preset": "memory"\n  "password": "hunter2"\n}', 'line 3: a comma or } must stand here'],
    ['tidemark.config.json', '', 'the file is empty'],
    ['tidemark.config.mjs', '', 'the file is empty'],
    ['package.json', '{\n"tidemark": {},}', 'line 2: another key must stand here, as a comma comes before'],
  ])('%s with %j is told', async (name, content, told) => {
    const { code, message } = await refused(content, { name });
    const [, path, why] = /^read configuration (\S+): (.*)$/s.exec(message) ?? [];
    expect({ code, name: path?.endsWith(name), why }).toEqual({
      code: 'USAGE',
      name: true,
      why: typeof told === 'string' ? told : expect.stringMatching(told),
    });
  });

  test('TypeScript where Node.js can run it; else it is told', async () => {
    const content = `export default { preset: 'memory' } satisfies object;`;
    if ('typescript' in process.features && process.features.typescript) {
      expect((await load(content, { name: 'tidemark.config.ts' })).config.preset).toBe('memory');
    } else {
      expect((await refused(content, { name: 'tidemark.config.ts' })).message).toMatch(/: Node.js v\S+ cannot run TypeScript$/);
    }
  });

  test('a file that is named must be there, and be one', async () => {
    await using place = await temporaryDirectory();
    const reading = (file: string) => loadConfig({ directory: place.path, env: bare, file });
    await expect(reading('gone.json')).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: `read configuration ${join(place.path, 'gone.json')}: there is no such file`,
    });
    await expect(reading('.')).rejects.toMatchObject({ code: 'FILE_ERROR' });
    await expect(reading('x.yaml')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/is written in JSON or JavaScript: .json, .mjs/),
    });
    await writeFile(join(place.path, 'package.json'), '{}');
    await expect(reading('package.json')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/it has no key "tidemark"$/),
    });
  });

  test('nothing found is told with where and what was looked for', async () => {
    await using place = await temporaryDirectory();
    await expect(loadConfig({ directory: place.path, env: bare })).rejects.toMatchObject({
      code: 'USAGE',
      message: `find the configuration in ${place.path} or above: there is no tidemark.config.json, tidemark.config.mjs, tidemark.config.js, tidemark.config.cjs, tidemark.config.ts`,
    });
  });
});
