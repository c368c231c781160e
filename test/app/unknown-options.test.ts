// An option that nobody knows is refused by every public function, before anything is connected to, read or written.
import { describe, expect, test } from 'vitest';
import * as tidemark from '#dist/index.js';
import { refuseUnknownOptions } from '#dist/model/option-names.js';
import * as rules from '#dist/rules/index.js';
import { openStore } from '#dist/store/open-store.js';
import * as testing from '#dist/testing/index.js';

type Call = (...given: unknown[]) => unknown;

/** What a function does: its error, however it comes. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

/** Functions whose options are not their first parameter, or that are no functions of options. */
const others = new Set(['TidemarkError', 'openStore', 'startTestServer']);

const functions = Object.entries({ ...tidemark, ...testing } as Record<string, unknown>).filter(
  (entry): entry is [string, Call] => typeof entry[1] === 'function' && !others.has(entry[0]),
);

test('the functions are all there', () => {
  expect(functions.length).toBeGreaterThan(20);
});

// loadConfig's only options say where to read: a file that is not there is told of.
describe.each(functions.filter(([name]) => name !== 'loadConfig'))('%s', (_name, call) => {
  test('refuses a name that none of its options has', async () => {
    expect(await errorOf(() => call({ databse: 'postgres://nobody@localhost:1/none' }))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('there is no option "databse"'),
      hint: expect.stringMatching(/^the options are \w+, /),
    });
  });

  test('refuses what is no object', async () => {
    expect(await errorOf(() => call('postgres://nobody@localhost:1/none'))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('the options are not an object'),
    });
  });
});

test('a name without a value is no name', () => {
  expect(() => refuseUnknownOptions({ jobs: 1, more: undefined } as { jobs: number }, { jobs: true }, 'try')).not.toThrow();
});

test.each([
  ['openStore', () => openStore('/nowhere', { signl: 1 } as object)],
  ['startTestServer', () => testing.startTestServer('embedded', { setings: {} } as object)],
])('%s refuses one behind its first parameter', async (_name, call) => {
  expect(await errorOf(call)).toMatchObject({ code: 'USAGE', message: expect.stringMatching(/there is no option "(signl|setings)"/) });
});

describe('where to connect', () => {
  const settings = { host: 'localhost', port: 1, user: 'nobody', database: 'none' };
  const connect = (database: object) => errorOf(() => tidemark.printSchema({ database: database as typeof settings }));

  test("settings of another library's form", async () => {
    expect(await connect({ connectionString: 'postgres://nobody@localhost:1/none' })).toMatchObject({
      code: 'USAGE',
      message: 'connect: there is no option "connectionString"',
    });
  });

  test.each(['host', 'port', 'user', 'database'])('settings without %s', async (name) => {
    expect(await connect({ ...settings, [name]: undefined })).toMatchObject({
      code: 'USAGE',
      message: `connect: the settings have no ${name}`,
    });
  });

  test('settings that have all get as far as the server', async () => {
    expect(await connect(settings)).toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});

describe('a scheduler', () => {
  const good = {
    db: 'postgres://nobody@localhost:1/none',
    store: '/nowhere',
    rules: [{ by: 'time', every: 1000 }],
    retention: { last: 2 },
  };

  test.each<[Record<string, unknown>, string]>([
    [{ position: { heigthQuery: 'SELECT 1' } }, 'create a scheduler: position: there is no option "heigthQuery"'],
    [{ position: { height: 1n } }, 'create a scheduler: position: there is no option "height"'],
    [{ snapshot: { excludeTable: ['secrets'] } }, 'create a scheduler: snapshot: there is no option "excludeTable"'],
    [{ snapshot: { file: 'here' } }, 'create a scheduler: snapshot: there is no option "file"'],
    [{ drill: { rules: [] } }, 'create a scheduler: drill: there is no option "rules"'],
    [{ retention: { last: 2, daly: 7 } }, 'read the retention policy: there is no option "daly"'],
    [{ retention: { heights: { evry: 1n } } }, 'read the retention policy: heights: there is no option "evry"'],
    [{ rules: { rules: good.rules, atShutDown: true } }, 'read the schedule: there is no option "atShutDown"'],
    [{ rules: [{ by: 'time', every: 1000, after: 5 }] }, 'read the schedule: a rule by time: there is no option "after"'],
    [{ rules: [{ by: 'hight', every: 5n }] }, 'read the schedule: there is no rule by hight: it is one of'],
    [{ rules: [{ by: 'wal' }] }, 'read the schedule: the distance (every undefined bytes of write-ahead log) is undefined'],
  ])('refuses %#', async (wrong, message) => {
    const options = { ...good, ...wrong } as unknown as tidemark.SchedulerOptions;
    expect(await errorOf(() => tidemark.createScheduler(options))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message),
    });
  });
});

test('a policy by itself', () => {
  expect(() => rules.checkPolicy({ last: 1, lst: 1 } as object)).toThrow('there is no option "lst"');
});

test('a bootstrap of a position', async () => {
  const position = { streamQuery: 'SELECT 1' } as object;
  expect(await errorOf(() => tidemark.bootstrap({ store: '/nowhere', position }))).toMatchObject({
    code: 'USAGE',
    message: 'bootstrap: position: there is no option "streamQuery"',
  });
});

test('completed partitions', async () => {
  const completed = { tables: ['a'], bse: 'x' };
  expect(await errorOf(() => tidemark.takeSnapshot({ file: 'none', height: 1n, completed }))).toMatchObject({
    code: 'USAGE',
    message: 'take a snapshot: completed: there is no option "bse"',
  });
});
