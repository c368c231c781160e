// Functions and window functions. Aggregates, which the server cannot deparse, are in aggregate.ts.
import { defineRoutineKind } from '../routine.js';

export const functionKind = defineRoutineKind({
  name: 'function',
  word: 'FUNCTION',
  prokinds: `'f', 'w'`,
  only: ['pg_proc:f', 'pg_proc:w'],
});
