// `tidemark status`: how things stand with a store's snapshots; the exit code says whether the newest good one is too old.
import { Command } from 'commander';
import type { Status } from '../app/schedule/observe-status.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import type { DrillRecord } from '../model/stored-snapshot.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { duration } from './arguments.js';
import { describeVerdicts } from './describe-decision.js';
import { formatTime } from './describe-snapshots.js';
import { given } from './given.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';

interface Flags extends StoreFlags {
  readonly maxAge?: number;
}

export function statusCommand(): Command {
  return addStore(new Command('status').description('say whether the newest good snapshot is new enough'))
    .option('--max-age <duration>', 'it is not where the snapshot is older than this, whatever the rules say', duration)
    .action(status);
}

async function status(flags: Flags): Promise<void> {
  await run({ command: 'status', json: flags.json === true }, async ({ signal }) => {
    const { config, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { observeStatus } = await import('../app/schedule/observe-status.js');
    const found = await observeStatus({
      ...place,
      ...given('maxAgeMs', flags.maxAge),
      ...given('schedule', config?.schedule),
      ...given('retention', config?.retention),
      ...given('database', config?.database),
      ...given('queries', config?.position),
      signal,
    });
    return {
      result: { type: 'status', ...found },
      text: describe(found),
      ...(found.healthy ? {} : { failure: staleness(found) }),
    };
  });
}

function staleness({ store, prefix, reason, newest, ageMs }: Status): TidemarkError {
  return new TidemarkError('SNAPSHOT_STALE', `look at the snapshots ${prefix} in ${store}: ${reason}`, {
    hint: newest === undefined ? 'take one, or verify those that are there: tidemark list --verify' : 'look why none was taken since',
    details: newest === undefined ? {} : { id: newest.id, ageMs },
  });
}

function describe(found: Status): string {
  const { healthy, reason, newest, snapshots, unknown, position, unobserved, decision, failures } = found;
  const bytes = snapshots.reduce((sum, { snapshot }) => sum + snapshot.bytes, 0n);
  const goes = snapshots.filter(({ reasons }) => reasons.length === 0).length;
  const lines: (readonly [name: string, text: string])[] = [
    [healthy ? 'healthy' : 'UNHEALTHY', reason],
    ['newest', newest === undefined ? 'none' : `${newest.id}: ${describePosition(newest.position)}; ${formatBytes(newest.bytes)}`],
    ['database', position === undefined ? `not looked at: ${unobserved ?? 'nobody has'}` : describePosition(position)],
    ...(decision === undefined ? [] : [['next', decision.due ? `due: ${decision.reason}` : 'not due yet'] as const]),
    ...describeVerdicts(found).map((line) => ['', line] as const),
    ['snapshots', `${formatCounted(snapshots.length, 'good one')}, ${formatBytes(bytes)}${goes === 0 ? '' : `; ${goes} to be pruned`}`],
    ['not verified', unknown.length === 0 ? 'none' : `${unknown.map(({ id, problem }) => `${id}: ${problem}`).join('; ')}`],
    ['drill', drillOf(found)],
    [
      'failures',
      failures === undefined ? 'not known: who takes the snapshots counts them' : `${failures.total}, ${failures.inARow} in a row`,
    ],
  ];
  return lines.map(([name, text]) => `${name.padEnd(12)}  ${printable(text)}`).join('\n');
}

function drillOf({ snapshots }: Status): string {
  const drills = snapshots.flatMap(({ snapshot: { id, drill } }) => (drill === undefined ? [] : [{ id, drill }]));
  const newest = drills.reduce<{ id: string; drill: DrillRecord } | undefined>(
    (last, one) => (last !== undefined && last.drill.at >= one.drill.at ? last : one),
    undefined,
  );
  if (newest === undefined) return 'no snapshot here has been restored on trial';
  const { id, drill } = newest;
  const when = `${formatTime(drill.at)}, in ${formatDuration(drill.durationMs)}`;
  return drill.ok ? `${id} was restored and compared at ${when}` : `${id} could not be restored at ${when}: ${drill.problem ?? ''}`;
}
