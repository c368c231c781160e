// What is wrong with a configuration: each key by its name, with what was probably meant, all at once, and never a password.
import { describe, expect, test } from 'vitest';
import { least, problemsOf, refused } from './write-config.js';

const rules = ['height', 'time', 'changes', 'commits', 'stream', 'wal', 'cron'].join(', ');

describe('unknown keys', () => {
  test.each([
    [{ retain: {} }, 'retain: unknown key, did you mean retention?'],
    [{ Store: 'x' }, 'Store: unknown key, did you mean store?'],
    [{ heightQuery: 'x' }, 'heightQuery: unknown key, did you mean position.heightQuery?'],
    [{ heights: {} }, 'heights: unknown key, did you mean retention.heights?'],
    [
      { 'odd key!': 1 },
      '"odd key!": unknown key, known are database, role, store, prefix, layout, signKey, encryptTo, verifyKeys, identities, position, snapshot, preset, rules, whenNone, atShutdown, retry, retention, poll, http, log, webhook, lease, reserve, drill',
    ],
    [{ retention: { lst: 1 } }, 'retention.lst: unknown key, did you mean last?'],
    [{ retention: { heightQuery: 1, last: 1 } }, 'retention.heightQuery: unknown key, did you mean position.heightQuery?'],
    [{ retention: { heights: { evry: 1, every: 1 } } }, 'retention.heights.evry: unknown key, did you mean every?'],
    [{ position: { heigthQuery: 'x' } }, 'position.heigthQuery: unknown key, did you mean heightQuery?'],
    [{ snapshot: { excludeTable: [] } }, 'snapshot.excludeTable: unknown key, did you mean excludeTables?'],
    [{ snapshot: { file: 'x' } }, expect.stringMatching(/^snapshot.file: unknown key, /)],
    [{ rules: [{ by: 'time', every: '1h', form: 'x' }] }, 'rules[0].form: unknown key, known are by, every'],
    [
      { rules: [{ by: 'height', every: 1, form: 'last' }], position: { heightQuery: 'x' } },
      'rules[0].form: unknown key, did you mean from?',
    ],
    [{ retry: { afer: '1m' } }, 'retry.afer: unknown key, did you mean after?'],
    [{ poll: { evry: '1s' } }, 'poll.evry: unknown key, did you mean every?'],
    [{ http: { prt: 1 } }, 'http.prt: unknown key, did you mean port?'],
    [{ log: { levl: 'info' } }, 'log.levl: unknown key, did you mean level?'],
    [{ webhook: { sucess: 'x' } }, 'webhook.sucess: unknown key, did you mean success?'],
    [{ database: { dbname: 'x' } }, 'database.dbname: unknown key, did you mean database?'],
    [{ drill: { rule: { by: 'time', every: '7d' }, rle: 1 } }, 'drill.rle: unknown key, did you mean rule?'],
    [{ drill: { rule: { by: 'time', every: '7d' }, database: { hst: 'x' } } }, 'drill.database.hst: unknown key, did you mean host?'],
    [
      '{"rules":[{"by":"time","every":"1h"}],"retention":{"last":1},"__proto__":{"store":"x"}}',
      expect.stringMatching(/^__proto__: unknown key, /),
    ],
  ])('%j', async (part, problem) => {
    expect(await problemsOf(typeof part === 'string' ? part : { ...least, ...part })).toEqual([problem]);
  });
});

describe('values', () => {
  const durationWords = 'must be a duration with its unit, as in "500ms", "10s", "15m", "1h30m" or "7d"';
  const timerWords = 'must be a duration of more than 0 and up to 24 days, with its unit, as in "500ms", "10s" or "5m"';
  test.each([
    [{ store: 3 }, 'store: must be text that is not empty, and is 3'],
    [{ store: '' }, 'store: must be text that is not empty, and is ""'],
    [{ store: null }, 'store: must be text that is not empty, and is null'],
    [
      { prefix: 'a/b' },
      'prefix: must be the beginning of a file name: letters, digits, _, - and ., a letter or digit or _ first, and is "a/b"',
    ],
    [{ snapshot: { jobs: '4' } }, 'snapshot.jobs: must be a whole number from 1 to 256, and is "4"'],
    [{ snapshot: { jobs: 0 } }, 'snapshot.jobs: must be a whole number from 1 to 256, and is 0'],
    [{ snapshot: { jobs: 1.5 } }, 'snapshot.jobs: must be a whole number from 1 to 256, and is 1.5'],
    [{ snapshot: { compressLevel: 0 } }, 'snapshot: the compression level must be a whole number from 1 to 22, or from -7 to -1, or auto'],
    [{ snapshot: { copyFormat: 'bin' } }, 'snapshot.copyFormat: "bin" is not known, did you mean binary?'],
    [{ snapshot: { sections: ['predata'] } }, 'snapshot.sections[0]: "predata" is not known, did you mean pre-data?'],
    [{ snapshot: { tables: 'a' } }, 'snapshot.tables: must be a list, and is text'],
    [{ snapshot: { tables: [3] } }, 'snapshot.tables[0]: must be text that is not empty, and is 3'],
    [{ snapshot: { noOwner: 'yes' } }, 'snapshot.noOwner: must be true or false, and is "yes"'],
    [{ snapshot: { maxAge: '0s' } }, 'snapshot: the maximum age must be greater than zero'],
    [{ snapshot: [] }, 'snapshot: must be an object, and is a list'],
    [{ preset: 'runtme' }, 'preset: "runtme" is not known, did you mean runtime?'],
    [{ preset: 3 }, 'preset: must be one of runtime, indexer, replica, daemon, memory, and is 3'],
    [{ rules: {} }, 'rules: must be a list, and is an object'],
    [{ rules: [3] }, 'rules[0]: must be an object, and is a number'],
    [{ rules: [{ every: 3 }] }, `rules[0].by: must say by what: by is one of ${rules}`],
    [{ rules: [{ by: 'hieght', every: 3 }] }, 'rules[0].by: there is no rule "hieght", did you mean height?'],
    [{ rules: [{ by: 3 }] }, `rules[0].by: must be one of ${rules}`],
    [{ rules: [{ by: 'commits' }] }, 'rules[0].every: is missing: it must be a whole number, from 2^53 on in quotes'],
    [{ rules: [{ by: 'commits', every: 1.5 }] }, 'rules[0].every: must be a whole number, from 2^53 on in quotes, and is 1.5'],
    [
      { rules: [{ by: 'commits', every: 2 ** 53 }] },
      'rules[0].every: must be a whole number, from 2^53 on in quotes, and is 9007199254740992',
    ],
    [{ rules: [{ by: 'time', every: 3600 }] }, `rules[0].every: ${durationWords}, and is 3600`],
    [{ rules: [{ by: 'time', every: '3600' }] }, `rules[0].every: ${durationWords}, and is "3600"`],
    [{ rules: [{ by: 'wal', every: '1XB' }] }, 'rules[0].every: must be a size, as in "64MB" or "1GiB", and is "1XB"'],
    [
      { rules: [{ by: 'wal', every: -1 }] },
      expect.stringMatching(/^rules\[0\]: the distance .* is -1: every moment would be due, or none$/),
    ],
    [{ retention: { last: '3' } }, 'retention.last: must be a whole number or "all", and is "3"'],
    [{ poll: 3 }, 'poll: must be an object, and is a number'],
    [{ poll: { every: '0s' } }, `poll.every: ${timerWords}, and is "0s"`],
    [{ lease: '25d' }, `lease: ${timerWords}, and is "25d"`],
    [{ http: true }, 'http: must be an object or false'],
    [{ http: { port: 65536 } }, 'http.port: must be a whole number from 0 to 65535, and is 65536'],
    [{ log: { level: 'warning' } }, 'log.level: "warning" is not known, did you mean warn?'],
    [{ drill: {} }, 'drill.rule: must be an object, and is missing'],
    [{ drill: { rule: { by: 'height', every: 1 } } }, 'drill.rule.by: there is no rule "height", known are time, cron'],
    [{ database: 3 }, 'database: must be a connection string or an object'],
    [{ database: { port: '5432' } }, 'database.port: must be a whole number from 1 to 65535, and is "5432"'],
    [{ $schema: 3 }, '$schema: must be text, and is a number'],
  ])('%j', async (part, problem) => {
    expect(await problemsOf({ ...least, ...part })).toEqual([problem]);
  });

  test.each([[[]], ['text'], [null], [3]])('a whole that is %j', async (whole) => {
    const name = 'tidemark.config.mjs';
    expect((await refused(`export default ${JSON.stringify(whole)}`, { name })).message).toMatch(/mjs: must be an object, and is /);
  });
});

describe('what contradicts itself', () => {
  const position = { heightQuery: 'SELECT 1' };
  test.each([
    [{ rules: [{ by: 'time', every: '0s' }] }, 'rules[0]: the distance (every 0 ms) is 0: every moment would be due, or none'],
    [{ rules: [{ by: 'commits', every: 0 }] }, 'rules[0]: the distance (every 0 commits) is 0: every moment would be due, or none'],
    [{ rules: [{ by: 'changes', changes: 0, after: '1s' }] }, expect.stringMatching(/^rules\[0\]: the number of changes .* is 0/)],
    [{ rules: [{ by: 'cron', expression: '0 0 31 2 *' }] }, 'rules[0]: the cron expression "0 0 31 2 *" never comes true'],
    [{ rules: [{ by: 'cron', expression: 'daily' }] }, expect.stringMatching(/^rules\[0\]: read cron expression "daily"/)],
    [{ rules: [{ by: 'cron', expression: '0 0 * * *', timeZone: 'Mars/Phobos' }] }, expect.stringMatching(/^rules\[0\]: .*Mars\/Phobos/)],
    [{ rules: [] }, expect.stringMatching(/^: there is no rule: one snapshot would be taken, and never another$/)],
    [
      { rules: [{ by: 'height', every: 10 }] },
      'rules[0]: a rule by height needs position.heightQuery: nothing else says at which height the database stands',
    ],
    [
      { rules: [{ by: 'stream', stream: 's', every: 10 }] },
      'rules[0]: a rule by stream needs position.streamsQuery: nothing else says how far a stream is',
    ],
    [
      { preset: 'runtime', rules: undefined },
      'preset: a rule by height needs position.heightQuery: nothing else says at which height the database stands',
    ],
    [
      { rules: [{ by: 'height', every: 10 }], retry: { height: 11 }, position },
      ': a retry after 11 of height comes later than the next snapshot, after 10',
    ],
    [{ retry: { after: '0s' } }, expect.stringMatching(/^: the retry distance is 0/)],
    [{ rules: undefined }, expect.stringMatching(/^rules: are missing: when is a snapshot due\? Name rules, or a preset: runtime, /)],
    [{ retention: undefined }, expect.stringMatching(/^retention: is missing: which snapshots stay\?/)],
    [{ retention: {} }, expect.stringMatching(/^retention: it is empty/)],
    [{ retention: { last: 0 } }, expect.stringMatching(/^retention: last is 0/)],
    [{ retention: { within: '0s' } }, 'retention: within is 0: no snapshot is that new'],
    [{ retention: { heights: { every: 0 } } }, 'retention: a stretch of 0 heights holds no snapshot'],
    [
      { retention: { heights: { every: 5 } } },
      'retention.heights: needs position.heightQuery: nothing else says at which height the database stands',
    ],
    [{ retention: { last: 1, timeZone: 'Mars/Phobos' } }, expect.stringMatching(/^retention: .*Mars\/Phobos/)],
    [
      { position: { hashQuery: 'SELECT $1' } },
      expect.stringMatching(/^position.hashQuery: uses \$1, the height, and needs position.heightQuery/),
    ],
    [{ snapshot: { schemaOnly: true, dataOnly: true } }, 'snapshot: schema-only and data-only exclude each other'],
    [{ snapshot: { rolePasswords: true } }, 'snapshot: role-passwords needs globals'],
    [{ snapshot: { tables: ['a.b.c.d'] } }, expect.stringMatching(/^snapshot: /)],
    [{ snapshot: { filterFiles: ['-'] } }, 'snapshot.filterFiles: name files: a daemon has no standard input'],
    [{ drill: { rule: { by: 'time', every: '0s' } } }, expect.stringMatching(/^drill.rule: the distance .* is 0/)],
    [{ database: 'mysql://u:hunter2@h/d' }, expect.stringMatching(/^database: it does not begin with postgres:\/\//)],
    [
      { drill: { rule: { by: 'time', every: '7d' }, database: 'mysql://u:hunter2@h/d' } },
      expect.stringMatching(/^drill.database: it does not begin with postgres/),
    ],
  ])('%j', async (part, problem) => {
    expect(await problemsOf({ ...least, ...part })).toEqual([problem]);
  });
});

describe('the environment', () => {
  test.each([
    [{ TIDEMARK_STOER: 'x' }, ['TIDEMARK_STOER: unknown variable, did you mean TIDEMARK_STORE?']],
    [{ TIDEMARK_CONFG: 'x' }, ['TIDEMARK_CONFG: unknown variable, did you mean TIDEMARK_CONFIG?']],
    [{ TIDEMARK_LEASE: '30' }, [expect.stringMatching(/^TIDEMARK_LEASE: must be a duration/)]],
    [{ TIDEMARK_HTTP_PORT: 'abc' }, ['TIDEMARK_HTTP_PORT: must be a whole number from 0 to 65535, and is "abc"']],
    [{ TIDEMARK_SNAPSHOT_SECRETS: 'yes' }, ['TIDEMARK_SNAPSHOT_SECRETS: must be true or false, and is "yes"']],
    [{ TIDEMARK_RULES: '[{"by":' }, ['TIDEMARK_RULES: is no valid JSON']],
    [{ TIDEMARK_RULES: '[{"by":"time","every":5}]' }, [expect.stringMatching(/^TIDEMARK_RULES: must be a duration/)]],
    [{ DATABASE_URL: 'mysql://u:hunter2@h/d' }, [expect.stringMatching(/^DATABASE_URL: it does not begin with postgres/)]],
    [{ PGPORT: 'x' }, [expect.stringMatching(/^database: the port is not a number from 1 to 65535 \(check the URL and PGPORT\)$/)]],
  ])('%j', async (env, problems) => {
    expect(await problemsOf(least, { env: env as unknown as Record<string, string> })).toEqual(problems);
  });
});

test('all at once, in one sentence with the file, and as data', async () => {
  const { message, hint, details } = await refused(
    { retain: 1, rules: [{ by: 'time', every: 5 }], retention: { lst: 3 } },
    { env: { TIDEMARK_LEASE: 'x' } },
  );
  expect(message).toMatch(
    /^read configuration \S+tidemark.config.json: rules\[0\].every: must .*; retention.lst: unknown .*; TIDEMARK_LEASE: must .*; retain: unknown/,
  );
  expect(hint).toBe('docs/config.md has every key and an example');
  expect(details.problems).toContainEqual({ key: 'retention.lst', message: 'unknown key, did you mean last?' });
  expect(details.problems).toContainEqual({ key: 'lease', variable: 'TIDEMARK_LEASE', message: expect.stringMatching(/^must be/) });
});

test('no error repeats what may be a password', async () => {
  for (const part of [
    { database: 'postgres://u:hunter2@h:x/d' },
    { database: ['hunter2'] },
    { database: { password: ['hunter2'] } },
    { database: { pasword: 'hunter2' } },
    { databse: 'postgres://u:hunter2@h/d' },
    { lease: 'postgres://u:hunter2@h/d' },
    { preset: 'password=hunter2' },
    { prefix: 'u:hunter2@h' },
    { rules: [{ by: 'postgres://u:hunter2@h/d' }] },
    { poll: 'postgres://u:hunter2@h/d' },
    { webhook: { success: 'hunter2' } },
    { webhook: { success: 'ftp://hunter2' } },
  ]) {
    const { message, details, hint } = await refused({ ...least, ...part });
    expect(`${message}${hint}${JSON.stringify(details)}`).not.toContain('hunter2');
  }
});
