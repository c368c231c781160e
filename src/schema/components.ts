// Strongly connected components by Tarjan's algorithm, without recursion: a database may have chains of many thousand views. Knows
// nothing of steps; gives only the components that hold a loop.

export interface ComponentFinder {
  /** Components of more than one node among `nodes`, edges to other nodes ignored. Self edges must not be given. */
  find(nodes: readonly number[], needsOf: (node: number) => readonly number[]): number[][];
}

/** @param capacity nodes are smaller than this */
export function createComponentFinder(capacity: number): ComponentFinder {
  // 0 = not part of this search, -1 = part of it and not visited yet, otherwise the order of the visit.
  const visit = new Int32Array(capacity);
  const low = new Int32Array(capacity);
  const open = new Uint8Array(capacity);

  function find(nodes: readonly number[], needsOf: (node: number) => readonly number[]): number[][] {
    const found: number[][] = [];
    const path: { node: number; needs: readonly number[]; next: number }[] = [];
    const stack: number[] = [];
    let counter = 0;
    for (const node of nodes) visit[node] = -1;

    const enter = (node: number): void => {
      counter += 1;
      visit[node] = counter;
      low[node] = counter;
      open[node] = 1;
      stack.push(node);
      path.push({ node, needs: needsOf(node), next: 0 });
    };
    const lower = (node: number, value: number): void => {
      if (value < (low[node] ?? 0)) low[node] = value;
    };
    const leave = (node: number): void => {
      path.pop();
      const above = path.at(-1);
      if (above) lower(above.node, low[node] ?? 0);
      if (low[node] !== visit[node]) return;
      const component = stack.splice(stack.lastIndexOf(node));
      for (const member of component) open[member] = 0;
      if (component.length > 1) found.push(component);
    };

    for (const start of nodes) {
      if (visit[start] !== -1) continue;
      enter(start);
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const need = top.needs[top.next];
        top.next += 1;
        if (need === undefined) leave(top.node);
        else if (visit[need] === -1) enter(need);
        else if (open[need] === 1) lower(top.node, visit[need] ?? 0);
      }
    }
    for (const node of nodes) visit[node] = 0;
    return found;
  }

  return { find };
}
