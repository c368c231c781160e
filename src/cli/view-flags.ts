// The options of commands that read a database in one view: what is recorded of where it stands, and how long its locks may take.
import type { Command } from 'commander';
import { duration, height } from './arguments.js';
import { given } from './given.js';

export interface ViewFlags {
  readonly height?: bigint;
  readonly heightQuery?: string;
  readonly hashQuery?: string;
  readonly streamsQuery?: string;
  readonly lockWaitTimeout?: number;
  readonly maxAge?: number;
  readonly skipUnsupported?: true;
}

export function addView(command: Command): Command {
  return command
    .option('--height <n>', 'height to record', height)
    .option('--height-query <sql>', 'query for the height, run in the same view')
    .option('--hash-query <sql>', 'query for the hash, run in the same view; $1 is the height')
    .option('--streams-query <sql>', 'query for (stream, sequence) rows, run in the same view')
    .option('--lock-wait-timeout <duration>', 'give up when a table lock takes longer (default: 10s; 0: never)', duration)
    .option('--max-age <duration>', 'give up when the transaction gets older', duration)
    .option('--skip-unsupported', 'go on without objects of unknown kinds, and list them in the manifest');
}

/** As `takeSnapshot` and `exportTables` have them. */
export function viewOptions(flags: ViewFlags) {
  return {
    ...given('height', flags.height),
    ...given('heightQuery', flags.heightQuery),
    ...given('hashQuery', flags.hashQuery),
    ...given('streamsQuery', flags.streamsQuery),
    ...given('lockTimeoutMs', flags.lockWaitTimeout),
    ...given('maxAgeMs', flags.maxAge),
    ...given('skipUnsupported', flags.skipUnsupported),
  };
}
