// System 1: a blockchain runtime that snapshots its own database as blocks come, and restores after a crash.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bootstrap, listSnapshots, verifySnapshot } from '#dist/index.js';
import { createDatabase } from '../server/index.js';
import { created, Host } from './host.js';

const schema = `CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
  CREATE TABLE state (applying boolean NOT NULL); INSERT INTO state VALUES (false); INSERT INTO blocks VALUES (7, md5('7'))`;
const position = { heightQuery: 'SELECT coalesce(max(height), 0) FROM blocks' };
const runtime = {
  prefix: 'paima-snapshot',
  rules: { rules: [{ by: 'height', every: 100n }], retry: { height: 10n } },
  retention: { last: 2 },
  position,
} as const;

/** Processes one block of this height: those before it came by another way, as after a restore. */
const jump = (host: Host, height: bigint): Promise<void> => host.db.run(`INSERT INTO blocks VALUES (${height}, md5('${height}'))`);

test('one at once, the next whenever the mark is passed; the third makes the oldest go once it is whole; nothing foreign is touched', async () => {
  await using host = await Host.start(schema);
  const at = (id: bigint): string => `paima-snapshot-${id}.tar.zst`;
  const seen: [event: string, archives: string[]][] = [];
  const { scheduler, events } = host.scheduler({
    ...runtime,
    onEvent: (event) => {
      events.listener(event);
      const phase = event.type === 'snapshot' && event.event.type === 'phase' ? `phase ${event.event.phase}` : event.type;
      if (['creating', 'phase rows', 'created', 'removed'].includes(phase)) seen.push([phase, host.archivesNow()]);
      for (const { snapshot } of events.of('created')) {
        if (host.archivesNow().includes(snapshot.key)) expect(existsSync(join(host.store, `${snapshot.key}.verified.json`))).toBe(true);
      }
    },
  });
  await scheduler.look();
  expect(await host.archives()).toEqual([at(7n)]);
  const foreign = { 'paima-snapshot-900.tar.zst': 'of another program', 'paima-snapshot-12.tar.zst.part': 'half', '.x.tidemark': '?' };
  for (const [name, text] of Object.entries(foreign)) await writeFile(join(host.store, name), text);
  await copyFile(join(host.store, at(7n)), join(host.store, at(800n)));
  await truncate(join(host.store, at(800n)), 1000);
  await mkdir(join(host.store, at(1n)));
  await symlink(at(2n), join(host.store, at(2n)));
  const others = [at(1n), at(2n), at(800n), at(900n)];
  seen.length = 0;
  for (const height of [106n, 155n, 256n, 257n]) {
    await jump(host, height);
    scheduler.advance({ height });
    await scheduler.look();
  }
  const before = [at(7n), at(155n), ...others].sort();
  expect(seen).toEqual([
    ['creating', [at(7n), ...others].sort()],
    ['phase rows', [at(7n), ...others].sort()],
    ['created', before],
    ['creating', before],
    ['phase rows', before],
    ['created', [at(256n), ...before].sort()],
    ['removed', [at(155n), at(256n), ...others].sort()],
  ]);
  expect(events.of('removed').map(({ snapshot }) => snapshot.id)).toEqual(['paima-snapshot-7']);
  for (const [name, text] of Object.entries(foreign)) expect(await readFile(join(host.store, name), 'utf8')).toBe(text);
  await rm(host.store, { recursive: true });
  await jump(host, 258n);
  scheduler.advance({ height: 258n });
  await scheduler.look();
  expect(await host.archives()).toEqual([at(258n)]);
  expect(events.of('failed')).toEqual([]);
});

test('a host is not held up: blocks come in while a snapshot waits, and what it gives up is tried again after the shorter distance', async () => {
  await using host = await Host.start(`${schema}; CREATE TABLE migrating (n int)`);
  const { scheduler, events } = host.scheduler({ ...runtime, snapshot: { lockTimeoutMs: 200 } });
  await scheduler.look();
  const blocker = await host.db.connect();
  await blocker.query('BEGIN; LOCK TABLE migrating IN ACCESS EXCLUSIVE MODE');
  const [creating, failed] = [events.next('creating'), events.next('failed')];
  await jump(host, 120n);
  scheduler.advance({ height: 120n });
  await creating;
  for (let height = 121n; height <= 125n; height += 1n) {
    await jump(host, height);
    scheduler.advance({ height });
  }
  expect(await failed).toMatchObject({ error: { code: 'LOCK_TIMEOUT' }, next: [{ by: 'height', value: 130n }] });
  await blocker.query('ROLLBACK');
  await blocker.end();
  await scheduler.look();
  expect(created(events)).toEqual(['paima-snapshot-7']);
  await jump(host, 131n);
  scheduler.advance({ height: 131n });
  await scheduler.look();
  expect(created(events)).toEqual(['paima-snapshot-131', 'paima-snapshot-7']);
});

test('killed in the middle of a snapshot and of a block, it restores the newest and goes on from its height', async () => {
  await using host = await Host.start(schema);
  await using first = new Runtime(host, 190n);
  await first.line('created paima-snapshot-7');
  // The next one comes at 107; it is under way when the process dies.
  await first.line('phase rows', 2);
  first.child.kill('SIGKILL');
  await first.ended;
  await host.db.run('UPDATE state SET applying = true');
  expect((await host.archives()).length).toBe(1);
  await using second = new Runtime(host, 150n);
  await second.line('start restored 7');
  expect(await second.line(/^created/)).toMatch(/^created paima-snapshot-1\d\d$/);
  await second.line('applied');
  expect((await host.files()).filter((name) => name.startsWith('.') && !name.includes('.token-'))).toEqual([]);
  for (const name of await host.archives()) await verifySnapshot({ file: join(host.store, name) });
  second.child.kill('SIGKILL');
  await second.ended;
  await using target = await createDatabase();
  const start = await bootstrap({ database: target.url, store: host.store, prefix: 'paima-snapshot', jobs: 1 });
  const [newest] = await target.query('SELECT max(height)::text AS height FROM blocks');
  expect(start).toMatchObject({ action: 'restored', height: BigInt(newest?.height), goOnFrom: BigInt(newest?.height) + 1n });
});

test('a snapshot of the future neither stops the others nor makes them many, and none that is new goes for it', async () => {
  await using host = await Host.start(schema);
  const options = { ...runtime, rules: [{ by: 'time', every: 3_600_000 }], retention: { last: 1 } } as const;
  const { scheduler, events } = host.scheduler(options);
  await scheduler.look();
  await scheduler.close();
  await host.date('paima-snapshot-7', new Date('2100-01-01T00:00:00Z'));
  const later = host.scheduler(options);
  for (let look = 0; look < 3; look += 1) await later.scheduler.look();
  expect(created(events, later.events)).toEqual(['paima-snapshot-7', 'paima-snapshot-7.2']);
  expect(await host.archives()).toContain('paima-snapshot-7.2.tar.zst');
  await later.scheduler.close();
  const last = host.scheduler(options);
  for (let look = 0; look < 3; look += 1) await last.scheduler.look();
  expect(created(last.events)).toEqual([]);
  await host.date('paima-snapshot-7.2', new Date(Date.now() - 2 * 3_600_000));
  for (let look = 0; look < 3; look += 1) await last.scheduler.look();
  expect(created(last.events)).toHaveLength(1);
});

test('after its database was put back to a lower height, what it takes stays until the next, and is not taken at every look', async () => {
  await using host = await Host.start(schema);
  const options = { ...runtime, rules: [{ by: 'time', every: 3_600_000 }] } as const;
  const { scheduler } = host.scheduler(options);
  await scheduler.look();
  for (const height of [300n, 400n]) {
    await jump(host, height);
    await scheduler.snapshotNow();
  }
  await host.db.run('DELETE FROM blocks WHERE height > 7');
  await jump(host, 150n);
  expect(await scheduler.snapshotNow()).toMatchObject({ id: 'paima-snapshot-150' });
  expect(await host.archives()).toContain('paima-snapshot-150.tar.zst');
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const id of ['300', '400']) await host.date(`paima-snapshot-${id}`, yesterday);
  const again = host.scheduler(options);
  for (let look = 0; look < 3; look += 1) await again.scheduler.look();
  expect(created(again.events)).toEqual([]);
  await jump(host, 160n);
  await again.scheduler.snapshotNow();
  expect((await listSnapshots(runtimeStore(host))).snapshots.map(({ id }) => id)).toEqual([
    'paima-snapshot-400',
    'paima-snapshot-300',
    'paima-snapshot-160',
  ]);
});

test('a host that tells heights its database has not makes one snapshot, and not one at each block', async () => {
  await using host = await Host.start(schema);
  const { scheduler, events } = host.scheduler(runtime);
  for (let height = 200n; height < 205n; height += 1n) {
    scheduler.advance({ height });
    await scheduler.look();
  }
  expect(created(events)).toEqual(['paima-snapshot-7']);
  await jump(host, 206n);
  scheduler.advance({ height: 206n });
  await scheduler.look();
  expect(created(events)).toEqual(['paima-snapshot-206', 'paima-snapshot-7']);
});

const runtimeStore = (host: Host): { readonly store: string; readonly prefix: string } => ({ store: host.store, prefix: 'paima-snapshot' });

class Runtime implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly #lines: string[] = [];
  #stderr = '';
  #come = (): void => undefined;

  constructor(host: Host, to: bigint) {
    const script = fileURLToPath(new URL('./runtime-host.mjs', import.meta.url));
    const settings = JSON.stringify({ db: host.db.url, store: host.store, to: String(to) });
    this.child = spawn(process.execPath, [script, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.on('data', (piece: Buffer) => {
      this.#stderr += piece;
    });
    if (this.child.stdout) {
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.#lines.push(line);
        this.#come();
      });
    }
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()));
  }

  /** Resolves with the line once it has come so often. */
  async line(wanted: string | RegExp, times = 1): Promise<string> {
    const ended = this.ended.then(() => true);
    for (;;) {
      const found = this.#lines.filter((line) => (typeof wanted === 'string' ? line.trim() === wanted : wanted.test(line)));
      if (found.length >= times) return found[times - 1] ?? '';
      const come = new Promise<boolean>((resolve) => {
        this.#come = () => resolve(false);
      });
      if (await Promise.race([come, ended])) throw new Error(`it ended before ${wanted}:\n${this.#lines.join('\n')}\n${this.#stderr}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
