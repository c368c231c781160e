// The working state of the sorter: steps as numbered nodes, what each needs, which of them are folded into another and which run in
// two parts. loops.ts and sections.ts change it; sort.ts makes it and reads the result out.
import type { Section } from '../model/catalog.js';
import type { Key } from './kind.js';

/** What the sorter must know of a step. */
export interface SortableStep {
  readonly key: Key;
  /** The object's, for messages: `TABLE "public"."t"`. */
  readonly ddl: string;
  readonly section: Section;
  /** Keys of steps; keys that no step has are ignored. Its own key: it must be there in part before it can be made. */
  readonly needs: readonly Key[];
  readonly inlineInto?: Key;
  /** Cost of running it by itself after all, where it has `inlineInto`: 2 a default, 3 a check, 6 a generated column. */
  readonly inlineCost?: number;
  /** By itself, it runs before whatever needs the object it was to be folded into and is no part of the loop. A domain's check must: it
   *  cannot be added once a table has the domain in an array or a composite. A generation expression must: it cannot be set for a parent
   *  alone once it has children. */
  readonly usersWait?: boolean;
  /** `needs` of the early part: keys of steps. */
  readonly split?: { readonly cost: number; readonly early: { readonly needs: readonly Key[] } | null };
  /** A routine: can be created while a type that it names is only a shell. */
  readonly routine?: boolean;
  /** Not the object's definition: an owner, a comment, a privilege, a matter of one column. May run in a later section than it asks for. */
  readonly floats?: boolean;
}

export type Part = 'whole' | 'early' | 'late';

export const sectionRank: Readonly<Record<Section, number>> = { 'pre-data': 0, data: 1, 'post-data': 2 };
export const sections: readonly Section[] = ['pre-data', 'data', 'post-data'];

/** Nodes 0 to steps.length - 1 are the steps; early parts follow. */
export interface StepGraph {
  readonly steps: readonly SortableStep[];
  /** The step that a node runs. */
  readonly stepOf: number[];
  readonly partOf: Part[];
  /** Rank of the section that the node runs in. */
  readonly rank: number[];
  /** A node's own needs, as nodes; follow with `shown`. */
  readonly needs: number[][];
  /** The node that this one is folded into, or -1. */
  readonly foldedInto: number[];
  readonly folded: (Set<number> | undefined)[];
  /** The early part of a split node, or -1. */
  readonly earlyOf: number[];
  /** Nodes that wait for a step with `usersWait`, if it can be had before the rows. */
  readonly waiting: Map<number, number[]>;
  /** Keys of the early part's needs are resolved here. */
  readonly nodeOf: ReadonlyMap<Key, number>;
}

export function createGraph(steps: readonly SortableStep[]): StepGraph {
  const nodeOf = new Map<Key, number>();
  steps.forEach((step, node) => {
    nodeOf.set(step.key, node);
  });
  const graph: StepGraph = {
    steps,
    stepOf: steps.map((_, node) => node),
    partOf: steps.map(() => 'whole'),
    rank: steps.map((step) => sectionRank[step.section]),
    needs: [],
    foldedInto: steps.map(() => -1),
    folded: steps.map(() => undefined),
    earlyOf: steps.map(() => -1),
    waiting: new Map(),
    nodeOf,
  };
  steps.forEach((step, node) => {
    graph.needs.push(toNodes(graph, step.needs));
    const parent = step.inlineInto === undefined ? undefined : nodeOf.get(step.inlineInto);
    if (parent === undefined || parent === node) return;
    graph.foldedInto[node] = parent;
    const siblings = graph.folded[parent];
    if (siblings) siblings.add(node);
    else graph.folded[parent] = new Set([node]);
  });
  return graph;
}

function toNodes({ nodeOf }: StepGraph, keys: readonly Key[]): number[] {
  const nodes: number[] = [];
  for (const key of keys) {
    const node = nodeOf.get(key);
    if (node !== undefined) nodes.push(node);
  }
  return nodes;
}

/** The node that runs what `node` stands for: itself, or what it is folded into. */
export function shown({ foldedInto }: StepGraph, node: number): number {
  let at = node;
  for (let parent = foldedInto[at] ?? -1; parent !== -1; parent = foldedInto[at] ?? -1) at = parent;
  return at;
}

/** The node and all that is folded into it. */
export function foldedTree({ folded }: StepGraph, node: number): number[] {
  const tree = [node];
  for (let at = 0; at < tree.length; at += 1) for (const child of folded[tree[at] ?? -1] ?? []) tree.push(child);
  return tree;
}

/** All that a shown node needs, for itself and for what is folded into it, as shown nodes without itself and without repeats. */
export function needsOf(graph: StepGraph, node: number): number[] {
  const own = graph.needs[node] ?? [];
  if (!graph.folded[node]?.size && own.length <= 8) return fewNeeds(graph, node, own);
  const found = new Set<number>();
  for (const member of foldedTree(graph, node)) for (const need of graph.needs[member] ?? []) found.add(shown(graph, need));
  found.delete(node);
  return [...found];
}

/** The usual case, for which a Set would be the greater part of the work. */
function fewNeeds(graph: StepGraph, node: number, own: readonly number[]): number[] {
  const found: number[] = [];
  for (const need of own) {
    const target = shown(graph, need);
    if (target !== node && !found.includes(target)) found.push(target);
  }
  return found;
}

/** All nodes that run by themselves. */
export function shownNodes({ foldedInto }: StepGraph): number[] {
  const nodes: number[] = [];
  foldedInto.forEach((parent, node) => {
    if (parent === -1) nodes.push(node);
  });
  return nodes;
}

/** Lets a folded step run by itself, after what it was folded into. */
export function unfold(graph: StepGraph, node: number): void {
  const parent = graph.foldedInto[node] ?? -1;
  if (parent === -1) return;
  graph.foldedInto[node] = -1;
  graph.folded[parent]?.delete(node);
  graph.needs[node]?.push(parent);
}

/** Lets all users of a step's former parent that are not in its loop wait for a step with `usersWait`. */
export function letUsersWait(graph: StepGraph, node: number, { parent, loop }: { parent: number; loop: ReadonlySet<number> }): void {
  const users = shownNodes(graph).filter((user) => user !== node && !loop.has(user) && needsOf(graph, user).includes(parent));
  for (const user of users) graph.needs[user]?.push(node);
  graph.waiting.set(node, users);
}

/** Undoes `letUsersWait`. */
export function releaseUsers(graph: StepGraph, node: number): void {
  for (const user of graph.waiting.get(node) ?? []) {
    const needs = graph.needs[user] ?? [];
    const at = needs.lastIndexOf(node);
    if (at !== -1) needs.splice(at, 1);
  }
  graph.waiting.delete(node);
}

/** Makes the early part of a node that has one; the node itself becomes the late part. Who needs which is for the caller to say. */
export function splitNode(graph: StepGraph, node: number, earlyNeeds: readonly Key[]): number {
  const early = graph.stepOf.length;
  graph.stepOf.push(graph.stepOf[node] ?? node);
  graph.partOf.push('early');
  graph.partOf[node] = 'late';
  graph.rank.push(graph.rank[node] ?? 0);
  graph.needs.push(toNodes(graph, earlyNeeds).filter((need) => need !== node));
  graph.foldedInto.push(-1);
  graph.folded.push(undefined);
  graph.earlyOf.push(-1);
  graph.earlyOf[node] = early;
  graph.needs[node]?.push(early);
  return early;
}

/** Lets `user`, with all that is folded into it, need `early` where it needed `late`. Who needs something that is folded into `late`
 *  goes on needing that: the early part has it not. */
export function redirect(graph: StepGraph, user: number, late: number, early: number): void {
  for (const member of foldedTree(graph, user)) {
    const needs = graph.needs[member];
    if (needs) for (const [at, need] of needs.entries()) if (need === late) needs[at] = early;
  }
}

/** For messages: `TABLE "public"."t"`, `VIEW "public"."v" (owner)`. */
export function labelOf(graph: StepGraph, node: number): string {
  const { ddl, key, floats = false } = stepOfNode(graph, node) ?? { ddl: '?', key: '' };
  return floats ? `${ddl} (${key.slice(key.indexOf('/') + 1)})` : ddl;
}

export function stepOfNode(graph: StepGraph, node: number): SortableStep | undefined {
  return graph.steps[graph.stepOf[node] ?? -1];
}
