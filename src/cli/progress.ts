// Events as a person at a terminal wants them: one line that is drawn over and over, and a lasting line for what must not be missed.
// Silent where standard error is no terminal, except for what must not be missed.
import type { EventListener, TidemarkEvent } from '../model/events.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCount, formatDuration } from '../model/units.js';

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** How often the line is drawn at most, in ms. */
const drawEveryMs = 100;

const phases: Readonly<Record<string, string>> = {
  connect: 'connecting',
  lock: 'locking the tables',
  schema: 'reading the schema',
  choose: 'choosing rows',
  rows: 'copying rows',
  trial: 'trying settings',
  publish: 'writing to disk',
  pull: 'copying',
  verify: 'checking every byte',
  diff: 'comparing the two',
  globals: 'making roles and tablespaces',
  'pre-data': 'making the schema',
  values: 'setting sequences',
  'post-data': 'making indexes and constraints',
  refresh: 'filling materialized views',
  statistics: 'restoring statistics',
  analyze: 'gathering statistics',
  compare: 'comparing with the archive',
};

export interface Progress {
  readonly listen: EventListener;
  /** Takes the line away. */
  end(): void;
}

/** @param now clock in ms */
export function createProgress(terminal: Terminal, now: () => number): Progress {
  const live = terminal.isTTY === true;
  const started = now();
  let drawn = 0;
  let plan: Extract<TidemarkEvent, { type: 'plan' }> | undefined;
  let rowsSince = started;

  const clear = (): void => {
    if (live) terminal.write('\r\x1b[2K');
  };
  /** @param line made only where it is drawn: thousands of small tables are as many events */
  const draw = (line: () => string, always: boolean): void => {
    if (!live || (!always && now() - drawn < drawEveryMs)) return;
    drawn = now();
    // A terminal that does not know its width says 0.
    terminal.write(`\r\x1b[2K${line().slice(0, (terminal.columns || 80) - 1)}`);
  };
  const keep = (line: string): void => {
    clear();
    terminal.write(`${line}\n`);
  };

  return {
    listen(event) {
      switch (event.type) {
        case 'phase':
          draw(() => phaseLine(event), true);
          break;
        case 'plan':
          plan = event;
          rowsSince = now();
          break;
        case 'progress':
          draw(() => progressLine(event, { plan, ms: now() - rowsSince }), false);
          break;
        case 'retry':
          keep(`tidemark: starting over (attempt ${event.attempt} failed): ${printable(event.reason)}`);
          break;
        case 'left-out':
          keep(`tidemark: left out ${printable(event.object.kind)} ${printable(event.object.name)}: ${printable(event.object.reason)}`);
          break;
        case 'notice':
          keep(`tidemark: ${printable(event.message)}`);
          break;
        case 'table':
        case 'trial':
          break;
      }
    },
    end: clear,
  };
}

function phaseLine({ phase, detail }: Extract<TidemarkEvent, { type: 'phase' }>): string {
  return `${phases[phase] ?? printable(phase)}${detail === undefined ? '' : ` (${printable(detail)})`} ...`;
}

interface Pace {
  readonly plan: Extract<TidemarkEvent, { type: 'plan' }> | undefined;
  readonly ms: number;
}

/** `1,200,000 rows  480.0 MB  160.0 MB/s  about 12.0 s left` */
export function progressLine({ rows, rawBytes }: Extract<TidemarkEvent, { type: 'progress' }>, { plan, ms }: Pace): string {
  // What is only copied has none.
  const parts = [...(plan?.rows === 0n ? [] : [`${formatCount(rows)} rows`]), formatBytes(rawBytes)];
  if (ms > 0) parts.push(`${formatBytes((Number(rawBytes) / ms) * 1000)}/s`);
  const share = plan ? shareDone({ rows, rawBytes }, plan) : undefined;
  if (share !== undefined && share > 0.01 && ms > 1000) parts.push(`about ${formatDuration((ms / share) * (1 - share))} left`);
  return parts.join('  ');
}

/** Estimates can be old: a share past 1 says nothing. */
function shareDone(done: { rows: bigint; rawBytes: bigint }, plan: { rows: bigint; bytes: bigint }): number | undefined {
  const share = plan.rows > 0n ? Number(done.rows) / Number(plan.rows) : plan.bytes > 0n ? Number(done.rawBytes) / Number(plan.bytes) : 2;
  return share <= 1 ? share : undefined;
}
