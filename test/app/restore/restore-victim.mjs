// A process that restores until it is killed: its argument is RestoreOptions as JSON. It prints each phase, and `progress`, one a line.
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';

await restoreSnapshot({
  ...JSON.parse(process.argv[2] ?? '{}'),
  onEvent: ({ type, phase }) => {
    if (type === 'phase' || type === 'progress') process.stdout.write(`${phase ?? type}\n`);
  },
});
