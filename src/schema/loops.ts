// Breaks loops of dependencies: finds one loop at a time and applies the cheapest way out that lies on it (a default by itself, a type
// shell, a view stub, a function placeholder), until none is left. A loop without a way out is an error that names it: an order that
// is wrong is never given. Sections are sections.ts.
import { TidemarkError } from '../model/errors.js';
import { createComponentFinder } from './components.js';
import {
  foldedTree,
  labelOf,
  letUsersWait,
  needsOf,
  redirect,
  type StepGraph,
  shown,
  shownNodes,
  splitNode,
  stepOfNode,
  unfold,
} from './step-graph.js';

/** Costs that mean something to the sorter; see Split in kind.ts. */
export const shellCost = 1;
export const stubCost = 4;

/** Changes the graph until it has no loop.
 *  @throws TidemarkError INTERNAL that prints the loop */
export function breakLoops(graph: StepGraph): void {
  const finder = createComponentFinder(2 * graph.steps.length);
  const needs = (node: number): readonly number[] => needsOf(graph, node);
  splitSelfUsers(graph);
  const components = finder.find(shownNodes(graph), needs);
  for (let component = components.pop(); component; component = components.pop()) {
    const members = new Set(component);
    const loop = findLoop(graph, members);
    const way = cheapestWay(graph, loop);
    if (!way) throw loopError(graph, loop);
    const added = way.apply(members);
    components.push(...finder.find([...component, ...added], needs));
  }
}

/** What uses itself (a routine whose parsed body is recursive) always comes in two parts, where it can. */
function splitSelfUsers(graph: StepGraph): void {
  graph.steps.forEach(({ key, needs, split }, node) => {
    if (split?.early && split.cost !== shellCost && needs.includes(key)) splitNode(graph, node, split.early.needs);
  });
}

/** A short loop through the first member: each needs the next one, the last the first. */
function findLoop(graph: StepGraph, members: ReadonlySet<number>): number[] {
  let start = Number.POSITIVE_INFINITY;
  for (const member of members) start = Math.min(start, member);
  const cameFrom = new Map<number, number>([[start, -1]]);
  const queue = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const node = queue[at] ?? start;
    for (const need of needsOf(graph, node)) {
      if (need === start) {
        const loop: number[] = [];
        for (let step = node; step !== -1; step = cameFrom.get(step) ?? -1) loop.push(step);
        return loop.reverse();
      }
      if (!members.has(need) || cameFrom.has(need)) continue;
      cameFrom.set(need, node);
      queue.push(need);
    }
  }
  throw new TidemarkError('INTERNAL', `order the schema: a loop through ${labelOf(graph, start)} was lost`);
}

interface Way {
  readonly cost: number;
  /** Gives the nodes that came into the component. */
  apply(members: ReadonlySet<number>): readonly number[];
}

function cheapestWay(graph: StepGraph, loop: readonly number[]): Way | undefined {
  let best: Way | undefined;
  for (const [at, node] of loop.entries()) {
    const user = loop.at(at - 1) ?? node;
    const need = loop[(at + 1) % loop.length] ?? node;
    for (const way of [unfolding(graph, node, need), splitting(graph, node, { user, need })]) {
      if (way && (!best || way.cost < best.cost)) best = way;
    }
  }
  return best;
}

/** Where the edge comes only from folded steps, these can run by themselves. */
function unfolding(graph: StepGraph, node: number, need: number): Way | undefined {
  const causes = foldedTree(graph, node).filter((member) => graph.needs[member]?.some((target) => shown(graph, target) === need));
  if (causes.length === 0 || causes.includes(node)) return undefined;
  return {
    cost: Math.max(...causes.map((cause) => stepOfNode(graph, cause)?.inlineCost ?? 3)),
    apply: (members) => {
      for (const cause of causes) {
        unfold(graph, cause);
        if (stepOfNode(graph, cause)?.usersWait) letUsersWait(graph, cause, { parent: node, loop: members });
      }
      return causes;
    },
  };
}

/** The node in two parts: inside the component the early one is enough, outside the late one is meant. */
function splitting(graph: StepGraph, node: number, { user, need }: { user: number; need: number }): Way | undefined {
  const split = stepOfNode(graph, node)?.split;
  if (!split?.early || graph.partOf[node] === 'early') return undefined;
  const earlyNeeds = split.early.needs;
  const onlyRoutines = split.cost === shellCost;
  const canUseEarly = (member: number): boolean => !onlyRoutines || stepOfNode(graph, member)?.routine === true;
  if (!canUseEarly(user) || needsFolded(graph, user, node)) return undefined;
  // The loop would go on through the early part.
  if (earlyNeeds.some((key) => shown(graph, graph.nodeOf.get(key) ?? -1) === need)) return undefined;
  return {
    cost: split.cost,
    apply: (members) => {
      const there = graph.earlyOf[node] ?? -1;
      const early = there === -1 ? splitNode(graph, node, earlyNeeds) : there;
      for (const member of members) if (member !== node && canUseEarly(member)) redirect(graph, member, node, early);
      return there === -1 ? [early] : [];
    },
  };
}

/** True where `user` needs what is folded into `node`. */
function needsFolded(graph: StepGraph, user: number, node: number): boolean {
  return foldedTree(graph, user).some((member) => graph.needs[member]?.some((need) => need !== node && shown(graph, need) === node));
}

export function loopError(graph: StepGraph, loop: readonly number[]): TidemarkError {
  const names = [...loop, ...loop.slice(0, 1)].map((node) => labelOf(graph, node));
  return new TidemarkError('INTERNAL', `order the schema: these need each other and none can come in two parts: ${names.join(' -> ')}`, {
    hint: 'please report it with the definitions of these objects',
    details: { loop: names },
  });
}
