// Puts steps into an order in which everything that a step needs runs before it, section by section, and as near as possible to the
// order in which they were given. Pure: loops are broken by loops.ts, steps that must wait for the rows moved by sections.ts.
import type { Section } from '../model/catalog.js';
import { createHeap } from './heap.js';
import type { Key } from './kind.js';
import { breakLoops, loopError } from './loops.js';
import { mendSections } from './sections.js';
import { createGraph, needsOf, type Part, type SortableStep, type StepGraph, sections, shownNodes } from './step-graph.js';

export type { Part, SortableStep } from './step-graph.js';

export interface SortedStep {
  /** Index into the steps that were given. */
  readonly step: number;
  readonly part: Part;
  /** Where it runs; not always where it asked to. */
  readonly section: Section;
  /** Indices into the result, ascending, all smaller than its own. */
  readonly needs: readonly number[];
}

export interface Sorted {
  /** Without the steps that stayed folded into others. */
  readonly steps: readonly SortedStep[];
  /** Keys of steps with `inlineInto` that run by themselves. */
  readonly separated: ReadonlySet<Key>;
}

/** Sorts steps. Given in the order wanted where nothing else decides; the same steps always give the same result.
 *  @throws TidemarkError INTERNAL with the loop of names, where a loop cannot be broken */
export function sortSteps(steps: readonly SortableStep[]): Sorted {
  const graph = createGraph(steps);
  breakLoops(graph);
  while (mendSections(graph, emissionOrder(graph)));
  const order = emissionOrder(graph);
  const positions = new Map(order.map((node, position) => [node, position]));
  const sorted = order.map((node): SortedStep => {
    const needs = needsOf(graph, node).map((need) => positions.get(need) ?? -1);
    return {
      step: graph.stepOf[node] ?? -1,
      part: graph.partOf[node] ?? 'whole',
      section: sections[graph.rank[node] ?? 0] ?? 'post-data',
      needs: needs.sort((a, b) => a - b),
    };
  });
  const separated = steps.filter((step, node) => step.inlineInto !== undefined && graph.foldedInto[node] === -1);
  return { steps: sorted, separated: new Set(separated.map((step) => step.key)) };
}

/** Kahn's algorithm; among what is ready the earliest section first, then the order that was given. */
function emissionOrder(graph: StepGraph): number[] {
  const nodes = shownNodes(graph);
  const count = graph.steps.length;
  const ranks = new Map<number, number>();
  const byRank = new Map<number, number>();
  const missing = new Map<number, number>();
  const users = new Map<number, number[]>();
  const ready = createHeap();
  for (const node of nodes) {
    const late = graph.partOf[node] === 'early' ? 0 : 1;
    const rank = ((graph.rank[node] ?? 0) * count + (graph.stepOf[node] ?? 0)) * 2 + late;
    ranks.set(node, rank);
    byRank.set(rank, node);
    const needs = needsOf(graph, node);
    missing.set(node, needs.length);
    if (needs.length === 0) ready.push(rank);
    for (const need of needs) {
      const list = users.get(need);
      if (list) list.push(node);
      else users.set(need, [node]);
    }
  }
  const order: number[] = [];
  for (let rank = ready.pop(); rank !== undefined; rank = ready.pop()) {
    const node = byRank.get(rank) ?? -1;
    order.push(node);
    for (const user of users.get(node) ?? []) {
      const left = (missing.get(user) ?? 0) - 1;
      missing.set(user, left);
      if (left === 0) ready.push(ranks.get(user) ?? 0);
    }
  }
  if (order.length < nodes.length) {
    const done = new Set(order);
    throw loopError(
      graph,
      nodes.filter((node) => !done.has(node)),
    );
  }
  return order;
}
