import { describe, expect, test } from 'vitest';
import type { DependRow, MemberRow } from '#dist/schema/depend.js';
import { buildSchema, type Schema, type SchemaInput } from '#dist/schema/graph.js';
import { key, type ObjectDraft, type StepDraft } from '#dist/schema/kind.js';
import { kinds } from '#dist/schema/kinds/index.js';
import { compareObjects, kindPriority } from '#dist/schema/priority.js';

function draft(kind: string, name: string, own: string, given: Partial<ObjectDraft> = {}): ObjectDraft {
  const definition: StepDraft = { key: own, facet: 'definition', section: 'pre-data', statements: () => [`CREATE ${kind} ${name}`] };
  return { key: own, kind, schema: 'public', name, ddl: `${kind.toUpperCase()} "${name}"`, steps: [definition], ...given };
}

function depend(from: string, to: string, { subid = 0, type = 'n' }: { subid?: number; type?: string } = {}): DependRow {
  return { depender: from, objsubid: subid, referenced: to, deptype: type };
}

function member(row: string, extension: number): MemberRow {
  const [classid = '', objid] = row.split(':');
  return { classid, objid: Number(objid), refobjid: extension };
}

function build(objects: readonly ObjectDraft[], more: Partial<SchemaInput> = {}): Schema {
  return buildSchema({ objects, facets: [], depends: [], members: [], unsupported: new Map(), ...more });
}

const statements = ({ steps }: Schema): string[] => steps.flatMap((step) => step.statements);
const table = draft('table', 't', 'pg_class:100', { also: ['pg_type:101', 'pg_type:102'] });

describe('needs', () => {
  test('an edge to a row type or its array is one to the table', () => {
    const schema = build([draft('function', 'a', 'pg_proc:1'), draft('function', 'b', 'pg_proc:2'), table], {
      depends: [depend('pg_proc:1', 'pg_type:102'), depend('pg_type:102', 'pg_type:101', { type: 'i' })],
    });
    expect(statements(schema)).toEqual(['CREATE function b', 'CREATE table t', 'CREATE function a']);
    expect(schema.ids.get('pg_type:102')).toBe(schema.ids.get('pg_class:100'));
  });

  test('a row that nobody claims stands for what it depends on internally, a member for its extension', () => {
    const extension = draft('extension', 'e', 'pg_extension:9');
    const schema = build([draft('collation', 'c', 'pg_collation:1'), extension], {
      depends: [depend('pg_collation:1', 'pg_type:51'), depend('pg_type:51', 'pg_type:50', { type: 'i' })],
      members: [member('pg_type:50', 9)],
    });
    expect(schema.steps[1]?.needs).toEqual([0]);
    // What the members need is the extension's own matter; what it needs itself counts.
    const other = draft('extension', 'd', 'pg_extension:8');
    const chained = build([extension, other], {
      depends: [depend('pg_type:50', 'pg_extension:8'), depend('pg_extension:8', 'pg_extension:9')],
      members: [member('pg_type:50', 9)],
    });
    expect(statements(chained)).toEqual(['CREATE extension e', 'CREATE extension d']);
  });

  test('charge moves an edge to another step, or drops it', () => {
    const sequence = draft('sequence', 's', 'pg_class:200', {
      charge: ({ ref, type, subid }) => {
        expect([ref, type, subid]).toEqual(['pg_class:100', 'a', 0]);
        return 'pg_class:200/owned-by';
      },
      steps: [
        ...draft('sequence', 's', 'pg_class:200').steps,
        { key: 'pg_class:200/owned-by', facet: 'definition', section: 'pre-data', statements: () => ['OWNED BY'] },
      ],
    });
    const depends = [depend('pg_class:200', 'pg_class:100', { type: 'a' }), depend('pg_class:100', 'pg_class:200')];
    expect(statements(build([table, sequence], { depends }))).toEqual(['CREATE sequence s', 'CREATE table t', 'OWNED BY']);
    const dropped = { ...draft('sequence', 's', 'pg_class:200'), charge: () => null };
    expect(statements(build([table, dropped], { depends }))).toEqual(['CREATE sequence s', 'CREATE table t']);
  });

  test('an object without steps is made by its parent, and what it depends on does not count', () => {
    const backing = draft('index', 'i', 'pg_class:300', { steps: [], parent: 'pg_class:100' });
    const view = draft('function', 'f', 'pg_proc:1');
    const schema = build([table, backing, view], {
      depends: [depend('pg_proc:1', 'pg_class:300'), depend('pg_class:300', 'pg_proc:1')],
    });
    expect(statements(schema)).toEqual(['CREATE table t', 'CREATE function f']);
    expect(schema.objects.at(-1)).toEqual({ id: 2, kind: 'index', schema: 'public', name: 'i', parent: schema.ids.get('pg_class:100') });
  });

  test('every further step of an object follows its definition', () => {
    const steps: StepDraft[] = [
      { key: 'pg_class:100/owner', facet: 'owner', section: 'pre-data', statements: () => ['OWNER'], roles: ['someone'] },
      { key: 'pg_class:100/comment', facet: 'comment', section: 'pre-data', statements: () => ['COMMENT'], roles: [] },
    ];
    const schema = build([table], { facets: [{ objects: [], steps: steps.map((step) => ({ object: 'pg_class:100', step })) }] });
    expect(statements(schema)).toEqual(['CREATE table t', 'OWNER', 'COMMENT']);
    expect(schema.steps.map(({ needs }) => needs)).toEqual([[], [0], [0]]);
    expect(schema.steps.map(({ roles }) => roles)).toEqual([undefined, ['someone'], undefined]);
  });

  test('an object that has only facets needs no definition; a member of an extension needs the extension', () => {
    const grant = (object: string): StepDraft => ({
      key: `${object}/privilege`,
      facet: 'privilege',
      section: 'pre-data',
      statements: () => [`GRANT ${object}`],
    });
    const open = draft('function', 'builtin', 'pg_proc:2200', { steps: [grant('pg_proc:2200')] });
    const owned = draft('enum', 'm', 'pg_type:50', { steps: [grant('pg_type:50')] });
    const schema = build([draft('extension', 'e', 'pg_extension:9'), owned, open], { members: [member('pg_type:50', 9)] });
    expect(statements(schema)).toEqual(['CREATE extension e', 'GRANT pg_type:50', 'GRANT pg_proc:2200']);
    expect(schema.steps.map(({ needs }) => needs)).toEqual([[], [0], []]);
  });
});

describe('statements', () => {
  test('a folded step is told to its parent, a separated one runs', () => {
    const own = 'pg_class:100';
    const parts = (needs: readonly string[]): ObjectDraft => ({
      ...table,
      steps: [
        {
          key: own,
          facet: 'definition',
          section: 'pre-data',
          statements: ({ separated }) => [separated(`${own}/default`) ? 'CREATE TABLE t (a)' : 'CREATE TABLE t (a DEFAULT f())'],
        },
        { key: `${own}/default`, facet: 'definition', section: 'pre-data', inlineInto: own, needs, statements: () => ['SET DEFAULT f()'] },
      ],
    });
    const f = draft('function', 'f', 'pg_proc:1');
    expect(statements(build([parts(['pg_proc:1']), f]))).toEqual(['CREATE function f', 'CREATE TABLE t (a DEFAULT f())']);
    expect(statements(build([parts(['pg_proc:1']), f], { depends: [depend('pg_proc:1', own)] }))).toEqual([
      'CREATE TABLE t (a)',
      'CREATE function f',
      'SET DEFAULT f()',
    ]);
  });

  test('a view in two parts runs its stub and its replacement', () => {
    const view = draft('view', 'v', 'pg_class:1');
    const [definition] = view.steps;
    const split = { cost: 4, early: { statements: ['stub'], needs: ['pg_type:101'] }, late: ['replace'] };
    const looped: ObjectDraft = { ...view, steps: definition ? [{ ...definition, split }] : [] };
    const schema = build([looped, draft('function', 'f', 'pg_proc:1'), table], {
      depends: [depend('pg_class:1', 'pg_proc:1'), depend('pg_proc:1', 'pg_class:1')],
    });
    expect(statements(schema)).toEqual(['CREATE table t', 'stub', 'CREATE function f', 'replace']);
    expect(schema.steps.map(({ object }) => object)).toEqual([0, 1, 2, 1]);
    expect(schema.steps.map(({ needs }) => needs)).toEqual([[], [0], [1], [1, 2]]);
  });

  test('two steps of one key are refused', () => {
    const twice = { ...table, steps: [...table.steps, ...table.steps] };
    expect(() => build([twice])).toThrow('TABLE "t" has two steps called pg_class:100');
  });
});

describe('what is left out', () => {
  const unsupported = new Map([[key('pg_opclass', 7), 'operator class "o"']]);

  test('goes with everything that needs it, down the chain, and says why', () => {
    const index = draft('index', 'i', 'pg_class:300', { parent: 'pg_class:100' });
    const view = draft('view', 'v', 'pg_class:400');
    const schema = build([table, index, view], {
      depends: [depend('pg_class:300', 'pg_opclass:7'), depend('pg_class:300', 'pg_class:100'), depend('pg_class:400', 'pg_class:300')],
      unsupported,
    });
    expect(schema.objects.map(({ name }) => name)).toEqual(['t']);
    expect(schema.leftOut).toEqual([
      { kind: 'view', name: '"v"', reason: 'it needs INDEX "i", which is left out' },
      { kind: 'index', name: '"i"', reason: 'it needs operator class "o"' },
    ]);
  });

  test('a table goes on without a folded step, but not without a generated column', () => {
    const make = (cost?: number): ObjectDraft => ({
      ...table,
      steps: [
        { key: table.key, facet: 'definition', section: 'pre-data', statements: ({ separated }) => [String(separated('pg_class:100/x'))] },
        {
          key: 'pg_class:100/x',
          facet: 'definition',
          section: 'pre-data',
          inlineInto: table.key,
          needs: ['pg_opclass:7'],
          statements: () => [],
          ...(cost === undefined ? {} : { split: { cost, early: null } }),
        },
      ],
    });
    const without = build([make()], { unsupported });
    expect(statements(without)).toEqual(['true']);
    expect(without.leftOut).toEqual([{ kind: 'table', name: '"t" (x)', reason: 'it needs operator class "o"' }]);
    expect(build([make(6)], { unsupported }).objects).toEqual([]);
  });
});

describe('order of kinds', () => {
  test('every kind that is registered has a place', () => {
    for (const { name } of kinds) expect(kindPriority(name)).toBeGreaterThanOrEqual(0);
    expect(() => kindPriority('no such kind')).toThrow('it has no place in priority.ts');
  });

  test('is by kind, schema, name and table, not by OID', () => {
    const objects = [
      draft('trigger', 'x', 'pg_trigger:1', { ddl: 'TRIGGER "x" ON "b"' }),
      draft('trigger', 'x', 'pg_trigger:2', { ddl: 'TRIGGER "x" ON "a"' }),
      draft('table', 'b', 'pg_class:1'),
      draft('table', 'a', 'pg_class:2'),
      draft('table', 'z', 'pg_class:3', { schema: 'a' }),
    ];
    expect(objects.sort(compareObjects).map(({ key }) => key)).toEqual([
      'pg_class:3',
      'pg_class:2',
      'pg_class:1',
      'pg_trigger:2',
      'pg_trigger:1',
    ]);
  });
});
