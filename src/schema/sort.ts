// Puts steps into an order in which everything that a step needs runs before it, section by section, and as near as possible to the
// order in which they were given. Pure: loops are broken by loops.ts, steps that must wait for the rows moved by sections.ts.
import type { Section } from '../model/catalog.js';
import { createHeap } from './heap.js';
import type { Key } from './kind.js';
import { waitForLateParts } from './late-parts.js';
import { breakLoops, loopError } from './loops.js';
import { mendSections } from './sections.js';
import { createGraph, needsOf, type Part, type SortableStep, type StepGraph, sections } from './step-graph.js';

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
  let order = emissionOrder(graph);
  while (mendSections(graph, order)) order = emissionOrder(graph);
  if (waitForLateParts(graph, () => emissionOrder(graph))) order = emissionOrder(graph);
  const positions = new Int32Array(graph.stepOf.length);
  order.forEach((node, position) => {
    positions[node] = position;
  });
  const sorted = order.map((node): SortedStep => {
    const needs = needsOf(graph, node);
    needs.forEach((need, at) => {
      needs[at] = positions[need] ?? -1;
    });
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
  const nodes = nodesByPlace(graph);
  const places = new Int32Array(graph.stepOf.length);
  nodes.forEach((node, place) => {
    places[node] = place;
  });
  const missing = new Int32Array(graph.stepOf.length);
  const users: (number[] | undefined)[] = new Array(graph.stepOf.length);
  const ready = createHeap();
  for (const node of nodes) {
    const needs = needsOf(graph, node);
    missing[node] = needs.length;
    if (needs.length === 0) ready.push(places[node] ?? 0);
    for (const need of needs) {
      const list = users[need];
      if (list) list.push(node);
      else users[need] = [node];
    }
  }
  const order: number[] = [];
  for (let place = ready.pop(); place !== undefined; place = ready.pop()) {
    const node = nodes[place] ?? -1;
    order.push(node);
    for (const user of users[node] ?? []) {
      const left = (missing[user] ?? 0) - 1;
      missing[user] = left;
      if (left === 0) ready.push(places[user] ?? 0);
    }
  }
  if (order.length < nodes.length) {
    const done = new Set(order);
    throw loopError(
      graph,
      nodes.filter((node) => !done.has(node)).sort((a, b) => a - b),
    );
  }
  return order;
}

/** The shown nodes by section, then step, an early part before its late one. */
function nodesByPlace({ steps, foldedInto, earlyOf, rank }: StepGraph): number[] {
  const nodes: number[] = [];
  for (let section = 0; section < sections.length; section += 1) {
    for (let step = 0; step < steps.length; step += 1) {
      const early = earlyOf[step] ?? -1;
      if (early !== -1 && rank[early] === section) nodes.push(early);
      if (foldedInto[step] === -1 && rank[step] === section) nodes.push(step);
    }
  }
  return nodes;
}
