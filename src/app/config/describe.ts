// What a configuration says, in plain sentences for people and as data for programs. Neither has a password: of the database there is who,
// where and which, of web hooks the host.
import { formatBytes } from '../../model/units.js';
import { describeConnection } from '../../pg/settings.js';
import { type Count, describeRule, type RetentionPolicy, type Schedule } from '../../rules/index.js';
import { defaultRetryMs, describeMs } from '../../rules/rule.js';
import type { Config, LoadedConfig } from './config.js';

/** `['store', 'the directory /srv/snapshots; ...']`, in the order of the file's keys. */
export function describeConfig(config: LoadedConfig): readonly (readonly [key: string, sentence: string])[] {
  const { database, store, prefix, layout, poll, http, log, leaseMs, drill, reserveBytes } = config;
  const looks = `every ${describeMs(poll.everyMs)}${poll.listen === undefined ? '' : `, and when channel ${poll.listen} is notified`}`;
  return [
    ['database', `${describeConnection(database)}${database.role === undefined ? '' : `, as role ${database.role}`}`],
    ['store', `${store}, names as ${layout === 'flat' ? `${prefix}-<height>.tar.zst` : `${prefix}/<date>/snapshot.tar.zst`}`],
    ...describeKeys(config).map((sentence) => ['keys', sentence] as const),
    ['position', describePosition(config)],
    ['snapshot', describeSnapshot(config)],
    ...describeSchedule(config.schedule).map((sentence) => ['rules', sentence] as const),
    ['retry', `${describeRetry(config.schedule)} after a failure`],
    ...describeRetention(config.retention).map((sentence) => ['retention', sentence] as const),
    ['poll', looks],
    ['http', http === undefined ? 'nothing is served' : urlOf(http)],
    ['log', `level ${log.level}`],
    ['webhook', describeWebhook(config)],
    ['lease', `a daemon that is silent for ${describeMs(leaseMs)} loses the store`],
    [
      'drill',
      drill === undefined ? 'none' : `${describeRule(drill.rule)}${drill.database ? ` on ${describeConnection(drill.database)}` : ''}`,
    ],
    ['reserve', `${formatBytes(reserveBytes)} of the disk stay free`],
  ];
}

/** The same as data. */
export function configReport(config: LoadedConfig): object {
  const { database, webhook, drill, schedule, ...rest } = config;
  const { success, failure, timeoutMs } = webhook;
  return {
    ...rest,
    database: describeConnection(database),
    role: database.role,
    schedule: { ...schedule, rules: schedule.rules.map((rule) => ({ ...rule, meaning: describeRule(rule) })) },
    webhook: { success: success && hostOf(success), failure: failure && hostOf(failure), timeoutMs },
    ...(drill === undefined ? {} : { drill: { rule: drill.rule, database: drill.database && describeConnection(drill.database) } }),
  };
}

function describeKeys({ signKey, encryptTo, verifyKeys, identities }: Config): readonly string[] {
  return [
    signKey === undefined ? [] : [`snapshots are signed with ${signKey}`],
    encryptTo === undefined ? [] : [`snapshots are encrypted to ${encryptTo.join(', ')}`],
    verifyKeys === undefined ? [] : [`only what one of these has signed is restored: ${verifyKeys.join(', ')}`],
    identities === undefined ? [] : [`identities are in ${identities.join(', ')}`],
  ].flat();
}

function urlOf({ host, port }: NonNullable<Config['http']>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

function hostOf(address: string): string {
  return new URL(address).host;
}

function describePosition({ position: { heightQuery, hashQuery, streamsQuery } }: Config): string {
  const queries = [
    ['height', heightQuery],
    ['hash', hashQuery],
    ['streams', streamsQuery],
  ].flatMap(([what, query]) => (query === undefined ? [] : [`${what} by ${query}`]));
  return queries.length === 0 ? 'without height, hash and streams' : queries.join('; ');
}

function describeSnapshot({ snapshot }: Config): string {
  const given = Object.entries(snapshot).map(([key, value]) => {
    if (key.endsWith('Ms')) return `${key.slice(0, -2)} ${describeMs(Number(value))}`;
    return value === true ? key : `${key} ${Array.isArray(value) ? value.join(', ') : String(value)}`;
  });
  return given.length === 0 ? 'everything, with the defaults' : given.join('; ');
}

function describeSchedule({ rules, whenNone = true, atShutdown = false }: Schedule): string[] {
  return [
    ...rules.map(describeRule),
    ...(whenNone ? ['at once while there is no good one'] : []),
    ...(atShutdown ? ['at an orderly end, if the database has moved'] : []),
  ];
}

function describeRetry({ retry = {} }: Schedule): string {
  const distances = [
    ...(retry.height === undefined ? [] : [`${retry.height} of height`]),
    ...(retry.ms === undefined ? [] : [describeMs(retry.ms)]),
  ];
  return distances.length === 0 ? describeMs(defaultRetryMs) : distances.join(' or ');
}

const periods = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const;

function describeRetention(policy: RetentionPolicy): string[] {
  const { last, within, heights, timeZone } = policy;
  const named = Object.entries(periods).flatMap(([name, period]) => {
    const count = policy[name as keyof typeof periods];
    return count === undefined ? [] : [`the newest of each ${ofLast(count, period)}${timeZone === undefined ? '' : ` (${timeZone})`}`];
  });
  return [
    ...(last === undefined ? [] : [last === 'all' ? 'all' : `the newest ${last}`]),
    ...(within === undefined ? [] : [`all that are at most ${describeMs(within)} older than the newest`]),
    ...named,
    ...(heights === undefined ? [] : [`the newest of each ${ofLast(heights.keep ?? 'all', `stretch of ${heights.every} heights`)}`]),
  ];
}

function ofLast(count: Count, period: string): string {
  return count === 'all' ? period : `${period}, of the last ${count} that have one`;
}

function describeWebhook({ webhook: { success, failure } }: Config): string {
  const told = [
    ...(success === undefined ? [] : [`${hostOf(success)} after each success`]),
    ...(failure === undefined ? [] : [`${hostOf(failure)} after each failure`]),
  ];
  return told.length === 0 ? 'nobody is told' : told.join(', ');
}
