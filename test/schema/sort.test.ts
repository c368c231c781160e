import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SortableStep, type Sorted, sortSteps } from '#dist/schema/sort.js';

type Given = Partial<Omit<SortableStep, 'key'>>;

function step(key: string, given: Given = {}): SortableStep {
  return { key, ddl: key, section: 'pre-data', needs: [], ...given };
}

/** `key`, `key'` for an early part, in order; `|` between sections. */
function shown(steps: readonly SortableStep[], sorted: Sorted = sortSteps(steps)): string {
  const words: string[] = [];
  let section = 'pre-data';
  for (const { step: index, part, section: its } of sorted.steps) {
    if (its !== section) words.push('|');
    section = its;
    words.push(`${steps[index]?.key}${part === 'early' ? "'" : ''}`);
  }
  return words.join(' ');
}

describe('order', () => {
  test('is the order given where nothing needs anything', () => {
    expect(shown([step('a'), step('b'), step('c')])).toBe('a b c');
  });

  test('puts needs first and otherwise keeps as near to the given order as it can', () => {
    expect(shown([step('a', { needs: ['d'] }), step('b'), step('c'), step('d')])).toBe('b c d a');
  });

  test('follows sections before anything else', () => {
    const steps = [
      step('index', { section: 'post-data' }),
      step('value', { section: 'data' }),
      step('table'),
      step('key', { section: 'post-data', needs: ['table'] }),
    ];
    expect(shown(steps)).toBe('table | value | index key');
  });

  test('gives direct needs as ascending positions', () => {
    const steps = [step('c', { needs: ['b', 'a', 'nobody'] }), step('a'), step('b', { needs: ['a'] })];
    expect(sortSteps(steps).steps.map(({ needs }) => needs)).toEqual([[], [0], [0, 1]]);
  });

  test('folds inlineable steps and lets their needs and users mean the parent', () => {
    const steps = [
      step('table'),
      step('default', { inlineInto: 'table', needs: ['sequence'] }),
      step('sequence'),
      step('comment', { needs: ['default'] }),
    ];
    expect(shown(steps)).toBe('sequence table comment');
    expect(sortSteps(steps).separated.size).toBe(0);
  });

  test('a chain of 50,000 does not exhaust the stack', () => {
    const steps = Array.from({ length: 50_000 }, (_, at) => step(`s${at}`, { needs: [`s${at + 1}`] }));
    const sorted = sortSteps(steps);
    expect(sorted.steps[0]?.step).toBe(49_999);
    expect(sorted.steps.at(-1)?.step).toBe(0);
  });
});

describe('loops', () => {
  test('table and function: the default runs by itself', () => {
    const steps = [
      step('function', { needs: ['table'], split: { cost: 5, early: { needs: ['table'] } } }),
      step('table'),
      step('default', { inlineInto: 'table', inlineCost: 2, needs: ['function'] }),
    ];
    expect(shown(steps)).toBe('table function default');
    expect([...sortSteps(steps).separated]).toEqual(['default']);
  });

  test('a default is taken out before a check, a check before a view gets a stub', () => {
    const both = [
      step('table'),
      step('check', { inlineInto: 'table', inlineCost: 3, needs: ['f'] }),
      step('default', { inlineInto: 'table', inlineCost: 2, needs: ['g'] }),
      step('f', { needs: ['g'] }),
      step('g', { needs: ['table'] }),
    ];
    expect([...sortSteps(both).separated].sort()).toEqual(['check', 'default']);
    const check = [
      step('table'),
      step('check', { inlineInto: 'table', needs: ['view'] }),
      step('view', { needs: ['table'], split: { cost: 4, early: { needs: [] } } }),
    ];
    expect(shown(check)).toBe('table view check');
  });

  test('all folded steps that make the same edge are taken out', () => {
    const steps = [
      step('function', { needs: ['table'] }),
      step('table'),
      step('check 1', { inlineInto: 'table', needs: ['function'] }),
      step('check 2', { inlineInto: 'table', needs: ['function'] }),
      step('check 3', { inlineInto: 'table' }),
    ];
    expect([...sortSteps(steps).separated]).toEqual(['check 1', 'check 2']);
  });

  test('taking a folded step out does not help where the table itself makes the edge', () => {
    const steps = [
      step('function', { needs: ['table'] }),
      step('table', { needs: ['function'] }),
      step('default', { inlineInto: 'table', needs: ['function'] }),
    ];
    expect(() => sortSteps(steps)).toThrow('function -> table -> function');
  });

  test('two views: the first gets a stub, which is enough inside the loop; outside the whole is meant', () => {
    const early = { needs: ['type'] };
    const steps = [
      step('type'),
      step('v', { needs: ['type', 'w'], split: { cost: 4, early } }),
      step('w', { needs: ['v'], split: { cost: 4, early } }),
      step('x', { needs: ['v'] }),
    ];
    expect(shown(steps)).toBe("type v' w v x");
  });

  test('routines that call each other: a placeholder', () => {
    const split = { cost: 5, early: { needs: [] } };
    const steps = [step('f', { needs: ['g'], split }), step('g', { needs: ['f'], split })];
    expect(shown(steps)).toBe("f' g f");
  });

  test('a routine that calls itself: a placeholder', () => {
    const split = { cost: 5, early: { needs: [] } };
    expect(shown([step('f', { needs: ['f'], split })])).toBe("f' f");
    const steps = [step('f', { needs: ['f', 'g'], split }), step('g', { needs: ['f'] })];
    expect(shown(steps)).toBe("f' g f");
  });

  test('a type and its functions: the shell serves routines only', () => {
    const split = { cost: 1, early: { needs: [] } };
    const steps = [
      step('type', { needs: ['input', 'output'], split }),
      step('input', { needs: ['type'], routine: true }),
      step('output', { needs: ['type'], routine: true }),
      step('table', { needs: ['type'] }),
    ];
    expect(shown(steps)).toBe("type' input output type table");
    const impossible = [step('type', { needs: ['table'], split }), step('table', { needs: ['type'] })];
    expect(() => sortSteps(impossible)).toThrow('type -> table -> type');
  });

  test('a step with usersWait runs before the users of the object that are not in the loop', () => {
    const steps = [
      step('a table', { needs: ['domain'] }),
      step('domain'),
      step('check', { inlineInto: 'domain', needs: ['function'], usersWait: true }),
      step('function', { needs: ['domain'] }),
    ];
    expect(shown(steps)).toBe('domain function check a table');
    const late = steps.map((given) => (given.key === 'function' ? { ...given, needs: ['domain', 'key'], floats: true } : given));
    late.push(step('key', { section: 'post-data', needs: ['a table'] }));
    expect(shown(late)).toBe('domain a table | key function check');
  });

  test('a split that would leave the loop as it is is not chosen', () => {
    const steps = [
      step('function', { needs: ['table'], split: { cost: 1, early: { needs: ['table'] } }, routine: true }),
      step('table'),
      step('check', { inlineInto: 'table', inlineCost: 3, needs: ['function'] }),
    ];
    expect(shown(steps)).toBe('table function check');
  });

  test('users of any part of the loop wait until it is complete', () => {
    const split = { cost: 5, early: { needs: [] } };
    const steps = [
      step('an index', { needs: ['odd'] }),
      step('even', { needs: ['odd'], split }),
      step('odd', { needs: ['between'] }),
      step('between', { needs: ['even'] }),
      step('other index', { needs: ['an index'] }),
    ];
    expect(shown(steps)).toBe("even' between odd even an index other index");
  });

  test('without a way out the error names the loop', () => {
    const steps = [step('a', { needs: ['b'] }), step('b', { needs: ['c'] }), step('c', { needs: ['a'] }), step('d', { needs: ['a'] })];
    expect(() => sortSteps(steps)).toThrow(/a -> b -> c -> a$/);
  });

  test('what is done to an object beside its definition is named by what it is', () => {
    const steps = [
      step('k:1', { ddl: 'VIEW v', needs: ['k:1/owner'] }),
      step('k:1/owner', { ddl: 'VIEW v', needs: ['k:1'], floats: true }),
    ];
    expect(() => sortSteps(steps)).toThrow(/VIEW v -> VIEW v \(owner\) -> VIEW v$/);
  });
});

describe('what needs something that comes after the rows', () => {
  const key = step('key', { section: 'post-data', needs: ['table'] });
  const stub = { cost: 4, early: { needs: ['type'] } };

  test('a view leaves a stub behind, which is enough for what comes before the rows', () => {
    const steps = [
      step('type'),
      step('table'),
      step('view', { needs: ['table', 'key'], split: stub }),
      step('view/owner', { needs: ['view'], floats: true }),
      step('view 2', { needs: ['view'], split: stub }),
      step('table of view', { needs: ['view'] }),
      key,
      step('rule', { section: 'post-data', needs: ['view'] }),
    ];
    const sorted = sortSteps(steps);
    expect(shown(steps, sorted)).toBe("type table view' view/owner view 2 table of view | key view rule");
    expect(sorted.steps.at(-1)?.needs).toContain(sorted.steps.length - 2);
  });

  test('a routine or materialized view moves as a whole, with what hangs on it', () => {
    const steps = [
      step('table'),
      step('check', { inlineInto: 'table', needs: ['function'] }),
      step('function', { needs: ['key'], split: { cost: 5, early: { needs: [] } } }),
      step('function/owner', { needs: ['function'], floats: true }),
      step('materialized', { needs: ['function'], split: { cost: 7, early: null } }),
      key,
    ];
    expect(shown(steps)).toBe('table | key function check function/owner materialized');
  });

  test('both parts of a routine move, so that no placeholder is called while rows are loaded', () => {
    const split = { cost: 5, early: { needs: [] } };
    const steps = [step('f', { needs: ['g', 'key'], split }), step('g', { needs: ['f'], split }), step('table'), key];
    expect(shown(steps)).toBe("table | f' g key f");
  });

  test('what is run with rows there waits for the routine itself, not for its placeholder', () => {
    const steps = [
      step('table'),
      step('generated', { inlineInto: 'table', inlineCost: 6, needs: ['f'] }),
      step('f', { needs: ['table', 'key'], split: { cost: 5, early: { needs: [] } } }),
      key,
    ];
    const sorted = sortSteps(steps);
    expect(shown(steps, sorted)).toBe("table | f' key f generated");
    expect(sorted.steps.at(-1)?.needs).toContain(3);
  });

  test('what uses something over a stub waits for the view itself', () => {
    const steps = [
      step('a refresh', { section: 'post-data', needs: ['materialized'] }),
      step('table'),
      step('view', { needs: ['key'], split: stub }),
      step('over', { needs: ['view'] }),
      step('materialized', { needs: ['over'] }),
      key,
    ];
    expect(shown(steps)).toBe("table view' over materialized | key view a refresh");
  });

  test('a table cannot: the error names the chain', () => {
    const steps = [
      step('table'),
      key,
      step('other', { needs: ['function'] }),
      step('function', { needs: ['key'], split: { cost: 7, early: null } }),
    ];
    expect(() => sortSteps(steps)).toThrow(/other -> function -> key|other belongs to pre-data/);
  });
});

describe('any graph', () => {
  const section = fc.constantFrom('pre-data' as const, 'data' as const, 'post-data' as const);
  const size = 12;
  const arbitrarySteps = fc
    .array(
      fc.record({
        section,
        needs: fc.array(fc.nat(size - 1), { maxLength: 3 }),
        inline: fc.option(fc.nat(size - 1), { freq: 3 }),
        split: fc.constantFrom(undefined, 1, 4, 5, 6, 7),
        earlyNeeds: fc.array(fc.nat(size - 1), { maxLength: 1 }),
        routine: fc.boolean(),
        floats: fc.boolean(),
      }),
      { minLength: 1, maxLength: size },
    )
    .map((drafts) =>
      drafts.map(({ section, needs, inline, split, earlyNeeds, routine, floats }, at): SortableStep => {
        // Folded only into what comes before, so that nothing is folded into itself.
        const parent =
          inline !== null && inline < at && split === undefined ? { inlineInto: `s${inline}`, section: 'pre-data' as const } : {};
        const early = split === 7 ? null : { needs: earlyNeeds.map((need) => `s${need}`).filter((need) => need !== `s${at}`) };
        return step(`s${at}`, {
          section,
          needs: needs.map((need) => `s${need}`),
          routine,
          floats,
          ...(split === undefined ? {} : { split: { cost: split, early } }),
          ...parent,
        });
      }),
    );

  function attempt(steps: readonly SortableStep[]): Sorted | undefined {
    try {
      return sortSteps(steps);
    } catch (error) {
      expect(String(error)).toMatch(/order the schema/);
      return undefined;
    }
  }

  test('every step runs once, after its needs, in ascending sections; or the loop is named', () => {
    let solved = 0;
    fc.assert(
      fc.property(arbitrarySteps, (steps) => {
        const sorted = attempt(steps);
        if (!sorted) return;
        solved += 1;
        const index = new Map(steps.map(({ key }, at) => [key, at]));
        const early = new Map<number, number>();
        const main = new Map<number, number>();
        for (const [position, { step: at, part }] of sorted.steps.entries()) {
          const map = part === 'early' ? early : main;
          expect(map.has(at)).toBe(false);
          map.set(at, position);
        }
        const parentOf = (at: number): number => {
          const parent = steps[at]?.inlineInto;
          return parent === undefined || sorted.separated.has(steps[at]?.key ?? '') ? at : parentOf(index.get(parent) ?? -1);
        };
        for (const [at, { needs, inlineInto }] of steps.entries()) {
          const position = main.get(parentOf(at)) ?? -1;
          expect(position).toBeGreaterThanOrEqual(0);
          expect(main.has(at)).toBe(parentOf(at) === at);
          for (const need of [...needs, ...(inlineInto === undefined ? [] : [inlineInto])]) {
            const target = index.get(need);
            if (target === undefined || parentOf(target) === parentOf(at)) continue;
            const there = parentOf(target);
            expect(Math.min(main.get(there) ?? -1, early.get(there) ?? Number.POSITIVE_INFINITY)).toBeLessThan(position);
          }
        }
        for (const [at, position] of early) expect(position).toBeLessThan(main.get(at) ?? -1);
        const ranks = sorted.steps.map(({ section }) => ['pre-data', 'data', 'post-data'].indexOf(section));
        expect(ranks).toEqual([...ranks].sort());
        for (const [position, { needs }] of sorted.steps.entries()) for (const need of needs) expect(need).toBeLessThan(position);
      }),
      { numRuns: 3000 },
    );
    expect(solved).toBeGreaterThan(500);
  });

  test('without loops nothing is split or taken out, and sorting the result again changes nothing', () => {
    fc.assert(
      fc.property(arbitrarySteps, (steps) => {
        const forward = steps.map((given, at) => ({
          ...given,
          section: 'pre-data' as const,
          needs: given.needs.filter((need) => Number(need.slice(1)) < at && !steps[Number(need.slice(1))]?.inlineInto),
        }));
        // A folded step makes its parent need what it needs: keep only needs from before the parent.
        const safe = forward.map((given) => {
          const parent = given.inlineInto === undefined ? Number.POSITIVE_INFINITY : Number(given.inlineInto.slice(1));
          const folded = forward[parent]?.inlineInto !== undefined;
          return { ...given, needs: folded ? [] : given.needs.filter((need) => Number(need.slice(1)) < parent) };
        });
        const sorted = sortSteps(safe);
        expect(sorted.separated.size).toBe(0);
        expect(sorted.steps.every(({ part }) => part === 'whole')).toBe(true);
        const order = sorted.steps.map(({ step: at }) => at);
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }),
    );
  });
});
