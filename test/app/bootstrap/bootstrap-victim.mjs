// A process that bootstraps until it is killed: its argument is BootstrapOptions as JSON. It prints each phase, and `progress`, one a line.
import { bootstrap } from '#dist/app/bootstrap/bootstrap.js';

await bootstrap({
  ...JSON.parse(process.argv[2] ?? '{}'),
  onEvent: ({ type, phase }) => {
    if (type === 'phase' || type === 'progress') process.stdout.write(`${phase ?? type}\n`);
  },
});
