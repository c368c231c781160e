// `tidemark next`: when the next snapshot is due, by each of the rules.
import { Command } from 'commander';
import type { Status } from '../app/schedule/observe-status.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { formatAge } from '../model/units.js';
import { describeVerdicts } from './describe-decision.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';

export function nextCommand(): Command {
  return addStore(new Command('next').description('say when the next snapshot is due, by each of the rules')).action(next);
}

async function next(flags: StoreFlags): Promise<void> {
  await run({ command: 'next', json: flags.json === true }, async ({ signal }) => {
    const { config, ...place } = await chooseStore(flags);
    if (config === undefined) {
      throw new TidemarkError('USAGE', 'tell when the next snapshot is due: nothing says by which rules', {
        hint: 'the rules are in a configuration file: name it with --config',
      });
    }
    // Not before it is needed: help and wrong arguments are answered at once.
    const { observeStatus } = await import('../app/schedule/observe-status.js');
    const { database, position: queries, schedule } = config;
    const found = await observeStatus({ ...place, schedule, database, queries, signal });
    const { at, newest, position, unobserved, decision, notJudged } = found;
    return { result: { type: 'next', at, newest, position, unobserved, decision, notJudged }, text: describe(found) };
  });
}

function describe(found: Status): string {
  const { newest, ageMs = 0, position, unobserved, decision } = found;
  const lines = [
    decision === undefined
      ? 'whether a snapshot is due is not known'
      : decision.due
        ? `a snapshot is due: ${decision.reason}`
        : 'no snapshot is due',
    ...describeVerdicts(found).map((line) => `  ${line}`),
    newest === undefined
      ? 'there is no good snapshot'
      : `the newest good one is ${newest.id}, ${formatAge(ageMs)} old: ${describePosition(newest.position)}`,
    position === undefined ? `the database was not looked at: ${unobserved ?? ''}` : `the database is at ${describePosition(position)}`,
  ];
  return lines.map(printable).join('\n');
}
