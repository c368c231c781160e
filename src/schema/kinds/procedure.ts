// Procedures.
import { defineRoutineKind } from '../routine.js';

export const procedure = defineRoutineKind({ name: 'procedure', word: 'PROCEDURE', prokinds: `'p'`, only: ['pg_proc:p'] });
