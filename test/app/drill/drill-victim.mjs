// A process that drills until it is killed: its argument is DrillOptions as JSON. It prints each phase, one a line.
import { drillSnapshot } from '#dist/app/drill/drill.js';

await drillSnapshot({
  ...JSON.parse(process.argv[2] ?? '{}'),
  onEvent: ({ type, phase }) => {
    if (type === 'phase') process.stdout.write(`${phase}\n`);
  },
});
