// From the fields of a file to a configuration that can be worked by: presets, absolute paths, connections, and the contradictions that
// only several keys together can have.
import { dirname, resolve } from 'node:path';
import { type ConnectionSettings, resolveConnection } from '../../pg/settings.js';
import { checkSchedule, type Preset, presets, type RetentionPolicy, type Rule, type Schedule } from '../../rules/index.js';
import { parsePublicLine } from '../../seal/key-files.js';
import { parseStoreUrl } from '../../store/store-url.js';
import { planSnapshot } from '../snapshot/options.js';
import type { Config } from './config.js';
import type { Environment } from './environment.js';
import type { Problem } from './problems.js';
import { defined, refusalOf } from './refusal.js';
import { type ConfigFields, policyOf, type SnapshotSettings } from './schema.js';

export interface Settling {
  /** Absent: all is from the environment. */
  readonly file: string | undefined;
  /** What paths from the environment are relative to. */
  readonly directory: string;
  readonly env: Environment;
  /** Whether a variable gave the value of a key: `snapshot.filterFiles`. */
  readonly fromEnvironment: (key: string) => boolean;
}

export interface Settled {
  /** Absent where there are problems. */
  readonly config?: Config;
  readonly problems: readonly Problem[];
}

export function settle(fields: ConfigFields, settling: Settling): Settled {
  const problems: Problem[] = [];
  /** What a step gives; undefined where it is refused, which becomes a problem. */
  const attempt = <Value>(where: Omit<Problem, 'message'>, step: () => Value): Value | undefined => {
    let value: Value | undefined;
    const message = refusalOf(() => {
      value = step();
    });
    if (message !== undefined) problems.push({ ...where, message });
    return value;
  };
  const preset: Preset | undefined = fields.preset === undefined ? undefined : presets[fields.preset];
  const schedule = scheduleOf(fields, preset);
  const retention = fields.retention === undefined ? preset?.retention : policyOf(fields.retention);
  problems.push(...missing(fields, { preset, retention }), ...unseen(fields, { schedule, retention }));
  if (problems.length === 0) attempt({ path: [] }, () => checkSchedule(schedule));
  const usesUrl = fields.database === undefined && settling.env.DATABASE_URL;
  const database = attempt({ path: ['database'], ...(usesUrl ? { variable: 'DATABASE_URL' } : {}) }, () =>
    connectionOf(fields.database, settling, fields.role),
  );
  const { drill } = fields;
  const scratch =
    drill?.database === undefined ? undefined : attempt({ path: ['drill', 'database'] }, () => connectionOf(drill.database, settling));
  const snapshot = snapshotOf(fields.snapshot, (path) => pathOf(path, 'snapshot.filterFiles', settling));
  if (database !== undefined) attempt({ path: ['snapshot'] }, () => planSnapshot({ ...snapshot, ...defined(fields.position), database }));
  const store = attempt({ path: ['store'] }, () => storeOf(fields.store, settling));
  if (problems.length > 0 || database === undefined || retention === undefined || store === undefined) return { problems };
  const { poll, http, webhook } = fields;
  const config: Config = {
    database,
    store,
    prefix: fields.prefix,
    layout: fields.layout,
    ...keysOf(fields, settling),
    position: defined(fields.position),
    snapshot,
    schedule,
    retention,
    poll: { everyMs: poll.every, ...defined({ listen: poll.listen }) },
    ...(http === false ? {} : { http }),
    log: fields.log,
    webhook: { ...defined({ success: webhook.success, failure: webhook.failure }), timeoutMs: webhook.timeout },
    leaseMs: fields.lease,
    ...(drill === undefined ? {} : { drill: { rule: defined(drill.rule), ...(scratch === undefined ? {} : { database: scratch }) } }),
    reserveBytes: fields.reserve,
  };
  return { config, problems };
}

/** A retry distance belongs to its rules: the preset's goes with the preset's rules. */
function scheduleOf({ rules, whenNone, atShutdown, retry }: ConfigFields, preset: Preset | undefined): Schedule {
  const own = rules?.map((rule) => defined(rule) as Rule);
  const base: Schedule = own === undefined ? (preset?.schedule ?? { rules: [] }) : { rules: own };
  return {
    ...base,
    ...(own !== undefined && preset?.schedule.atShutdown !== undefined ? { atShutdown: preset.schedule.atShutdown } : {}),
    ...defined({ whenNone, atShutdown }),
    ...(retry === undefined ? {} : { retry: { ...defined({ height: retry.height, ms: retry.after }) } }),
  };
}

function missing(
  { rules, atShutdown }: ConfigFields,
  { preset, retention }: { readonly preset: Preset | undefined; readonly retention: RetentionPolicy | undefined },
): Problem[] {
  const found: Problem[] = [];
  const names = Object.keys(presets).join(', ');
  if (rules === undefined && preset === undefined && atShutdown !== true) {
    found.push({ path: ['rules'], message: `are missing: when is a snapshot due? Name rules, or a preset: ${names}` });
  }
  if (retention === undefined) {
    found.push({ path: ['retention'], message: 'is missing: which snapshots stay? As in { "last": 2 }, or name a preset' });
  }
  return found;
}

/** What goes by a measure that no query gives. */
function unseen(
  { rules, position, retention: own, snapshot }: ConfigFields,
  { schedule, retention }: { readonly schedule: Schedule; readonly retention: RetentionPolicy | undefined },
): Problem[] {
  const found: Problem[] = [];
  const noHeight = 'needs position.heightQuery: nothing else says at which height the database stands';
  for (const [i, rule] of schedule.rules.entries()) {
    const path = rules === undefined ? ['preset'] : ['rules', i];
    if (rule.by === 'height' && position.heightQuery === undefined) found.push({ path, message: `a rule by height ${noHeight}` });
    if (rule.by === 'stream' && position.streamsQuery === undefined) {
      found.push({ path, message: 'a rule by stream needs position.streamsQuery: nothing else says how far a stream is' });
    }
  }
  if (position.heightQuery === undefined) {
    if (retention?.heights !== undefined)
      found.push({ path: own === undefined ? ['preset'] : ['retention', 'heights'], message: noHeight });
    if (/\$1(?!\d)/.test(position.hashQuery ?? '')) {
      found.push({ path: ['position', 'hashQuery'], message: `uses $1, the height, and ${noHeight}` });
    }
  }
  if (snapshot.filterFiles?.includes('-')) {
    found.push({ path: ['snapshot', 'filterFiles'], message: 'name files: a daemon has no standard input' });
  }
  return found;
}

/** What is a path becomes absolute; keys and recipients that stand there themselves stay. */
function keysOf({ signKey, encryptTo, verifyKeys, identities }: ConfigFields, settling: Settling) {
  const absolute = (path: string, key: string): string => pathOf(path, key, settling);
  return defined({
    signKey: signKey && absolute(signKey, 'signKey'),
    encryptTo: encryptTo?.map((one) => (one.startsWith('@') ? `@${absolute(one.slice(1), 'encryptTo')}` : one)),
    verifyKeys: verifyKeys?.map((one) => (parsePublicLine(one) === undefined ? absolute(one, 'verifyKeys') : one)),
    identities: identities?.map((one) => absolute(one, 'identities')),
  });
}

function snapshotOf(fields: ConfigFields['snapshot'], absolute: (path: string) => string): SnapshotSettings {
  const { lockTimeout, maxAge, filterFiles, chunkSize, completedOnce, ...rest } = fields;
  return {
    ...defined(rest),
    ...defined({ lockTimeoutMs: lockTimeout, maxAgeMs: maxAge, filterFiles: filterFiles?.map(absolute) }),
    ...(chunkSize === undefined ? {} : { chunkBytes: Number(chunkSize) }),
    ...(completedOnce === undefined ? {} : { completed: { tables: completedOnce } }),
  };
}

function connectionOf(given: ConfigFields['database'], settling: Settling, role?: string): ConnectionSettings {
  const text = typeof given === 'object' ? keywords(given, settling) : given;
  const connection = resolveConnection(text, settling.env);
  return role === undefined ? connection : { ...connection, role };
}

const paths = new Set(['passfile', 'sslrootcert', 'sslcert', 'sslkey']);

/** The object as a keyword string of libpq, so that what it leaves out comes from the same places as always. */
function keywords({ database, ...words }: Exclude<ConfigFields['database'], string | undefined>, settling: Settling): string {
  const pairs = Object.entries({ ...words, dbname: database }).flatMap(([word, value]) => {
    if (value === undefined) return [];
    const text = paths.has(word) ? pathOf(String(value), `database.${word}`, settling) : String(value);
    return [`${word}='${text.replace(/[\\']/g, '\\$&')}'`];
  });
  // An empty string would mean DATABASE_URL.
  return pairs.length === 0 ? "dbname=''" : pairs.join(' ');
}

/** A path of the file is relative to the file. */
/** A directory becomes a path that is absolute; a URL stays as it is. @throws TidemarkError USAGE */
function storeOf(text: string, settling: Settling): string {
  const parsed = parseStoreUrl(text);
  return parsed.kind === 'directory' ? pathOf(parsed.path, 'store', settling) : text;
}

function pathOf(path: string, key: string, { file, directory, fromEnvironment }: Settling): string {
  return resolve(file === undefined || fromEnvironment(key) ? directory : dirname(file), path);
}
