// Puts steps into an order in which everything that a step needs runs before it, section by section, and as near as possible to the
// order in which they were given. Pure: loops are broken by loops.ts, steps that must wait for the rows moved by sections.ts.
import type { Section } from '../model/catalog.js';
import { createHeap } from './heap.js';
import type { Key } from './kind.js';
import { waitForLateParts } from './late-parts.js';
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
  waitForLateParts(graph, () => emissionOrder(graph));
  const order = emissionOrder(graph);
  const positions = new Int32Array(graph.stepOf.length);
  for (const [position, node] of order.entries()) positions[node] = position;
  const sorted = order.map((node): SortedStep => {
    const needs = needsOf(graph, node).map((need) => positions[need] ?? -1);
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
  const ranks = rankNodes(graph, nodes);
  const byRank = new Int32Array(nodes.length);
  for (const node of nodes) byRank[ranks[node] ?? 0] = node;
  const missing = new Int32Array(graph.stepOf.length);
  const users: (number[] | undefined)[] = new Array(graph.stepOf.length);
  const ready = createHeap();
  for (const node of nodes) {
    const needs = needsOf(graph, node);
    missing[node] = needs.length;
    if (needs.length === 0) ready.push(ranks[node] ?? 0);
    for (const need of needs) {
      const list = users[need];
      if (list) list.push(node);
      else users[need] = [node];
    }
  }
  const order: number[] = [];
  for (let rank = ready.pop(); rank !== undefined; rank = ready.pop()) {
    const node = byRank[rank] ?? -1;
    order.push(node);
    for (const user of users[node] ?? []) {
      const left = (missing[user] ?? 0) - 1;
      missing[user] = left;
      if (left === 0) ready.push(ranks[user] ?? 0);
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

/** For each node its place by section, then step, an early part before its late one. */
function rankNodes(graph: StepGraph, nodes: readonly number[]): Int32Array {
  const count = graph.steps.length;
  const wanted = (node: number): number =>
    ((graph.rank[node] ?? 0) * count + (graph.stepOf[node] ?? 0)) * 2 + (graph.partOf[node] === 'early' ? 0 : 1);
  const sorted = [...nodes].sort((a, b) => wanted(a) - wanted(b));
  const ranks = new Int32Array(graph.stepOf.length);
  for (const [rank, node] of sorted.entries()) ranks[node] = rank;
  return ranks;
}
