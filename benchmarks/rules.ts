// How long `due` and `retain` take over 10,000 snapshots. Usage: npm run bench:rules. Medians of 20, of wall time and of processor time: on
// a machine that others use, too, the latter says more.
import { type Candidate, due, newestFirst, presets, type RetentionPolicy, retain, type Schedule } from '#dist/rules/index.js';
import { median } from './measure.js';

const total = 10_000;
const hour = 3_600_000;

/** Snapshots in no order, one every `every` milliseconds, and the last one now. */
function snapshotsEvery(every: number): readonly Candidate[] {
  return Array.from({ length: total }, (_, i) => {
    const number = (i * 7919) % total; // a prime: each number once
    const position = { at: new Date(Date.UTC(2026, 0, 1) - number * every), lsn: BigInt((total - number) * 1_000_000) };
    return {
      id: `a-${number}`,
      good: number % 50 !== 1,
      system: '1',
      position: { ...position, height: BigInt((total - number) * 151_200) },
    };
  });
}

const schedule: Schedule = {
  rules: [
    { by: 'height', every: 151_200n },
    { by: 'time', every: hour },
    { by: 'cron', expression: '0 2 * * *', timeZone: 'Europe/Berlin' },
  ],
};
const calendar = { hourly: 'all', daily: 'all', weekly: 'all', monthly: 'all', yearly: 'all' } as const;
const policies: Readonly<Record<string, RetentionPolicy>> = {
  'last 2': presets.runtime.retention,
  'daily 7, weekly 4, monthly 12': presets.indexer.retention,
  'one of each 1,000,000 heights': { heights: { every: 1_000_000n } },
  'within a year': { within: 365 * 24 * hour },
  'all hours, days, weeks, months, years, UTC': calendar,
  'the same in Berlin': { ...calendar, timeZone: 'Europe/Berlin' },
};

function time(name: string, run: () => void): void {
  const wall: number[] = [];
  const processor: number[] = [];
  for (let i = 0; i < 21; i += 1) {
    const [started, used] = [performance.now(), process.cpuUsage()];
    run();
    const { user, system } = process.cpuUsage(used);
    if (i === 0) continue; // compiles
    wall.push(performance.now() - started);
    processor.push((user + system) / 1000);
  }
  console.log(`| ${name} | ${median(wall).toFixed(1)} | ${median(processor).toFixed(1)} |`);
}

for (const [distance, every] of [
  ['an hour', hour],
  ['a day', 24 * hour],
] as const) {
  const snapshots = snapshotsEvery(every);
  console.log(`\n${total} snapshots, ${distance} apart\n\n| | ms | ms of the processor |\n|---|---|---|`);
  time('`due`, with the search for the newest', () => {
    const good = newestFirst(snapshots.filter((snapshot) => snapshot.good))[0]?.position;
    if (good === undefined) throw new Error('there is none');
    due(schedule, { good }, { ...good, at: new Date(good.at.getTime() + 1000) });
  });
  for (const [name, policy] of Object.entries(policies)) time(`\`retain\`: ${name}`, () => void retain(policy, snapshots));
}
