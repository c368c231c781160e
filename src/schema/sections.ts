// Mends what would have to run before the rows and yet needs something that comes after them: a view whose GROUP BY relies on a primary
// key, a function with such an SQL body. Such a step moves after the rows; a view leaves a stub behind, because tables and functions
// may use its row type. A routine leaves nothing behind: a placeholder would be executed while rows are loaded (by a check, by a
// generated column) and give wrong results. Expects a graph without loops.
import { TidemarkError } from '../model/errors.js';
import { stubCost } from './loops.js';
import {
  foldedTree,
  labelOf,
  redirect,
  releaseUsers,
  type StepGraph,
  sections,
  shown,
  splitNode,
  stepOfNode,
  unfold,
} from './step-graph.js';

/** One pass; gives true where something moved: it has to be done again, with a new order, for others had been judged by that.
 *  @param order nodes in an order in which all needs come first
 *  @throws TidemarkError INTERNAL that prints the chain of needs */
export function mendSections(graph: StepGraph, order: readonly number[]): boolean {
  if (order.every((node) => isRight(graph, node))) return false;
  const users = usersOf(graph);
  for (const node of order) {
    const needed = neededRank(graph, node);
    if (needed > rankOf(graph, node)) postpone(graph, node, { needed, users });
    for (const member of foldedTree(graph, node).slice(1)) {
      if (neededRank(graph, member) <= rankOf(graph, node)) continue;
      unfold(graph, member);
      graph.rank[member] = Math.max(rankOf(graph, member), neededRank(graph, member));
    }
  }
  return true;
}

/** Neither the node nor what is folded into it needs anything that comes later. */
function isRight(graph: StepGraph, node: number): boolean {
  const rank = rankOf(graph, node);
  if (!graph.folded[node]?.size) return neededRank(graph, node) <= rank;
  return foldedTree(graph, node).every((member) => neededRank(graph, member) <= rank);
}

function postpone(graph: StepGraph, node: number, { needed, users }: { needed: number; users: readonly (readonly number[])[] }): void {
  const step = stepOfNode(graph, node);
  const cost = step?.split?.cost ?? 0;
  const before = rankOf(graph, node);
  const movable = cost > stubCost || step?.floats || step?.inlineInto !== undefined || graph.partOf[node] === 'late';
  const stub = cost === stubCost && graph.partOf[node] !== 'early' ? step?.split?.early : null;
  if (!stub && !movable) throw sectionError(graph, node);
  graph.rank[node] = needed;
  releaseUsers(graph, node);
  let early = graph.earlyOf[node] ?? -1;
  if (!stub) {
    if (early !== -1) graph.rank[early] = needed;
    return;
  }
  if (early === -1) {
    early = splitNode(graph, node, stub.needs);
    graph.rank[early] = before;
  }
  for (const user of users[node] ?? []) if (user !== node && rankOf(graph, user) <= before) redirect(graph, user, node, early);
}

function rankOf(graph: StepGraph, node: number): number {
  return graph.rank[node] ?? 0;
}

/** The latest section among the node's own needs. */
function neededRank(graph: StepGraph, node: number): number {
  let rank = 0;
  for (const need of graph.needs[node] ?? []) rank = Math.max(rank, rankOf(graph, shown(graph, need)));
  return rank;
}

/** For each node those that need it themselves (folded ones by what they are folded into). */
function usersOf(graph: StepGraph): number[][] {
  const users: number[][] = graph.needs.map(() => []);
  graph.needs.forEach((needs, node) => {
    const user = shown(graph, node);
    for (const need of needs) users[shown(graph, need)]?.push(user);
  });
  return users;
}

function sectionError(graph: StepGraph, node: number): TidemarkError {
  const chain = [node];
  for (let at = node; chain.length < 50; ) {
    const next = graph.needs[at]?.map((need) => shown(graph, need)).find((need) => rankOf(graph, need) > rankOf(graph, node));
    if (next === undefined || chain.includes(next)) break;
    chain.push(next);
    at = next;
  }
  const names = chain.map((member) => labelOf(graph, member));
  const section = sections[rankOf(graph, node)];
  return new TidemarkError(
    'INTERNAL',
    `order the schema: ${names[0]} belongs to ${section} and needs what comes later: ${names.join(' -> ')}`,
    {
      hint: 'please report it with the definitions of these objects',
      details: { chain: names },
    },
  );
}
