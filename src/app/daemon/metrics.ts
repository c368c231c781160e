// Prometheus metrics of a daemon: counters of what happened since it began, and gauges of how things stand, made anew from the status at
// each scrape. What is not known has no sample, as 0 would be an age, a height, a time.
import { Counter, Gauge, Registry } from 'prom-client';
import type { SchedulerEvent } from '../schedule/events.js';
import type { Status } from '../schedule/status.js';

export interface Metrics {
  /** Counts what has happened. */
  onEvent(event: SchedulerEvent): void;
  /** The text of one scrape. */
  render(status: Status): Promise<string>;
  /** Its media type. */
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  // Not prom-client's global one: an engine that embeds tidemark may use that itself.
  const registry = new Registry();
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const created = counter('tidemark_snapshots_created_total', 'Snapshots published and verified since the process began.');
  const failures = counter('tidemark_snapshot_failures_total', 'Snapshots that failed since the process began, by error code.', ['code']);
  const removed = counter('tidemark_snapshots_removed_total', 'Snapshots that retention removed since the process began.');
  const drills = counter('tidemark_drills_total', 'Restore drills since the process began, by result (ok, failed).', ['result']);
  const troubles = counter('tidemark_troubles_total', 'What went wrong and is tried again, since the process began, by error code.', [
    'code',
  ]);
  for (const result of ['ok', 'failed']) drills.inc({ result }, 0);
  // The snapshot of a drill may be gone by the next scrape.
  let drilledAt: Date | undefined;

  const onEvent = (event: SchedulerEvent): void => {
    if (event.type === 'created') created.inc();
    else if (event.type === 'failed') failures.inc({ code: event.error.code });
    else if (event.type === 'removed') removed.inc();
    else if (event.type === 'trouble') troubles.inc({ code: event.error.code });
    else if (event.type === 'drilled') {
      drills.inc({ result: event.drill.ok ? 'ok' : 'failed' });
      if (event.drill.ok) drilledAt = event.drill.at;
    }
  };

  const render = async (status: Status): Promise<string> => {
    const gauges = new Registry();
    for (const { name, help, values } of gaugesOf(status, drilledAt)) {
      const known = values.filter(({ value }) => value !== undefined && !Number.isNaN(value));
      if (known.length === 0) continue;
      const labelNames = [...new Set(known.flatMap(({ labels = {} }) => Object.keys(labels)))];
      const gauge = new Gauge({ name, help, labelNames, registers: [gauges] });
      for (const { labels = {}, value = 0 } of known) gauge.set(labels, value);
    }
    return `${await gauges.metrics()}\n${await registry.metrics()}`;
  };

  return { onEvent, render, contentType: registry.contentType };
}

interface GaugeValue {
  readonly labels?: Readonly<Record<string, string>>;
  /** Undefined: not known. */
  readonly value: number | undefined;
}

interface GaugeOfStatus {
  readonly name: string;
  readonly help: string;
  readonly values: readonly GaugeValue[];
}

function gaugesOf(status: Status, drilledAt: Date | undefined): GaugeOfStatus[] {
  const { newest, snapshots, unknown, position, decision, failures } = status;
  const durationMs = newest?.verification.durationMs;
  const one = (name: string, help: string, value: number | undefined): GaugeOfStatus => ({ name, help, values: [{ value }] });
  const pinned = snapshots.filter(({ snapshot }) => snapshot.good && snapshot.pinned !== undefined).length;
  const good = snapshots.filter(({ snapshot }) => snapshot.good).length - pinned;
  const heights = (decision?.next ?? []).flatMap((mark) => (mark.by === 'height' ? [Number(mark.value)] : []));
  const times = (decision?.next ?? []).flatMap((mark) => (mark.by === 'time' ? [seconds(mark.at)] : []));
  const drills = snapshots.flatMap(({ snapshot: { drill } }) => (drill?.ok ? [seconds(drill.at)] : []));
  if (drilledAt !== undefined) drills.push(seconds(drilledAt));
  return [
    one('tidemark_healthy', 'Whether the newest good snapshot is as young as the rules demand (1), or not (0).', status.healthy ? 1 : 0),
    one(
      'tidemark_snapshot_last_success_timestamp_seconds',
      'Time of the data of the newest good snapshot, by the clock of its database.',
      newest && seconds(newest.position.at),
    ),
    one('tidemark_snapshot_age_seconds', 'Age of the newest good snapshot.', status.ageMs === undefined ? undefined : status.ageMs / 1000),
    one('tidemark_snapshot_height', 'Height of the newest good snapshot.', number(newest?.position.height)),
    one('tidemark_snapshot_size_bytes', 'Size of the archive of the newest good snapshot.', number(newest?.bytes)),
    one(
      'tidemark_snapshot_duration_seconds',
      'How long the newest good snapshot took to take.',
      durationMs === undefined ? undefined : durationMs / 1000,
    ),
    one('tidemark_snapshot_rows', 'Rows in the newest good snapshot.', number(newest?.verification.rows)),
    {
      name: 'tidemark_snapshots',
      help: 'Archives in the store: good ones that are not pinned, good ones that are, and those not known to be good.',
      values: [
        { labels: { state: 'good' }, value: good },
        { labels: { state: 'pinned' }, value: pinned },
        { labels: { state: 'unknown' }, value: snapshots.length - good - pinned + unknown.length },
      ],
    },
    one('tidemark_snapshot_running', 'Whether a snapshot is being taken.', status.running === undefined ? 0 : 1),
    one('tidemark_snapshot_consecutive_failures', 'Failures since the last snapshot that succeeded.', failures?.inARow),
    one('tidemark_database_height', 'Height of the database when it was last looked at.', number(position?.height)),
    one('tidemark_next_due_timestamp_seconds', 'When the next snapshot is due, where a rule goes by time.', least(times)),
    one('tidemark_next_due_height', 'At which height the next snapshot is due, where a rule goes by height.', least(heights)),
    one(
      'tidemark_drill_last_success_timestamp_seconds',
      'When a snapshot was last restored and found whole by a drill.',
      drills.length === 0 ? undefined : drills.reduce((a, b) => Math.max(a, b)),
    ),
  ];
}

function seconds(at: Date): number {
  return at.getTime() / 1000;
}

function number(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}
