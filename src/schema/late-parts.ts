// Lets whatever uses a loop from outside wait until the loop is complete. A placeholder of a routine or a stub of a view serves to create
// what belongs to the loop; an index, a check or a generated column over any of it would run it, and with rows there wrongly.
import { needsOf, type StepGraph, shown, shownNodes } from './step-graph.js';

/** Adds needs; changes neither what is split nor any section. Expects a graph without loops, and leaves none.
 *  @param order gives the nodes in an order in which all needs come first
 *  @returns whether there may be another order now */
export function waitForLateParts(graph: StepGraph, order: () => readonly number[]): boolean {
  const lates: number[] = [];
  graph.earlyOf.forEach((early, node) => {
    if (early !== -1) lates.push(node);
  });
  if (lates.length === 0) return false;
  const state: State = { graph, users: usersOf(graph), positions: positionsOf(order()) };
  for (let again = true; again; ) {
    again = false;
    for (const late of lates) {
      const made = waitFor(state, late);
      again ||= made !== 'none';
      if (made === 'out of order') state.positions = positionsOf(order());
    }
  }
  return true;
}

interface State {
  readonly graph: StepGraph;
  readonly users: Map<number, Set<number>>;
  /** Of nodes in an order that holds; saves most searches, for what comes earlier cannot need what comes later. */
  positions: ReadonlyMap<number, number>;
}

function positionsOf(order: readonly number[]): ReadonlyMap<number, number> {
  return new Map(order.map((node, position) => [node, position]));
}

function usersOf(graph: StepGraph): Map<number, Set<number>> {
  const users = new Map<number, Set<number>>();
  for (const node of shownNodes(graph)) {
    for (const need of needsOf(graph, node)) {
      const list = users.get(need);
      if (list) list.add(node);
      else users.set(need, new Set([node]));
    }
  }
  return users;
}

/** Makes wait for a late part who did not before. */
function waitFor(state: State, late: number): 'none' | 'in order' | 'out of order' {
  const { graph, users, positions } = state;
  const { between, incomplete } = loopOf(state, late);
  const own = users.get(late) ?? new Set();
  users.set(late, own);
  let made: 'none' | 'in order' | 'out of order' = 'none';
  // A set that grows while it is gone through.
  for (const member of incomplete) {
    for (const user of users.get(member) ?? []) {
      if (user === late || between.has(user) || own.has(user)) continue;
      // Before the rows there may be only the stub, and what was made with it goes on being incomplete: a materialized view over it.
      if ((graph.rank[user] ?? 0) < (graph.rank[late] ?? 0)) {
        incomplete.add(user);
        continue;
      }
      graph.needs[user]?.push(late);
      own.add(user);
      if ((positions.get(user) ?? 0) < (positions.get(late) ?? 0)) made = 'out of order';
      else if (made === 'none') made = 'in order';
    }
  }
  return made;
}

/** `incomplete`: the early part and what is between it and the late one. `between`: the latter alone, what the late part needs itself. */
function loopOf({ graph, users, positions }: State, late: number): { between: Set<number>; incomplete: Set<number> } {
  const early = shown(graph, graph.earlyOf[late] ?? -1);
  const place = (node: number): number => positions.get(node) ?? 0;
  const above = spread(early, (node) => [...(users.get(node) ?? [])].filter((user) => place(user) < place(late)));
  if (above.size === 0) return { between: above, incomplete: new Set([early]) };
  const below = spread(late, (node) => needsOf(graph, node).filter((need) => place(need) > place(early)));
  const between = new Set([...above].filter((node) => below.has(node)));
  return { between, incomplete: new Set([early, ...between]) };
}

/** All that can be reached from a node, without it. */
function spread(start: number, next: (node: number) => readonly number[]): Set<number> {
  const found = new Set<number>();
  const open = [start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const other of next(node)) {
      if (found.has(other)) continue;
      found.add(other);
      open.push(other);
    }
  }
  return found;
}
