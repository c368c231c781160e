// The options of every command under the names and short forms that users of pg_dump and pg_restore know.
import { expect, test } from 'vitest';
import { createProgram } from '#dist/cli/program.js';

function parsed(args: readonly string[]): Readonly<Record<string, unknown>> {
  const [name, ...rest] = args;
  const command = createProgram().commands.find((known) => known.name() === name);
  if (!command) throw new Error(`there is no command ${name}`);
  const { unknown } = command.parseOptions(rest);
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(' ')}`);
  return command.opts();
}

const patterns = [
  [['-t', 'a', '--table', 'b'], { table: ['a', 'b'] }],
  [['-ta', '--table=b'], { table: ['a', 'b'] }],
  [['-n', 'a', '--schema', 'b'], { schema: ['a', 'b'] }],
] as const;
const exclusions = [
  [['-T', 'a', '--exclude-table', 'b'], { excludeTable: ['a', 'b'] }],
  [['-N', 'a', '--exclude-schema', 'b'], { excludeSchema: ['a', 'b'] }],
] as const;
const connection = [
  [['-d', 'x'], { dbname: 'x' }],
  [['--dbname', 'x'], { dbname: 'x' }],
  [['--dbname=x'], { dbname: 'x' }],
] as const;
const trust = [
  [['--verify-key', 'a', '--verify-key', 'b', '--identity', 'c', '--identity=d'], { verifyKey: ['a', 'b'], identity: ['c', 'd'] }],
] as const;
const newest = [[['--prefix', 'a'], { prefix: 'a' }]] as const;
const jobs = [
  [['-j', '3'], { jobs: 3 }],
  [['-j3'], { jobs: 3 }],
  [['--jobs', '3'], { jobs: 3 }],
] as const;
const sections = [
  [['-s'], { schemaOnly: true }],
  [['--schema-only'], { schemaOnly: true }],
  [['-a'], { dataOnly: true }],
  [['--data-only'], { dataOnly: true }],
  [['-b'], { largeObjects: true }],
  [['--large-objects'], { largeObjects: true }],
  [['-B'], { largeObjects: false }],
  [['--no-large-objects'], { largeObjects: false }],
] as const;
const rights = [
  [['-O'], { owner: false }],
  [['--no-owner'], { owner: false }],
  [['-x'], { privileges: false }],
  [['--no-privileges'], { privileges: false }],
  [['--no-acl'], { acl: false }],
  [['-Ox'], { owner: false, privileges: false }],
  [[], { owner: true, privileges: true, acl: true }],
] as const;
const switches = [
  [['--no-comments'], { comments: false, publications: true }],
  [['--no-publications'], { publications: false }],
  [['--no-subscriptions'], { subscriptions: false }],
  [['--no-security-labels'], { securityLabels: false }],
  [['--no-tablespaces'], { tablespaces: false }],
  [['--no-table-access-method'], { tableAccessMethod: false }],
  [['--role', 'app'], { role: 'app' }],
  [['--filter', 'a', '--filter', '-'], { filter: ['a', '-'] }],
  [['--table-and-children', 'a'], { tableAndChildren: ['a'] }],
  [['--exclude-table-and-children', 'a'], { excludeTableAndChildren: ['a'] }],
  [['--strict-names'], { strictNames: true }],
  [['--section=pre-data', '--section', 'post-data'], { section: ['pre-data', 'post-data'] }],
  [['--extension', 'a', '--extension', 'b'], { extension: ['a', 'b'] }],
  [['--exclude-extension', 'a'], { excludeExtension: ['a'] }],
] as const;
const rows = [
  [['--exclude-table-data', 'a', '--exclude-table-data', 'b'], { excludeTableData: ['a', 'b'] }],
  [['--exclude-table-data-and-children', 'a'], { excludeTableDataAndChildren: ['a'] }],
  [['--load-via-partition-root'], { loadViaPartitionRoot: true }],
] as const;
const json = [[['--json'], { json: true }]] as const;
const lock = [
  [['--lock-wait-timeout', '5s'], { lockWaitTimeout: 5000 }],
  [['--skip-unsupported'], { skipUnsupported: true }],
  [['--secrets'], { secrets: true }],
  [['--role-passwords'], { rolePasswords: true }],
] as const;
const place = [
  [['--store', 'a', '--prefix', 'b'], { store: 'a', prefix: 'b' }],
  [['--layout', 'dated'], { layout: 'dated' }],
] as const;
const store = [...place, [['-c', 'a'], { config: 'a' }], [['--config=a'], { config: 'a' }]] as const;
const globals = [[['--globals'], { globals: true }]] as const;

const options: Readonly<Record<string, readonly (readonly [args: readonly string[], opts: object])[]>> = {
  snapshot: [
    [['--include-foreign-data', 'a', '--include-foreign-data', 'b'], { includeForeignData: ['a', 'b'] }],
    ...connection,
    ...jobs,
    ...patterns,
    ...exclusions,
    ...sections,
    ...rights,
    ...switches,
    ...rows,
    ...lock,
    ...globals,
    ...json,
    ...place,
    [['--completed-once', 'a', '--completed-once', 'b.c', '--base', 'd'], { completedOnce: ['a', 'b.c'], base: 'd' }],
    [['--verify', 'read'], { verify: 'read' }],
    [['--sign', 'x', '--encrypt', 'a', '--encrypt', '@b'], { sign: 'x', encrypt: ['a', '@b'] }],
    [['-f', 'x'], { file: 'x' }],
    [['-f', '-'], { file: '-' }],
    [['--file', 'x'], { file: 'x' }],
    [['-Z', '5'], { compress: 5 }],
    [['-Z5'], { compress: 5 }],
    [['--compress=zstd:5'], { compress: 5 }],
    [['--copy-format', 'binary'], { copyFormat: 'binary' }],
    [['--chunk-size', '1MiB'], { chunkSize: 1 << 20 }],
    [['-e', 'a'], { extension: ['a'] }],
    [['--height', '12'], { height: 12n }],
    [['--height-query', 'SELECT 1'], { heightQuery: 'SELECT 1' }],
    [['--hash-query', 'SELECT 1'], { hashQuery: 'SELECT 1' }],
    [['--streams-query', 'SELECT 1'], { streamsQuery: 'SELECT 1' }],
    [['--max-age', '1h'], { maxAge: 3_600_000 }],
    [['--statistics'], { statistics: true }],
    [['--no-statistics'], { statistics: false }],
  ],
  tune: [
    ...connection,
    ...exclusions,
    ...json,
    [['--role', 'app'], { role: 'app' }],
    [['--seconds', '5', '--plot', 'a', '--write', 'b'], { seconds: 5, plot: 'a', write: 'b' }],
    [['-t', 'a', '--table', 'b', '-n', 'c', '--schema=d'], { table: ['a', 'b'], schema: ['c', 'd'] }],
    [['--exclude-table-data', 'a', '--lock-wait-timeout', '5s'], { excludeTableData: ['a'], lockWaitTimeout: 5000 }],
    [['--skip-unsupported'], { skipUnsupported: true }],
  ],
  restore: [
    ...trust,
    ...newest,
    [['--tune'], { tune: true }],
    ...connection,
    ...jobs,
    ...patterns,
    ...sections,
    ...rights,
    ...switches,
    ...rows,
    ...json,
    [['--exclude-table', 'a'], { excludeTable: ['a'] }],
    [['-N', 'a', '--exclude-schema', 'b'], { excludeSchema: ['a', 'b'] }],
    [['-l'], { list: true }],
    [['--list'], { list: true }],
    [['-L', 'a'], { useList: 'a' }],
    [['--use-list=a'], { useList: 'a' }],
    [['--untrusted'], { untrusted: true }],
    [['--untrusted', '--allow', 'functions,views', '--allow=triggers'], { untrusted: true, allow: ['functions', 'views', 'triggers'] }],
    [['--no-analyze'], { analyze: false, statistics: true }],
    [['--no-statistics'], { statistics: false, analyze: true }],
    [['-c'], { clean: true }],
    [['--clean', '--if-exists'], { clean: true, ifExists: true }],
    [['-C'], { create: true }],
    [['--create'], { create: true }],
    [['--truncate'], { truncate: true }],
    [['--dry-run'], { dryRun: true }],
    [['--swap', '--force'], { swap: true, force: true }],
    ...globals,
  ],
  schema: [
    ...connection,
    ...patterns,
    ...exclusions,
    ...rights,
    ...switches,
    ...lock,
    ...globals,
    ...json,
    [['-e', 'a'], { extension: ['a'] }],
    [['-g'], { globalsOnly: true }],
    [['--globals-only'], { globalsOnly: true }],
  ],
  export: [
    ...connection,
    ...jobs,
    ...patterns,
    ...exclusions,
    ...json,
    [['--to', 'a', '--format', 'binary'], { to: 'a', format: 'binary' }],
    [['--role', 'app'], { role: 'app' }],
    [['-Z5', '--compress', '3'], { compress: 3 }],
    [['--table-and-children', 'a', '--exclude-table-and-children', 'b'], { tableAndChildren: ['a'], excludeTableAndChildren: ['b'] }],
    [
      ['--exclude-table-data', 'a', '--exclude-table-data-and-children', 'b'],
      { excludeTableData: ['a'], excludeTableDataAndChildren: ['b'] },
    ],
    [['--filter', 'a', '--filter', '-'], { filter: ['a', '-'] }],
    [['--load-via-partition-root'], { loadViaPartitionRoot: true }],
    [['-Ox', '--no-owner', '--no-privileges'], { owner: false, privileges: false }],
    [['--height', '9007199254740993'], { height: 9_007_199_254_740_993n }],
    [['--height-query', 'SELECT 1'], { heightQuery: 'SELECT 1' }],
    [['--hash-query', 'SELECT 1'], { hashQuery: 'SELECT 1' }],
    [['--streams-query', 'SELECT 1'], { streamsQuery: 'SELECT 1' }],
    [['--lock-wait-timeout', '5s', '--max-age', '1h'], { lockWaitTimeout: 5000, maxAge: 3_600_000 }],
    [['--skip-unsupported'], { skipUnsupported: true }],
  ],
  import: [
    ...connection,
    ...patterns,
    ...exclusions,
    ...json,
    [['--role', 'app', '--truncate'], { role: 'app', truncate: true }],
    [['--into-schema', 'a'], { intoSchema: 'a' }],
    [['--map', 'a=b', '--map', 'c=d=e'], { map: { a: 'b', c: 'd=e' } }],
    [['--load-via-partition-root'], { loadViaPartitionRoot: true }],
    [['--no-sequences', '--no-analyze'], { sequences: false, analyze: false }],
    [['--lock-wait-timeout', '0'], { lockWaitTimeout: 0 }],
  ],
  fixture: [
    ...connection,
    ...patterns,
    ...exclusions,
    ...json,
    [['-f', 'x'], { file: 'x' }],
    [['--file=x'], { file: 'x' }],
    [['--where', 'a.b=c = 1', '--where', '"x=y".z=d'], { where: { 'a.b': 'c = 1', '"x=y".z': 'd' } }],
    [['--limit', '5', '--limit=a.b=6'], { limit: { '*': 5, 'a.b': 6 } }],
    [['--mask', 'a.b.c=d=e', '--mask', 'a.b."x.y"=f', '--mask=b.c=g'], { mask: { 'a.b': { c: 'd=e', '"x.y"': 'f' }, b: { c: 'g' } } }],
    [['--max-rows', '7', '--role', 'app'], { maxRows: 7, role: 'app' }],
    [['--owner', '--privileges'], { owner: true, privileges: true }],
    [
      ['--no-comments', '--no-publications', '--no-table-access-method'],
      { comments: false, publications: false, tableAccessMethod: false },
    ],
    [['--table-and-children', 'a', '--exclude-table-and-children', 'b'], { tableAndChildren: ['a'], excludeTableAndChildren: ['b'] }],
    [['-e', 'a', '--extension', 'b', '--exclude-extension', 'c'], { extension: ['a', 'b'], excludeExtension: ['c'] }],
    [['--height', '12', '--height-query', 'SELECT 1'], { height: 12n, heightQuery: 'SELECT 1' }],
    [['--hash-query', 'SELECT 1', '--streams-query', 'SELECT 1'], { hashQuery: 'SELECT 1', streamsQuery: 'SELECT 1' }],
    [['--lock-wait-timeout', '5s', '--max-age', '1h', '--skip-unsupported'], { lockWaitTimeout: 5000, maxAge: 3_600_000 }],
  ],
  bootstrap: [
    ...trust,
    [['--layout', 'dated'], { layout: 'dated' }],
    ...connection,
    ...jobs,
    ...json,
    [['--store', 'a', '--prefix', 'b', '-c', 'c', '--config', 'd'], { store: 'a', prefix: 'b', config: 'd' }],
    [['--role', 'app'], { role: 'app' }],
    [['--invalid', 'SELECT true'], { invalid: 'SELECT true' }],
    [['--height-query', 'SELECT 1'], { heightQuery: 'SELECT 1' }],
    [['--hash-query', 'SELECT 1'], { hashQuery: 'SELECT 1' }],
    [['--streams-query', 'SELECT 1'], { streamsQuery: 'SELECT 1' }],
    [['--available', 'a=5', '--available', 'b=c=6'], { available: { a: 5n, 'b=c': 6n } }],
    [['--available', '__proto__=7'], { available: Object.fromEntries([['__proto__', 7n]]) }],
    [['-Ox', '--no-owner', '--no-privileges', '--no-subscriptions'], { owner: false, privileges: false, subscriptions: false }],
    [['--force', '--dry-run'], { force: true, dryRun: true }],
  ],
  drill: [...connection, ...jobs, ...store, ...trust, ...json],
  list: [...store, ...trust, ...json, [['--verify'], { verify: true }]],
  prune: [
    ...store,
    ...json,
    [['-n'], { dryRun: true }],
    [['--dry-run'], { dryRun: true }],
    [['-l2', '-H', '3', '-d', '4', '-w', '5', '-m', '6', '-y', 'all'], counts({ last: 2, hourly: 3, daily: 4, weekly: 5, monthly: 6 })],
    [
      ['--keep-last', 'unlimited', '--keep-hourly=3', '--keep-daily', '4', '--keep-weekly', '5', '--keep-monthly=6', '--keep-yearly=all'],
      counts({ last: 'all', hourly: 3, daily: 4, weekly: 5, monthly: 6 }),
    ],
    [['--keep-within', '1y2d3h'], { keepWithin: (367 * 24 + 3) * 3_600_000 }],
    [['--keep-heights', '1000000:5'], { keepHeights: { every: 1_000_000n, keep: 5 } }],
    [['--keep-heights=9007199254740993'], { keepHeights: { every: 9_007_199_254_740_993n } }],
    [['--time-zone', 'Asia/Kathmandu'], { timeZone: 'Asia/Kathmandu' }],
  ],
  latest: [...store, ...json],
  push: [...place, ...trust, ...json],
  pull: [
    ...trust,
    ...newest,
    ...json,
    [['-o', 'a'], { output: 'a' }],
    [['--output=a'], { output: 'a' }],
    [['--no-base'], { base: false }],
    [[], { base: true }],
  ],
  untune: [...connection, ...json, [['--force'], { force: true }]],
  keygen: [...json, [['-o', 'a', '--age'], { output: 'a', age: true }], [['--output', 'a'], { output: 'a' }]],
  pin: [...store, ...json, [['--note', 'a b'], { note: 'a b' }]],
  unpin: [...store, ...json],
  status: [...store, ...json, [['--max-age', '1h'], { maxAge: 3_600_000 }]],
  next: [...store, ...json],
  run: [
    [['-c', 'a'], { config: 'a' }],
    [['--config=a'], { config: 'a' }],
  ],
  verify: [...trust, ...newest, ...jobs, ...json],
  show: [...trust, ...newest, ...json],
  diff: [
    ...trust,
    ...newest,
    ...json,
    [['--rows'], { rows: 10 }],
    [['--rows=3', '--sql'], { rows: 3, sql: true }],
    [['--rows', '4'], { rows: 4 }],
    [['-s'], { schemaOnly: true }],
    [['--schema-only'], { schemaOnly: true }],
  ],
};

function counts({ last, hourly, daily, weekly, monthly }: Readonly<Record<string, number | 'all'>>): object {
  return { keepLast: last, keepHourly: hourly, keepDaily: daily, keepWeekly: weekly, keepMonthly: monthly, keepYearly: 'all' };
}

for (const [command, table] of Object.entries(options)) {
  test.each(table)(`${command} %j`, (args, opts) => {
    expect(parsed([command, ...args])).toMatchObject(opts);
  });
}

test('each command and option says what it is for', () => {
  for (const command of createProgram().commands) {
    expect(command.description(), command.name()).not.toBe('');
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe('');
    const tested = new Set(options[command.name()]?.flatMap(([args]) => args.map((arg) => arg.replace(/=.*/, ''))));
    const untested = command.options.filter(({ long }) => long && !tested.has(long)).map(({ long }) => long);
    expect(untested, command.name()).toEqual([]);
  }
});
