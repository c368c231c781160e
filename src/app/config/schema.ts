// The configuration file: every key, its kind, its default and what it is for, in one place. The JSON schema, the environment variables
// and the types come from here; values.ts has the kinds, settle.ts makes of it what the rest of tidemark works with.
import * as z from 'zod';
import { checkPolicy, checkSchedule, presets, type RetentionPolicy, type Rule } from '../../rules/index.js';
import { allSections } from '../../selection/sections.js';
import { layoutNames } from '../repository/layout.js';
import type { SnapshotOptions } from '../snapshot/options.js';
import { type Defined, defined, refusalOf } from './refusal.js';
import {
  big,
  count,
  duration,
  durationOrZero,
  flag,
  namePart,
  section,
  size,
  text,
  texts,
  timer,
  webAddress,
  wholeNumber,
} from './values.js';

type PositionKey = 'height' | 'heightQuery' | 'hashQuery' | 'streamsQuery';
/** What of a snapshot's options a configuration says; the rest is the daemon's. */
export type SnapshotSettings = Omit<
  SnapshotOptions,
  'file' | 'database' | 'role' | 'signKey' | 'encryptTo' | 'onEvent' | 'signal' | PositionKey
>;

const connection = section({
  host: text().optional().describe('Name, address, or directory of a Unix socket.'),
  port: wholeNumber({ from: 1, to: 65535 }).optional().describe('Port of the server.'),
  database: text().optional().describe('Name of the database.'),
  user: text().optional().describe('Role to log in as.'),
  password: text({ secret: true }).optional().describe('Better left to PGPASSWORD or the password file.'),
  passfile: text().optional().describe('Path of the password file; relative to this file.'),
  sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).optional().describe('As libpq has it.'),
  sslrootcert: text().optional().describe('File with the authorities to trust; relative to this file.'),
  sslcert: text().optional().describe("File with the client's certificate; relative to this file."),
  sslkey: text().optional().describe("File with the client's key; relative to this file."),
  options: text().optional().describe('Settings for the server at its start, as in PGOPTIONS.'),
});

const database = z.union([text({ secret: true }), connection], { error: 'must be a connection string or an object' });

const ruleOptions = [
  section({
    by: z.literal('height').describe('Every so much of height.'),
    every: big().describe('The distance.'),
    from: z
      .enum(['last', 'multiples'])
      .optional()
      .describe('"last" (the default): from the last snapshot. "multiples": at absolute multiples.'),
  }),
  section({
    by: z.literal('time').describe('Every so often since the last snapshot.'),
    every: duration().describe('The time in between.'),
  }),
  section({
    by: z.literal('changes').describe('When so many rows have changed, and so much time has passed.'),
    changes: big().describe('Changed rows.'),
    after: duration().describe('Time since the last snapshot.'),
  }),
  section({
    by: z.literal('commits').describe('Every so many committed transactions.'),
    every: big().describe('Transactions.'),
  }),
  section({
    by: z.literal('stream').describe("When a stream's last processed sequence has advanced so far."),
    stream: text().describe('Its name, as position.streamsQuery gives it.'),
    every: big().describe('The distance.'),
  }),
  section({
    by: z.literal('wal').describe('Every so much write-ahead log.'),
    every: size().describe('Its size.'),
  }),
  section({
    by: z.literal('cron').describe('At the times of a cron expression.'),
    expression: text().describe('Minute, hour, day of the month, month, day of the week: "0 2 * * *".'),
    timeZone: text().optional().describe('Of the IANA database; UTC by default.'),
  }),
] as const;

type RuleInput = Defined<z.output<(typeof ruleOptions)[number]>>;

const rule = checked(z.discriminatedUnion('by', ruleOptions), (given) =>
  refusalOf(() => checkSchedule({ rules: [defined(given) as RuleInput as Rule] })),
);
const clock = checked(z.discriminatedUnion('by', [ruleOptions[1], ruleOptions[6]]), (given) =>
  refusalOf(() => checkSchedule({ rules: [defined(given) as Rule] })),
);

const position = section({
  heightQuery: text().optional().describe('SQL that gives one row with the height. Run inside of the snapshot, too.'),
  hashQuery: text().optional().describe('SQL that gives one row with the hash; may use the height as $1.'),
  streamsQuery: text().optional().describe('SQL that gives rows of stream name and last processed sequence.'),
});

const patterns = (what: string) => texts().optional().describe(`${what} Patterns as in pg_dump.`);
const without = (what: string) => flag().optional().describe(`Without ${what}.`);

/** The same names as SnapshotOptions has; durations without their unit in the name. */
const snapshot = section({
  jobs: wholeNumber({ from: 1, to: 256 }).optional().describe('Connections that read at once. Default: processors, at most 4.'),
  compressLevel: z
    .union([z.literal('auto'), wholeNumber({ from: -7, to: 22 })])
    .optional()
    .describe('zstd level without 0, or "auto": what a sample of the rows speaks for. Default "auto".'),
  copyFormat: z.enum(['auto', 'text', 'binary']).optional().describe('Form of the rows. Default "auto".'),
  chunkSize: size().optional().describe('Rows that are compressed together, 256KiB to 64MiB. Default "4MiB", more above 400 GB.'),
  completedOnce: texts()
    .optional()
    .describe('Partitioned tables by height, as patterns: partitions that are complete are exported once; later snapshots refer to them.'),
  tables: patterns('Only these tables, with what they need.'),
  schemas: patterns('Only these schemas.'),
  excludeTables: patterns('Without these tables.'),
  excludeSchemas: patterns('Without these schemas.'),
  excludeTableData: patterns('These tables without their rows.'),
  tablesAndChildren: patterns('Only these tables and those that inherit from them.'),
  excludeTablesAndChildren: patterns('Without these tables and those that inherit from them.'),
  excludeTableDataAndChildren: patterns('These tables and those that inherit from them without their rows.'),
  extensions: patterns('Of the extensions only these.'),
  excludeExtensions: patterns('Without these extensions.'),
  filterFiles: texts().optional().describe("Files with more patterns, in the form of pg_dump's --filter; relative to this file."),
  largeObjects: flag().optional().describe('Large objects. Default: unless tables or schemas are chosen.'),
  schemaOnly: without('rows'),
  dataOnly: flag().optional().describe('Rows and values of sequences only.'),
  sections: z.array(z.enum(allSections)).optional().describe('Some of pre-data, data and post-data.'),
  noOwner: without('owners'),
  noPrivileges: without('privileges'),
  noComments: without('comments'),
  noPublications: without('publications'),
  noSubscriptions: without('subscriptions'),
  noSecurityLabels: without('security labels'),
  noTablespaces: without('tablespaces'),
  noTableAccessMethod: without('table access methods'),
  loadViaPartitionRoot: flag().optional().describe('Rows of partitions are loaded through the partitioned table.'),
  secrets: flag().optional().describe('With the passwords of user mappings and subscriptions.'),
  globals: flag().optional().describe('With roles, memberships and tablespaces of the server.'),
  rolePasswords: flag().optional().describe("With the roles' password hashes; needs globals."),
  statistics: flag().optional().describe("With all of the planner's statistics, or with none. Default: those that ANALYZE takes long for."),
  includeForeignData: patterns('With the rows of foreign tables of these servers.'),
  skipUnsupported: flag().optional().describe('Goes on without objects of unknown kinds, and lists them.'),
  attempts: wholeNumber({ from: 1, to: 100 }).optional().describe('How often to begin anew when DDL comes in between. Default 5.'),
  lockTimeout: durationOrZero().optional().describe('How long a table lock may be waited for; 0: for ever. Default "10s".'),
  maxAge: duration().optional().describe('A snapshot whose transaction gets older is given up. Default: never.'),
} satisfies Record<
  Exclude<keyof SnapshotSettings, `${string}Ms` | 'chunkBytes' | 'completed'> | 'lockTimeout' | 'maxAge' | 'chunkSize' | 'completedOnce',
  z.ZodType
>);

const retentionFields = section({
  last: count().optional().describe('The newest so many.'),
  within: duration().optional().describe('All that are no older than the newest by more than this.'),
  hourly: count().optional().describe('The newest of each of the last so many hours that have one.'),
  daily: count().optional().describe('The same by days.'),
  weekly: count().optional().describe('The same by ISO weeks.'),
  monthly: count().optional().describe('The same by months.'),
  yearly: count().optional().describe('The same by years.'),
  heights: section({
    every: big().describe('Length of a stretch of heights.'),
    keep: count().optional().describe('Of how many stretches. Default "all".'),
  })
    .optional()
    .describe('The newest of each stretch of heights.'),
  timeZone: text().optional().describe('Whose hours, days, weeks, months and years; UTC by default.'),
});

const retention = checked(retentionFields, (given) => refusalOf(() => checkPolicy(policyOf(given))));

const presetNames = Object.keys(presets) as [keyof typeof presets, ...(keyof typeof presets)[]];

export const configSchema = section({
  $schema: z.string().optional().describe('Where the JSON schema is, for editors.'),
  database: database
    .optional()
    .describe('postgres:// URL, keyword string, name, or an object. Default: DATABASE_URL, then PGHOST, PGDATABASE, ...'),
  role: text().optional().describe('SET ROLE in every session, after connecting.'),
  store: text()
    .prefault('snapshots')
    .describe('Where the snapshots are: a directory, relative to this file and created when missing, or s3://bucket/prefix.'),
  prefix: namePart().prefault('snapshot').describe('What names of snapshots begin with: <prefix>-<height>.tar.zst.'),
  layout: z
    .enum(layoutNames)
    .prefault('flat')
    .describe('"flat": <prefix>-<height>.tar.zst; "dated": <prefix>/<date>/snapshot.tar.zst, for those who publish.'),
  signKey: text()
    .optional()
    .describe('Path of the secret key that signs each snapshot, as tidemark keygen makes it; relative to this file.'),
  encryptTo: texts()
    .optional()
    .describe('Recipients of age that each snapshot is encrypted to: "age1...", or "@" and the path of a file of them.'),
  verifyKeys: texts()
    .optional()
    .describe(
      'Public keys: paths, relative to this file, or the keys themselves. A snapshot that none of them has signed is not restored.',
    ),
  identities: texts()
    .optional()
    .describe('Paths of files of identities of age, for drills and restores of what is encrypted; relative to this file.'),
  position: position.prefault({}).describe('How to see where the database stands.'),
  snapshot: snapshot.prefault({}).describe('What is in a snapshot, and how it is taken.'),
  preset: z
    .enum(presetNames)
    .optional()
    .describe(`Rules and retention to begin with: ${presetNames.map((name) => `"${name}" (${presets[name].fits})`).join(', ')}.`),
  rules: z.array(rule).optional().describe("When a snapshot is due: any of these. Replaces the preset's rules and retry."),
  whenNone: flag().optional().describe('One is due at once while there is no good one. Default true.'),
  atShutdown: flag().optional().describe('One is taken at an orderly end, where the database has moved. Default false.'),
  retry: section({
    height: big().optional().describe('After so much height.'),
    after: duration().optional().describe('After so much time.'),
  })
    .optional()
    .describe('When to try again after a failure, whichever comes first. Default after "1m".'),
  retention: retention.optional().describe("Which snapshots to keep: what any of these keeps, stays. Replaces the preset's as a whole."),
  poll: section({
    every: timer().prefault('10s').describe('How often.'),
    listen: text().optional().describe('A channel whose notifications (NOTIFY) make it look at once.'),
  })
    .prefault({})
    .describe('When the daemon looks at the database.'),
  http: z
    .union(
      [
        z.literal(false),
        section({
          host: text().prefault('127.0.0.1').describe('Address to listen on.'),
          port: wholeNumber({ from: 0, to: 65535 }).prefault(7432).describe('Port; 0: any that is free.'),
        }),
      ],
      { error: 'must be an object or false' },
    )
    .prefault({})
    .describe('Where the daemon serves its status page, /healthz, /status and /metrics; false: nowhere.'),
  log: section({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info').describe('What is logged, and above.'),
  })
    .prefault({})
    .describe('Log lines of the daemon.'),
  webhook: section({
    success: webAddress().optional().describe('Called after each good snapshot.'),
    failure: webAddress().optional().describe('Called after each failure.'),
    timeout: timer().prefault('10s').describe('How long an answer may take.'),
  })
    .prefault({})
    .describe("Addresses that are told what happened: a dead man's switch."),
  lease: timer().prefault('30s').describe('How long a daemon that is not heard of any more holds the store.'),
  reserve: size().prefault('1GB').describe('Bytes that stay free on the disk of the store: no snapshot is begun that would need them.'),
  drill: section({
    rule: clock.describe('When.'),
    database: database.optional().describe('The server for the scratch database. Default: that of the database.'),
  })
    .optional()
    .describe('Restores the newest snapshot into a scratch database, compares and drops it.'),
});

/** As in the file. */
export type ConfigInput = z.input<typeof configSchema>;
export type ConfigFields = z.output<typeof configSchema>;
export type RetentionFields = z.output<typeof retentionFields>;

/** Adds a check whose refusal becomes a problem of this part. */
function checked<Schema extends z.ZodType>(schema: Schema, check: (output: z.output<Schema>) => string | undefined): Schema {
  return schema.superRefine((output, context) => {
    const why = check(output);
    if (why !== undefined) context.addIssue({ code: 'custom', message: why });
  });
}

/** The part of a retention section that is a policy, as the rules have it. */
export function policyOf(given: RetentionFields): RetentionPolicy {
  const { heights, ...rest } = given;
  return { ...defined(rest), ...(heights === undefined ? {} : { heights: defined(heights) }) };
}
