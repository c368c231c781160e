// Schedules and policies that fit kinds of hosts, to begin with.
import type { RetentionPolicy } from './policy.js';
import type { Schedule } from './rule.js';

export interface Preset {
  /** For whom, in a sentence. */
  readonly fits: string;
  readonly schedule: Schedule;
  readonly retention: RetentionPolicy;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const presets = {
  runtime: {
    fits: 'a blockchain runtime that restores after a crash: by height, the two newest',
    schedule: { rules: [{ by: 'height', every: 151_200n }], retry: { height: 3600n } },
    retention: { last: 2 },
  },
  indexer: {
    fits: 'an indexer that publishes a snapshot a day',
    schedule: { rules: [{ by: 'cron', expression: '0 2 * * *' }], retry: { ms: 15 * minute } },
    retention: { daily: 7, weekly: 4, monthly: 12 },
  },
  replica: {
    fits: 'a replicated store: when its streams have advanced, at least every six hours, and at an orderly end',
    schedule: {
      rules: [
        { by: 'commits', every: 10_000n },
        { by: 'time', every: 6 * hour },
      ],
      atShutdown: true,
      retry: { ms: 5 * minute },
    },
    retention: { last: 3, within: day },
  },
  daemon: {
    fits: 'a state daemon that replays its log: every thousand commits, the three newest',
    schedule: { rules: [{ by: 'commits', every: 1000n }], retry: { ms: minute } },
    retention: { last: 3 },
  },
  memory: {
    fits: 'what is used to the save rules of an in-memory database',
    schedule: {
      rules: [
        { by: 'changes', changes: 1n, after: 15 * minute },
        { by: 'changes', changes: 10n, after: 5 * minute },
        { by: 'changes', changes: 10_000n, after: minute },
      ],
      atShutdown: true,
    },
    retention: { last: 1 },
  },
} as const satisfies Readonly<Record<string, Preset>>;
