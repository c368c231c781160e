// Daemons that are killed, and daemons that are stopped for longer than their lease: what has a snapshot's name is whole, the last good one
// stays, and no mark has two. TIDEMARK_TEST_ROUNDS has it do more of it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { Repository } from '#dist/app/repository/repository.js';
import { eventually } from '../server/index.js';
import { type Chain, type DaemonProcess, type LogLine, startChain } from './daemon-process.js';

const rounds = Number(process.env.TIDEMARK_TEST_ROUNDS ?? 6);
const limit = { timeout: 60_000 + rounds * 20_000 };

/** The same numbers in each run: a failure can be looked at again. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state / 2 ** 32;
  }
}

/** At these lines of its log a daemon is caught. */
const places = [
  /^creating/,
  /phase: connect/,
  /phase: lock/,
  /phase: schema/,
  /phase: rows/,
  /phase: publish/,
  /phase: verify/,
  /^created/,
] as const;

async function wholeArchives(chain: Chain): Promise<readonly string[]> {
  const archives = await chain.archives();
  for (const name of archives) await verifySnapshot({ file: join(chain.store, name) });
  return archives;
}

test(
  `killed ${rounds} times at any place, and begun again: nothing half has a name, and the newest good one is never lost`,
  limit,
  async () => {
    await using chain = await startChain();
    const random = numbers(4);
    const repository = new Repository({ store: chain.store, prefix: 'chain' });
    const snapshots = { log: { level: 'debug' } };
    let height = 1n;
    let best = 0n;
    for (let round = 0; round < rounds; round += 1) {
      const place = places[Math.floor(random.next().value * places.length)] ?? /^creating/;
      const daemon = await chain.daemon(snapshots);
      await daemon.line(place, 0);
      daemon.signal('SIGKILL');
      await daemon.ended;
      await wholeArchives(chain);
      const newest = (await repository.list()).snapshots[0]?.position.height ?? 0n;
      const named = (await chain.archives()).map((name) => BigInt(/\d+/.exec(name)?.[0] ?? 0));
      // One that was published and not recorded yet counts for the next.
      expect([newest, ...named].some((one) => one >= best)).toBe(true);
      best = newest > best ? newest : best;
      height += 150n;
      await chain.processTo(height);
    }
    const daemon = await chain.daemon(snapshots);
    await daemon.line(({ msg }: LogLine) => msg === `created chain-${height}`, 0);
    daemon.signal('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(await wholeArchives(chain)).toContain(`chain-${height}.tar.zst`);
    expect((await chain.files()).filter((name) => name.startsWith('.') && !name.includes('.token-'))).toEqual([]);
    await eventually('no session is left', async () => (await chain.sessions()) === 0);
  },
);

test(`stopped past its lease, ${rounds} times: another takes over, and a mark never has two snapshots`, limit, async () => {
  await using chain = await startChain();
  const random = numbers(8);
  const settings = { log: { level: 'debug' }, lease: '600ms', retention: { last: 'all' } };
  const daemons = [await chain.daemon(settings, 'a.json'), await chain.daemon(settings, 'b.json')] as const;
  await Promise.race(daemons.map((daemon) => daemon.line(/^created/, 0)));
  let height = 1n;
  for (let round = 0; round < rounds; round += 1) {
    const place = places[Math.floor(random.next().value * (places.length - 1))] ?? /^creating/;
    const from = daemons.map(({ lines }) => lines.length);
    const caught = firstAt(place, daemons);
    height += 150n;
    await chain.processTo(height);
    const holder = await caught;
    await eventually('a snapshot of this mark is there', async () => (await chain.archives()).includes(`chain-${height}.tar.zst`), {
      withinMs: 30_000,
    });
    holder.signal('SIGCONT');
    await holder.line(/^(created|snapshot failed|stood back)/, from[daemons.indexOf(holder)]);
    const created = daemons.flatMap(({ lines }) => lines.filter(({ msg }) => msg.startsWith(`created chain-${height}`)));
    expect(created.length).toBeLessThanOrEqual(1);
    expect(await chain.archives()).toHaveLength(round + 2);
  }
  await wholeArchives(chain);
});

/** Stops the first of them that comes to a place. */
async function firstAt(place: RegExp, daemons: readonly DaemonProcess[]): Promise<DaemonProcess> {
  let first: DaemonProcess | undefined;
  return await Promise.race(
    daemons.map(async (daemon) => {
      await daemon.line(place);
      if (first === undefined) daemon.signal('SIGSTOP');
      first ??= daemon;
      return first;
    }),
  );
}
