// Shows, lists, verifies, and restores as from a stranger, each of the archives that are named, in a process of its own: prints how each ended, and
// the most memory that the process had.
import { readFile } from 'node:fs/promises';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';

const nowhere = 'postgres://nobody@127.0.0.1:1/none';
const ways = {
  show: (file) => showSnapshot({ file }),
  list: (file) => listArchive({ file }),
  verify: (file) => verifySnapshot({ file }),
  untrusted: (file) => restoreSnapshot({ file, database: nowhere, untrusted: true }),
};

const ended = {};
for (const [file, names] of Object.entries(JSON.parse(process.argv[2]))) {
  ended[file] = {};
  for (const name of names) {
    // Each as if it were alone: what the one before it has left is not its own.
    globalThis.gc();
    const error = await ways[name](file).then(
      () => undefined,
      (failed) => failed,
    );
    ended[file][name] = error === undefined ? 'done' : `${error.code ?? error.name}: ${error.message}`;
  }
}
// What the operating system says of the most of a process begins, on Linux, with that of the process that started it.
const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
const peak = Math.round(Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024);
process.stdout.write(JSON.stringify({ ended, peak }));
