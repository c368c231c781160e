// The table of contents of an archive (--list): what a restore into an empty database would do, in its order. Pure: from the plan of one.
import type { Catalog, Step } from '../model/catalog.js';
import { entryOfRows, entryOfStep, entryText, type TocEntry } from '../selection/toc.js';
import type { Plan } from './plan.js';

export interface ListEntry extends TocEntry {
  /** 'pre-data', 'rows', 'values', 'post-data', 'privileges' or 'refresh': actions of a plan. */
  readonly phase: string;
  readonly rows?: bigint;
}

/** Each entry once, where its first step is. */
export function listPlan(catalog: Catalog, plan: Plan): readonly ListEntry[] {
  const byDirectory = new Map(catalog.tables.map((table) => [table.directory, table]));
  const seen = new Set<string>();
  const entries: ListEntry[] = [];
  const add = (entry: ListEntry): void => {
    const text = entryText(entry);
    if (!seen.has(text)) entries.push(entry);
    seen.add(text);
  };
  for (const action of plan) {
    if ('steps' in action) {
      for (const step of action.steps as readonly Step[]) add({ phase: action.action, ...entryOfStep(catalog, step) });
    } else if (action.action === 'rows') {
      for (const { directory, rows } of action.loads) {
        const table = byDirectory.get(directory);
        if (table !== undefined) add({ phase: action.action, ...entryOfRows(catalog, table), rows });
      }
    }
  }
  return entries;
}

/** `pre-data\tdefinition\ttable\tapp.events`, for rows with their number behind it. */
export function listLine({ phase, rows, ...entry }: ListEntry): string {
  return [phase, entryText(entry), ...(rows === undefined ? [] : [rows.toString()])].join('\t');
}
