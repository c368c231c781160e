// Histories made at random, played against a model of a store: whatever happens to clocks, files and attempts, the newest verified snapshot
// is never removed, and decisions depend on nothing but what they are given.
import { ok } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Candidate,
  type Decision,
  due,
  type Last,
  newestFirst,
  type Position,
  presets,
  type RetentionPolicy,
  type Rule,
  retain,
  type Schedule,
} from '#dist/rules/index.js';

const day = 86_400_000;
const year = 365 * day;

type Step =
  | { readonly do: 'blocks'; readonly blocks: number }
  | { readonly do: 'wait' | 'jump'; readonly ms: number }
  | { readonly do: 'failures'; readonly on: boolean }
  | { readonly do: 'delete' | 'pin' | 'unpin' | 'damage' | 'verify' | 'restore'; readonly which: number }
  | { readonly do: 'leftover'; readonly height: boolean }
  | { readonly do: 'foreign' | 'reset counters' | 'prune' };

const which = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('blocks' as const), blocks: fc.nat(3000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3 * day) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -5 * year, max: 5 * year }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failures' as const), on: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('delete', 'pin', 'unpin', 'damage', 'verify', 'restore'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leftover' as const), height: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('foreign', 'reset counters', 'prune') }) },
);

const timeZone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe');
const count = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) }, { weight: 1, arbitrary: fc.constant('all' as const) });
const big = (max: number): fc.Arbitrary<bigint> => fc.integer({ min: 1, max }).map(BigInt);

const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ by: fc.constant('height' as const), every: big(5000), from: fc.constantFrom('last', 'multiples') }),
  fc.record({ by: fc.constant('time' as const), every: fc.integer({ min: 1, max: 2 * day }) }),
  fc.record({ by: fc.constant('changes' as const), changes: big(20_000), after: fc.integer({ min: 1, max: day }) }),
  fc.record({ by: fc.constant('commits' as const), every: big(5000) }),
  fc.record({ by: fc.constant('wal' as const), every: big(1_000_000) }),
  fc.record({ by: fc.constant('stream' as const), stream: fc.constant('events'), every: big(5000) }),
  fc.record({ by: fc.constant('cron' as const), expression: fc.constantFrom('0 2 * * *', '*/15 * * * *', '0 0 1 * *'), timeZone }),
);

const schedule: fc.Arbitrary<Schedule> = fc
  .record(
    {
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      whenNone: fc.boolean(),
      retry: fc.record({ height: big(500), ms: fc.integer({ min: 1, max: day }) }, { requiredKeys: [] }),
    },
    { requiredKeys: ['rules'] },
  )
  // A retry that would come after the next snapshot is refused.
  .map(({ retry, ...rest }) => {
    const least = rest.rules.reduce((most, each) => (each.by === 'height' && each.every < most ? each.every : most), 500n);
    if (retry === undefined) return rest;
    return { ...rest, retry: { ...retry, ...(retry.height === undefined || retry.height <= least ? {} : { height: least }) } };
  });

const measures = {
  last: count,
  within: fc.integer({ min: 1, max: 2 * year }),
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  heights: fc.record({ every: big(10_000), keep: count }, { requiredKeys: ['every'] }),
};

/** One measure, or two: a policy of many keeps everything. @param byHeight whether the snapshots have heights */
function policy(byHeight: boolean): fc.Arbitrary<RetentionPolicy> {
  const names = (Object.keys(measures) as (keyof typeof measures)[]).filter((name) => byHeight || name !== 'heights');
  const made = fc
    .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 2 })
    .chain((chosen) =>
      fc.record({ timeZone, ...Object.fromEntries(chosen.map((name) => [name, measures[name] as fc.Arbitrary<unknown>])) }),
    );
  const ready = fc.constantFrom(...Object.values(presets).map(({ retention }): RetentionPolicy => retention));
  return fc.oneof({ weight: 8, arbitrary: made as fc.Arbitrary<RetentionPolicy> }, { weight: 1, arbitrary: ready });
}

const history = fc.boolean().chain((byHeight) =>
  fc.record({
    byHeight: fc.constant(byHeight),
    system: fc.option(fc.constant('7300000000000000000'), { nil: undefined }),
    schedule: schedule.filter(({ rules, retry }) => byHeight || (rules.every(({ by }) => by !== 'height') && retry?.height === undefined)),
    policy: policy(byHeight),
    steps: fc.array(step, { minLength: 6, maxLength: 16, size: 'max' }),
    seed: fc.nat(),
  }),
);

type History = typeof history extends fc.Arbitrary<infer H> ? H : never;

/** How often what came to pass in all histories, so that a test in which nothing happens fails. */
const seen = { taken: 0, failed: 0, removed: 0, pinned: 0, newestWasOlder: 0, keptUnverified: 0 };

/** A database, a folder and a scheduler. */
class World {
  readonly #history: History;
  #at = Date.UTC(2026, 0, 1);
  #height = 1000n;
  #lsn = 1_000_000n;
  #changes = 0n;
  #commits = 0n;
  #attemptsFail = false;
  #failed: Position | undefined;
  #names = 0;
  /** By name; undefined: a file that is none of ours. */
  readonly files = new Map<string, Candidate | undefined>();

  constructor(history: History) {
    this.#history = history;
  }

  position(): Position {
    const counters = { changes: this.#changes, commits: this.#commits, streams: { events: this.#height } };
    const position = { at: new Date(this.#at), lsn: this.#lsn, ...counters };
    return this.#history.byHeight ? { ...position, height: this.#height } : position;
  }

  candidates(): Candidate[] {
    return [...this.files.values()].filter((file) => file !== undefined);
  }

  #add(file: Partial<Candidate>): void {
    this.#names += 1;
    const { system } = this.#history;
    const id = `a-${this.#names}`;
    this.files.set(id, { id, good: true, position: this.position(), ...(system === undefined ? {} : { system }), ...file });
  }

  #change(which: number, change: (file: Candidate) => Candidate): void {
    const all = this.candidates();
    const file = all[which % Math.max(1, all.length)];
    if (file !== undefined) this.files.set(file.id, change(file));
  }

  play(step: Step): void {
    switch (step.do) {
      case 'blocks':
        this.#height += BigInt(step.blocks);
        this.#lsn += BigInt(step.blocks) * 300n;
        this.#changes += BigInt(step.blocks) * 7n;
        this.#commits += BigInt(step.blocks);
        this.#at += step.blocks * 1000;
        break;
      case 'wait':
      case 'jump':
        this.#at += step.ms;
        break;
      case 'failures':
        this.#attemptsFail = step.on;
        break;
      case 'delete': {
        const names = [...this.files.keys()];
        const name = names[step.which % Math.max(1, names.length)];
        if (name !== undefined) this.files.delete(name);
        break;
      }
      case 'pin':
        seen.pinned += 1;
        this.#change(step.which, (file) => ({ ...file, pinned: 'by hand' }));
        break;
      case 'unpin':
        this.#change(step.which, ({ pinned: _, ...file }) => file);
        break;
      case 'damage':
      case 'verify':
        this.#change(step.which, (file) => ({
          ...file,
          good: step.do === 'verify' && (file.position.height !== undefined) === this.#history.byHeight,
        }));
        break;
      case 'restore': {
        const all = this.candidates();
        const file = all[step.which % Math.max(1, all.length)];
        if (file !== undefined) this.#height = file.position.height ?? this.#height;
        break;
      }
      case 'leftover': {
        const { height, ...without } = this.position();
        this.#add({ good: false, position: step.height && height !== undefined ? { ...without, height } : without });
        break;
      }
      case 'foreign':
        this.#names += 1;
        this.files.set(`notes-${this.#names}.txt`, undefined);
        break;
      case 'reset counters':
        this.#changes = 0n;
        this.#commits = 0n;
        break;
      case 'prune':
        this.prune();
    }
  }

  /** What a scheduler does after each step. */
  look(): void {
    const now = this.position();
    const good = newestFirst(this.candidates().filter((file) => file.good))[0]?.position;
    const last: Last = { ...(good === undefined ? {} : { good }), ...(this.#failed === undefined ? {} : { failed: this.#failed }) };
    const decision = due(this.#history.schedule, last, now);
    checkDecision(this.#history.schedule, { last, now, decision });
    if (!decision.due) return;
    if (this.#attemptsFail) {
      seen.failed += 1;
      this.#failed = now;
      ok(!due(this.#history.schedule, { ...last, failed: now }, now).due, 'no attempt at once after a failure');
      return;
    }
    seen.taken += 1;
    this.#failed = undefined;
    this.#add({});
    ok(!due(this.#history.schedule, { good: now }, now).due, 'no snapshot at once after another');
    this.prune();
  }

  prune(): void {
    const before = this.candidates();
    const { remove } = checkRetention(this.#history, before);
    for (const { id } of remove) this.files.delete(id);
    seen.removed += remove.length;
  }
}

function checkDecision(schedule: Schedule, { last, now, decision }: { last: Last; now: Position; decision: Decision }): void {
  ok(isDeepStrictEqual(due(schedule, last, now), decision), 'same input, same answer');
  const { good, failed } = last;
  const passed = schedule.rules.some(
    (each) =>
      each.by === 'height' &&
      each.from !== 'multiples' &&
      good?.height !== undefined &&
      now.height !== undefined &&
      now.height >= good.height + each.every,
  );
  const none = good === undefined && schedule.whenNone !== false;
  ok(decision.due || failed !== undefined || !(passed || none), 'a mark that was passed');
  if (decision.due || (good !== undefined && now.at < good.at)) return;
  // Where it says the next one comes, it comes.
  for (const mark of decision.next) {
    if (mark.by === 'time') ok(failed !== undefined || due(schedule, last, { ...now, at: mark.at }).due, 'the time it names');
    if (mark.by === 'height') ok(failed !== undefined || due(schedule, last, { ...now, height: mark.value }).due, 'the height it names');
  }
}

function checkRetention({ policy, seed, byHeight }: History, snapshots: readonly Candidate[]): { remove: readonly Candidate[] } {
  const found = retain(policy, snapshots);
  const { keep, remove } = found;
  const kept = keep.map(({ snapshot }) => snapshot);

  const names = (list: readonly Candidate[]): string[] => list.map(({ id }) => id).sort();
  ok(isDeepStrictEqual(names([...kept, ...remove]), names(snapshots)), 'keep + remove = all');
  ok(
    keep.every(({ reasons }) => reasons.length > 0),
    'a reason for each',
  );
  ok(
    remove.every(({ good, pinned }) => good && pinned === undefined),
    'pinned and unverified ones stay',
  );
  seen.keptUnverified += kept.filter(({ good }) => !good).length;

  const good = snapshots.filter((snapshot) => snapshot.good);
  const newest = newestOf(good, byHeight);
  ok(newest === undefined || kept.includes(newest), 'the last verified snapshot stays');
  if (good.some(({ position }) => newest !== undefined && position.at > newest.position.at)) seen.newestWasOlder += 1;

  // The same of the same, in whatever order, and nothing more of what was kept.
  ok(isDeepStrictEqual(retain(policy, shuffled(snapshots, seed)), found), 'same input, same answer');
  ok(retain(policy, kept).remove.length === 0, 'twice is once');
  return { remove };
}

/** The last verified snapshot, found in another way than by sorting. */
function newestOf(good: readonly Candidate[], byHeight: boolean): Candidate | undefined {
  const measure = ({ position, system }: Candidate): bigint => {
    if (byHeight) return position.height ?? -1n;
    return system === undefined ? BigInt(position.at.getTime()) : position.lsn;
  };
  const first = good.filter((snapshot) => good.every((other) => measure(other) <= measure(snapshot)));
  return first.length === 1 ? first[0] : undefined;
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const at = (list.length * 7 + seed) % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)].reverse();
}

test('10,000 histories', { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(history, (made) => {
      const world = new World(made);
      for (const each of made.steps) {
        const before = [...world.files.keys()].filter((name) => name.startsWith('notes'));
        world.play(each);
        world.look();
        const gone = before.filter((name) => !world.files.has(name));
        ok(gone.length === 0 || (each.do === 'delete' && gone.length === 1), 'foreign files stay');
      }
      world.prune();
    }),
    { numRuns: 10_000 },
  );
  for (const [name, times] of Object.entries(seen)) expect(times, name).toBeGreaterThan(50);
});
