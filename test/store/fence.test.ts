// Who may publish in a folder: only the last to have taken over, whatever a holder before did, and whenever it was stopped.
import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Fence, type FenceFiles, takeOver } from '#dist/store/fence.js';
import { publishFenced } from '#dist/store/publish-fenced.js';

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-fence-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function temporary(directory: string, fence: Fence, ending = ''): Promise<string> {
  const path = join(directory, `${fence.temporaryName()}${ending}`);
  await writeFile(path, String(fence.token));
  return path;
}

const sorted = (directory: string): string[] => readdirSync(directory).sort();
const lost = expect.objectContaining({ code: 'LOCK_LOST' });

describe('a take-over', () => {
  test('makes the folder, and counts from one', async () => {
    const directory = join(await folder(), 'deeper', 'still');
    expect((await takeOver(directory, 'a')).token).toBe(1n);
    expect((await takeOver(directory, 'a')).token).toBe(2n);
    expect(await readdir(directory)).toEqual(['.a.token-2.tidemark']);
  });

  test('ends the right of the one before, and removes its temporary files with what lies beside them', async () => {
    const directory = await folder();
    const before = await takeOver(directory, 'a');
    const archive = await temporary(directory, before);
    await writeFile(`${archive}.json`, '');
    await writeFile(`${archive}-rows-1`, '');
    await before.check();

    const after = await takeOver(directory, 'a');
    await expect(before.check()).rejects.toEqual(lost);
    await expect(publishFenced(archive, join(directory, 'a-1'))).rejects.toEqual(lost);
    await expect(publishFenced(archive, join(directory, 'a-1'), { replace: true })).rejects.toEqual(lost);
    expect(sorted(directory)).toEqual(['.a.token-2.tidemark']);

    await publishFenced(await temporary(directory, after), join(directory, 'a-1'));
    await after.check();
    expect(sorted(directory)).toEqual(['.a.token-2.tidemark', 'a-1']);
  });

  test('leaves temporary files of its own token, and their names differ', async () => {
    const directory = await folder();
    const fence = await takeOver(directory, 'a');
    const made = [await temporary(directory, fence), await temporary(directory, fence)];
    await fence.check();
    expect(new Set(made).size).toBe(2);
    expect(sorted(directory)).toHaveLength(3);
  });

  test('copes with what crashes left: tokens without temporary files, without content, several, and files of many tokens', async () => {
    const directory = await folder();
    for (const name of ['.a.token-3.tidemark', '.a.token-12.tidemark', '.a.t2.p7-1.tidemark', '.a.t12.p7-1.tidemark.json']) {
      await writeFile(join(directory, name), '');
    }
    const fence = await takeOver(directory, 'a');
    expect(fence.token).toBe(13n);
    expect(sorted(directory)).toEqual(['.a.token-13.tidemark']);
  });

  test('has tokens beyond the safe integers', async () => {
    const directory = await folder();
    await writeFile(join(directory, '.a.token-9007199254740993.tidemark'), '');
    expect((await takeOver(directory, 'a')).token).toBe(9007199254740994n);
  });

  test('a token that was removed and made again is another one', async () => {
    const directory = await folder();
    const first = await takeOver(directory, 'a');
    await rm(join(directory, '.a.token-1.tidemark'));
    await expect(first.check()).rejects.toEqual(lost);
    const second = await takeOver(directory, 'a');
    expect(second.token).toBe(first.token);
    await second.check();
    await expect(first.check()).rejects.toEqual(lost);
  });

  test('says what the file system says', async () => {
    const directory = await folder();
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(takeOver(join(file, 'x'), 'a')).rejects.toMatchObject({ code: 'FILE_ERROR' });
    const gone = await takeOver(join(directory, 'gone'), 'a');
    await rm(join(directory, 'gone'), { recursive: true });
    await expect(gone.check()).rejects.toMatchObject({ code: 'FILE_ERROR' });
  });
});

describe('files of others', () => {
  const foreign = [
    'a-100.tar.zst',
    'notes.txt',
    '.a.token-0.tidemark',
    '.a.token-01.tidemark',
    '.a.token-1.tidemark.bak',
    '.a.token-1',
    '.a.t1.5-1.tidemark',
    '.a.t1.p5.tidemark',
    '.a.t1.p5-1',
    '.a-100.tar.zst.5-1.tidemark',
    '.b.t1.p5-1.tidemark',
    '.ab.token-7.tidemark',
    'x.a.token-9.tidemark',
  ];

  test('stay, and do not count', async () => {
    const directory = await folder();
    for (const name of foreign) await writeFile(join(directory, name), name);
    const fence = await takeOver(directory, 'a');
    expect(fence.token).toBe(1n);
    await takeOver(directory, 'a');
    for (const name of foreign) expect(await readFile(join(directory, name), 'utf8')).toBe(name);
    expect(sorted(directory)).toHaveLength(foreign.length + 1);
  });

  test('prefixes that begin with each other do not meet', async () => {
    const directory = await folder();
    const prefixes = ['a', 'a.t1', 'a.t1.p5-1', 'a.token-5', 'A%2E', 'a/b', '../a', 'ä', 'a.t1.p5-1.tidemark', ''];
    const fences = new Map<string, Fence>();
    for (const prefix of prefixes) {
      for (let i = 0; i < 2; i += 1) fences.set(prefix, await takeOver(directory, prefix));
      await temporary(directory, fences.get(prefix) as Fence);
    }
    const before = sorted(directory);
    expect(before).toHaveLength(prefixes.length * 2);
    for (const prefix of prefixes) {
      const next = await takeOver(directory, prefix);
      expect(next.token).toBe(3n);
      for (const other of prefixes.filter((one) => one !== prefix)) await fences.get(other)?.check();
      fences.set(prefix, next);
      await temporary(directory, next);
      expect(sorted(directory)).toHaveLength(before.length);
    }
  });
});

/** A directory in memory whose calls come in an order that a scheduler chooses. A listing takes the directory as it is in two parts: what is
 *  made and removed meanwhile may be missed both ways, as readdir(3) allows. */
class Interleaved implements FenceFiles {
  readonly names = new Map<string, string>();
  readonly turn: (label: string) => Promise<void>;

  constructor(scheduler: fc.Scheduler) {
    this.turn = async (label) => void (await scheduler.schedule(Promise.resolve(), label));
  }

  makeDirectory = (): Promise<void> => this.turn('make');

  sync = (): Promise<void> => this.turn('sync');

  list = async (): Promise<string[]> => {
    await this.turn('list');
    const first = [...this.names.keys()].filter((name) => half(name));
    await this.turn('list more');
    return [...first, ...[...this.names.keys()].filter((name) => !half(name))];
  };

  create = async (path: string, content: string): Promise<void> => {
    await this.turn('create');
    if (this.names.has(basename(path))) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
    this.names.set(basename(path), '');
    await this.turn('write');
    this.names.set(basename(path), content);
  };

  read = async (path: string): Promise<string> => {
    await this.turn('read');
    const content = this.names.get(basename(path));
    if (content === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return content;
  };

  remove = async (path: string): Promise<void> => {
    await this.turn('remove');
    this.names.delete(basename(path));
  };

  /** As link(2): in one step. @returns whether the temporary file was still there */
  async publish(temporary: string, target: string): Promise<boolean> {
    await this.turn('publish');
    const content = this.names.get(temporary);
    if (content !== undefined) this.names.set(target, content);
    return content !== undefined;
  }

  published(): string[] {
    return [...this.names.keys()].filter((name) => name.startsWith('a-'));
  }
}

/** Even tokens and odd ones. */
function half(name: string): boolean {
  return Number(/\d+/.exec(name)?.[0] ?? 0) % 2 === 0;
}

test('whatever the order of their steps, nobody publishes after somebody else has taken over', { timeout: 120_000 }, async () => {
  let published = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 5 }), async (scheduler, holders) => {
      const files = new Interleaved(scheduler);
      const taken: { token: bigint; before: ReadonlySet<string> }[] = [];
      const hold = async (holder: number): Promise<void> => {
        for (let round = 0; round < 2; round += 1) {
          const fence = await takeOver('folder', 'a', files);
          taken.push({ token: fence.token, before: new Set(files.published()) });
          try {
            const temporary = fence.temporaryName();
            await files.create(temporary, '');
            await fence.check();
            const target = `a-${fence.token}-${holder}-${round}`;
            if (await files.publish(temporary, target)) published += 1;
            else refused += 1;
          } catch (error) {
            expect(error).toEqual(lost);
            refused += 1;
          }
        }
      };
      await scheduler.waitFor(Promise.all(Array.from({ length: holders }, (_, holder) => hold(holder))));
      expect(new Set(taken.map(({ token }) => token)).size).toBe(taken.length);
      for (const { token, before } of taken) {
        const late = files.published().filter((name) => !before.has(name) && BigInt(name.split('-')[1] ?? 0) < token);
        expect(late).toEqual([]);
      }
    }),
    { numRuns: 2000 },
  );
  expect(published).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});

test('older tokens go in ascending order: a holder that finds its own still there may rely on what it listed before', async () => {
  const removed: string[] = [];
  const names = [10, 9, 11].map((token) => `.a.token-${token}.tidemark`);
  const contents = new Map<string, string>();
  await takeOver('folder', 'a', {
    makeDirectory: async () => undefined,
    sync: async () => undefined,
    list: async () => [...names, ...contents.keys()],
    create: async (path, content) => void contents.set(basename(path), content),
    read: async (path) => contents.get(basename(path)) ?? '',
    remove: async (path) => void removed.push(basename(path)),
  });
  expect(removed).toEqual([9, 10, 11].map((token) => `.a.token-${token}.tidemark`));
});

/** A holder in a process of its own. */
class Holder {
  readonly #child: ChildProcess;
  readonly #messages: AsyncIterator<unknown[]>;

  constructor(directory: string, waits: 'waits' | 'runs') {
    this.#child = fork(new URL('fence-holder.mjs', import.meta.url), [directory, waits], { stdio: 'inherit' });
    this.#messages = on(this.#child, 'message', { close: ['exit'] });
    onTestFinished(() => {
      this.#child.kill('SIGKILL');
    });
  }

  async next(): Promise<{ type: string; code?: string; token?: string }> {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error('the holder ended');
    return value[0] as { type: string };
  }

  goOn(): void {
    this.#child.send('go on');
  }

  kill(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }
}

describe('100 take-overs from a process that was stopped', { timeout: 120_000 }, () => {
  test('between its check and its publication', async () => {
    const directory = await folder();
    const holder = new Holder(directory, 'waits');
    for (let round = 0; round < 100; round += 1) {
      expect(await holder.next()).toMatchObject({ type: 'ready' });
      holder.kill('SIGSTOP');
      holder.goOn();
      const fence = await takeOver(directory, 'a');
      await publishFenced(await temporary(directory, fence), join(directory, `a-${fence.token}-new`));
      const after = sorted(directory);
      holder.kill('SIGCONT');
      expect(await holder.next()).toMatchObject({ type: 'lost', code: 'LOCK_LOST' });
      expect(sorted(directory)).toEqual(after);
      holder.goOn();
    }
    expect(sorted(directory).filter((name) => name.startsWith('a-'))).toHaveLength(100);
  });

  test('anywhere', async () => {
    const directory = await folder();
    const holder = new Holder(directory, 'runs');
    for (let round = 0; round < 100; round += 1) {
      for (let ready = 0; ready <= round % 3; ready += 1) expect(await holder.next()).toMatchObject({ type: 'ready' });
      holder.kill('SIGSTOP');
      const fence = await takeOver(directory, 'a');
      const after = sorted(directory);
      holder.kill('SIGCONT');
      const told = [];
      do told.push(await holder.next());
      while (told.at(-1)?.type !== 'lost');
      expect(told.at(-1)).toMatchObject({ code: 'LOCK_LOST' });
      expect(sorted(directory).filter((name) => !isTemporary(name))).toEqual(after);
      await fence.check();
      holder.goOn();
    }
  });
});

/** What a holder makes that does not know yet: the next take-over removes it. */
function isTemporary(name: string): boolean {
  return /^\.a\.t\d/.test(name);
}
