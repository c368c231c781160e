// What a selection takes, leaves and says about it, on a catalog with every sort of relationship.
import { describe, expect, test } from 'vitest';
import type { Catalog } from '#dist/model/catalog.js';
import type { Omission } from '#dist/selection/omit.js';
import { parseExtensionPattern, parsePattern, parseSchemaPattern } from '#dist/selection/pattern.js';
import { matchTables, selectSteps } from '#dist/selection/select.js';
import { catalogOf, type Given, namesOf } from './catalog-of.js';

const given: readonly Given[] = [
  { kind: 'schema', name: 'app', more: [['grant app', 'privilege']] },
  { kind: 'schema', name: 'lib' },
  { kind: 'extension', name: 'citext', needs: ['lib'] },
  { kind: 'table', name: 'lib.member', parent: 'citext', needs: null, more: [['grant member', 'privilege']] },
  { kind: 'function', name: 'pg_catalog.pg_ls_dir()', needs: null, more: [['grant pg_ls_dir', 'privilege']] },
  { kind: 'enum', name: 'lib.mood', needs: ['lib'], more: [['own mood', 'owner']] },
  { kind: 'domain', name: 'lib.email', needs: ['lib', 'citext'] },
  { kind: 'domain constraint', name: 'lib.email_check', parent: 'lib.email', needs: null },
  { kind: 'function', name: 'lib.touch()', needs: ['lib'] },
  { kind: 'sequence', name: 'app.shared_seq', needs: ['app'] },
  {
    kind: 'sequence',
    name: 'app.users_id_seq',
    parent: 'app.users',
    needs: ['app'],
    more: [['own by users', 'definition', ['app.users']]],
  },
  {
    kind: 'table',
    name: 'app.users',
    needs: ['app', 'lib.email', 'app.users_id_seq'],
    more: [
      ['own users', 'owner'],
      ['comment', 'comment'],
    ],
  },
  { kind: 'index', name: 'app.users_key', parent: 'app.users', needs: ['app.users'] },
  { kind: 'trigger', name: 'app.users_touch', parent: 'app.users', needs: ['app.users', 'lib.touch()'] },
  { kind: 'table', name: 'app.posts', needs: ['app', 'app.shared_seq', 'lib.mood'] },
  { kind: 'foreign key', name: 'app.posts_user', parent: 'app.posts', needs: ['app.posts', 'app.users_key'] },
  { kind: 'view', name: 'app.recent', needs: ['app', 'app.posts'] },
  { kind: 'trigger', name: 'app.recent_insert', parent: 'app.recent', needs: ['app.recent'] },
  { kind: 'materialized view', name: 'app.daily', needs: ['app.recent'] },
  { kind: 'table', name: 'app.events', needs: ['app'] },
  { kind: 'index', name: 'app.events_key', parent: 'app.events', needs: ['app.events'] },
  { kind: 'table', name: 'app.events_1', partitionOf: 'app.events', needs: ['app'], more: [['attach 1', 'definition', ['app.events']]] },
  {
    kind: 'index',
    name: 'app.events_1_key',
    parent: 'app.events_1',
    needs: ['app.events_1'],
    more: [['attach index', 'definition', ['app.events_key']]],
  },
  { kind: 'table', name: 'lib.events_2', partitionOf: 'app.events', needs: ['lib'], more: [['attach 2', 'definition', ['app.events']]] },
  {
    kind: 'table',
    name: 'lib.events_2a',
    partitionOf: 'lib.events_2',
    needs: ['lib'],
    more: [['attach 2a', 'definition', ['lib.events_2']]],
  },
  { kind: 'function', name: 'lib.count_posts()', needs: ['lib'], late: ['app.posts'] },
  { kind: 'table', name: 'app.totals', needs: ['app', 'lib.count_posts()'] },
  { kind: 'default privileges', name: 'role postgres', needs: null, more: [['default privileges', 'privilege']] },
];
const catalog = catalogOf(given);
const all = namesOf(catalog);

interface Asked {
  readonly t?: string[];
  readonly T?: string[];
  readonly n?: string[];
  readonly N?: string[];
  readonly e?: string[];
  readonly E?: string[];
  readonly omissions?: readonly Omission[];
}

function select({ t = [], T = [], n = [], N = [], e = [], E = [], omissions = [] }: Asked, from: Catalog = catalog) {
  const result = selectSteps(from, {
    tables: t.map((text) => parsePattern(text)),
    excludeTables: T.map((text) => parsePattern(text)),
    schemas: n.map((text) => parseSchemaPattern(text)),
    excludeSchemas: N.map((text) => parseSchemaPattern(text)),
    extensions: e.map((text) => parseExtensionPattern(text)),
    excludeExtensions: E.map((text) => parseExtensionPattern(text)),
    omissions: new Set(omissions),
  });
  return {
    names: namesOf(result.catalog),
    statements: result.catalog.steps.flatMap((step) => step.statements),
    leftOut: result.leftOut.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`),
    catalog: result.catalog,
  };
}

function without(...names: string[]): string[] {
  return all.filter((name) => !names.includes(name));
}

describe('selectSteps', () => {
  test('without patterns takes everything', () => {
    const { catalog: selected, leftOut } = select({});
    expect(selected).toEqual(catalog);
    expect(leftOut).toEqual([]);
  });

  test('takes a table with its sub-objects and with what they need', () => {
    const { names, statements, leftOut } = select({ t: ['users'] });
    expect(names).toEqual([
      ...['app', 'lib', 'citext', 'lib.member', 'lib.email', 'lib.email_check', 'lib.touch()'],
      ...['app.users_id_seq', 'app.users', 'app.users_key', 'app.users_touch'],
    ]);
    expect(statements).toContain('grant app');
    expect(statements).toContain('own by users');
    expect(leftOut).toEqual([]);
  });

  test('never takes a table because it is needed', () => {
    const { names, leftOut } = select({ t: ['app.posts'] });
    expect(names).toEqual(['app', 'lib', 'lib.mood', 'app.shared_seq', 'app.posts']);
    expect(leftOut).toEqual(['foreign key app.posts_user: it needs table app.users, which is not selected']);
  });

  test('leaves out what needs something left out, and names it', () => {
    const { names, leftOut } = select({ T: ['posts'] });
    expect(names).toEqual(
      without(...['app.posts', 'app.posts_user', 'app.recent', 'app.recent_insert', 'app.daily', 'lib.count_posts()', 'app.totals']),
    );
    expect(leftOut).toEqual([
      'view app.recent: it needs table app.posts, which is excluded',
      'materialized view app.daily: it needs view app.recent, which is left out itself',
      'function lib.count_posts(): it needs table app.posts, which is excluded',
      'table app.totals: it needs function lib.count_posts(), which is left out itself',
    ]);
  });

  test('takes the partitions of a partitioned table along, to any depth and in any schema', () => {
    const { names, statements, leftOut } = select({ t: ['events'] });
    expect(names).toEqual([
      ...['app', 'lib', 'app.events', 'app.events_key', 'app.events_1', 'app.events_1_key', 'lib.events_2', 'lib.events_2a'],
    ]);
    expect(statements).toEqual(expect.arrayContaining(['attach 1', 'attach index', 'attach 2', 'attach 2a']));
    expect(leftOut).toEqual([]);
  });

  test('takes a partition without its parent as a table of its own', () => {
    const { names, statements, leftOut } = select({ t: ['events_1'] });
    expect(names).toEqual(['app', 'app.events_1', 'app.events_1_key']);
    expect(statements).toEqual(['make app', 'make app.events_1', 'make app.events_1_key', 'grant app']);
    expect(leftOut).toEqual([
      'table app.events_1: attach 1: it needs table app.events, which is not selected',
      'index app.events_1_key: attach index: it needs table app.events, which is not selected',
    ]);
  });

  test('excludes partitions with their parent, but for one that is named itself', () => {
    expect(select({ T: ['events'] }).names).toEqual(
      without('app.events', 'app.events_key', 'app.events_1', 'app.events_1_key', 'lib.events_2', 'lib.events_2a'),
    );
    expect(select({ t: ['*.events_1', 'posts'], T: ['app.events'] }).names).toContain('app.events_1');
    expect(select({ t: ['events'], T: ['events_2'] }).names).toEqual([
      ...['app', 'app.events', 'app.events_key', 'app.events_1', 'app.events_1_key'],
    ]);
  });

  test('takes a schema with all that lies in it, and what that needs from others', () => {
    const { names, leftOut } = select({ n: ['app'] });
    expect(names).toEqual(without('pg_catalog.pg_ls_dir()', 'role postgres'));
    expect(leftOut).toEqual([]);
    const lib = select({ n: ['lib'], N: ['app'] });
    expect(lib.names).toEqual([
      ...['lib', 'citext', 'lib.member', 'lib.mood', 'lib.email', 'lib.email_check', 'lib.touch()', 'lib.events_2', 'lib.events_2a'],
    ]);
    expect(lib.leftOut).toEqual([
      'table lib.events_2: attach 2: it needs table app.events, which is excluded',
      'function lib.count_posts(): it needs table app.posts, which is excluded',
    ]);
  });

  test('excludes a schema, and makes it all the same when an extension needs it', () => {
    const { names, leftOut } = select({ N: ['lib'] });
    expect(names).toEqual(
      without(
        ...['lib.mood', 'lib.email', 'lib.email_check', 'lib.touch()', 'app.users_id_seq', 'app.users', 'app.users_key'],
        ...[
          'app.users_touch',
          'app.posts',
          'app.posts_user',
          'app.recent',
          'app.recent_insert',
          'app.daily',
          'lib.events_2',
          'lib.events_2a',
        ],
        ...['lib.count_posts()', 'app.totals'],
      ),
    );
    expect(leftOut).toContain('table app.users: it needs domain lib.email, which is excluded');
    expect(select({ t: ['users'], N: ['lib'] }).names).toEqual(select({ t: ['users'] }).names);
  });

  test('ignores schemas when tables are named', () => {
    expect(select({ t: ['totals'], n: ['nothing'] }).leftOut).toEqual([
      'table app.totals: it needs function lib.count_posts(), which is left out itself',
    ]);
  });

  test('takes both parts of a definition or neither', () => {
    expect(select({ t: ['totals', 'posts'] }).statements).toEqual(
      expect.arrayContaining(['make lib.count_posts()', 'finish lib.count_posts()']),
    );
    expect(select({ t: ['totals'] }).statements).toEqual([]);
  });

  test('keeps the sequence of a serial column that a pattern excludes, and lets one go alone', () => {
    expect(select({ T: ['*_seq'] }).names).toContain('app.users_id_seq');
    const { catalog: selected, leftOut } = select({ t: ['users_id_seq'] });
    expect(selected.objects).toEqual([
      { id: 0, kind: 'schema', name: 'app', drop: 'schema app' },
      { id: 1, kind: 'sequence', schema: 'app', name: 'users_id_seq', drop: 'SEQUENCE "app"."users_id_seq"' },
    ]);
    expect(leftOut).toEqual(['sequence app.users_id_seq: own by users: it needs table app.users, which is not selected']);
    expect(select({ T: ['users'] }).names).not.toContain('app.users_id_seq');
  });

  test('takes the sequence of an excluded table when another table draws from it', () => {
    const both = catalogOf([
      { kind: 'sequence', name: 'app.a_seq', parent: 'app.a' },
      { kind: 'table', name: 'app.a', needs: ['app.a_seq'] },
      { kind: 'table', name: 'app.b', needs: ['app.a_seq'] },
    ]);
    expect(select({ T: ['a'] }, both).names).toEqual(['app.a_seq', 'app.b']);
    expect(select({ T: ['a', 'a_seq'] }, both).leftOut).toEqual(['table app.b: it needs sequence app.a_seq, which is excluded']);
  });

  test('takes casts along whose types and function are there', () => {
    const castable = catalogOf([
      { kind: 'enum', name: 'lib.mood' },
      { kind: 'enum', name: 'lib.other' },
      { kind: 'function', name: 'lib.cast(mood)', needs: ['lib.mood'] },
      { kind: 'cast', name: '(integer AS text)', more: [['comment', 'comment']] },
      { kind: 'cast', name: '(mood AS text)', needs: ['lib.mood'] },
      { kind: 'cast', name: '(mood AS integer)', needs: ['lib.mood', 'lib.cast(mood)'] },
      { kind: 'cast', name: '(mood AS other)', needs: ['lib.mood', 'lib.other'] },
      { kind: 'table', name: 'app.a', needs: ['lib.mood'] },
      { kind: 'cast', name: '(a AS mood)', needs: ['lib.mood', 'app.a'] },
      { kind: 'table', name: 'app.b', needs: ['lib.mood', 'lib.cast(mood)'] },
    ]);
    expect(select({ t: ['a'] }, castable)).toMatchObject({
      names: ['lib.mood', '(integer AS text)', '(mood AS text)', 'app.a', '(a AS mood)'],
      statements: ['make lib.mood', 'make (integer AS text)', 'make (mood AS text)', 'make app.a', 'make (a AS mood)', 'comment'],
      leftOut: [],
    });
    const casts = ['(integer AS text)', '(mood AS text)', '(mood AS integer)'];
    expect(select({ t: ['b'] }, castable).names).toEqual(['lib.mood', 'lib.cast(mood)', ...casts, 'app.b']);
    expect(select({ T: ['a'] }, castable).leftOut).toEqual(['cast (a AS mood): it needs table app.a, which is excluded']);
  });

  test('leaves the sequence of a table behind that cannot come along itself', () => {
    const needy = catalogOf([
      { kind: 'table', name: 'app.gone' },
      { kind: 'sequence', name: 'app.a_seq', parent: 'app.a' },
      { kind: 'table', name: 'app.a', needs: ['app.a_seq', 'app.gone'] },
      { kind: 'sequence', name: 'app.b_seq', parent: 'app.b' },
      { kind: 'table', name: 'app.b', needs: ['app.b_seq', 'app.gone'] },
      { kind: 'table', name: 'app.c', needs: ['app.b_seq'] },
    ]);
    const { names, leftOut } = select({ T: ['gone'] }, needy);
    expect(names).toEqual(['app.b_seq', 'app.c']);
    expect(leftOut).toEqual(['app.a', 'app.b'].map((name) => `table ${name}: it needs table app.gone, which is excluded`));
    expect(select({ t: ['a', 'a_seq'] }, needy).names).toEqual(['app.a_seq']);
  });

  test('leaves out owners and privileges, and keeps the order that they stood for', () => {
    const chain = catalogOf([
      {
        kind: 'table',
        name: 'app.a',
        more: [
          ['own a', 'owner'],
          ['grant a', 'privilege'],
        ],
      },
      { kind: 'default privileges', name: 'role x', needs: null, more: [['alter default privileges', 'privilege']] },
    ]);
    const last = { id: 4, object: 0, section: 'post-data' as const, facet: 'refresh' as const, statements: ['after'], needs: [1, 2] };
    const longer = { ...chain, steps: [...chain.steps, last] };
    expect(select({ omissions: ['owner'] }, longer).catalog.steps.map((step) => step.needs)).toEqual([[], [0], [], [0, 1]]);
    const bare = select({ omissions: ['owner', 'privileges'] }, longer);
    expect(bare.names).toEqual(['app.a']);
    expect(bare.catalog.steps).toEqual([
      expect.objectContaining({ id: 0, statements: ['make app.a'] }),
      expect.objectContaining({ id: 1, statements: ['after'], needs: [0] }),
    ]);
  });

  test('chooses among extensions, and among nothing else', () => {
    const longer = catalogOf([...given, { kind: 'extension', name: 'hstore', needs: ['lib'] }, { kind: 'extension', name: 'ltree' }]);
    const names = [...namesOf(longer)];
    expect(select({ e: ['hs*'] }, longer).names).toEqual(names.filter((name) => name !== 'ltree'));
    expect(select({ E: ['hstore'] }, longer).names).toEqual(names.filter((name) => name !== 'hstore'));
    expect(select({ t: ['totals'], e: ['ltree'] }, longer).names).toContain('ltree');
    expect(select({ t: ['totals'] }, longer).names).not.toContain('ltree');
  });

  describe('tables and children', () => {
    const family = catalogOf([
      { kind: 'table', name: 'app.parent' },
      { kind: 'table', name: 'app.child', inherits: ['app.parent'], needs: ['app.parent'] },
      { kind: 'table', name: 'app.grandchild', inherits: ['app.child', 'app.parent'], needs: ['app.child', 'app.parent'] },
      { kind: 'table', name: 'app.stranger' },
    ]);
    const children = (text: string) => [parsePattern(text, { children: true })];
    const names = (patterns: Parameters<typeof selectSteps>[1]) => namesOf(selectSteps(family, patterns).catalog);

    test('are chosen and excluded together', () => {
      expect(names({ tables: [parsePattern('parent')] })).toEqual(['app.parent']);
      expect(names({ tables: children('parent') })).toEqual(['app.parent', 'app.child', 'app.grandchild']);
      expect(names({ tables: children('stranger') })).toEqual(['app.stranger']);
      expect(names({ excludeTables: children('child') })).toEqual(['app.parent', 'app.stranger']);
      expect([...matchTables(family, children('child'))]).toEqual([1, 2]);
    });

    test('are still known when the selection is selected from', () => {
      const { catalog: fewer } = selectSteps(family, { excludeTables: [parsePattern('stranger')] });
      expect(namesOf(selectSteps(fewer, { tables: children('parent') }).catalog)).toHaveLength(3);
    });

    test('that go in a circle are no reason to go round', () => {
      const circle = { ...family, objects: family.objects.map((object) => ({ ...object, inherits: [(object.id + 1) % 4] })) };
      expect(() => selectSteps(circle, { excludeTables: children('nothing') })).not.toThrow();
    });
  });

  test('says what cannot be without an excluded extension', () => {
    const { names, leftOut } = select({ E: ['citext'] });
    expect(names).toEqual(expect.not.arrayContaining(['citext', 'lib.email', 'app.users']));
    expect(leftOut).toContain('domain lib.email: it needs extension citext, which is excluded');
  });

  test.each([
    [{ t: ['users', 'usres'] }, 'usres', 'table'],
    [{ t: ['users_key'] }, 'users_key', 'table'],
    [{ t: ['pg_catalog.*'] }, 'pg_catalog.*', 'table'],
    [{ t: ['lib.member'] }, 'lib.member', 'table'],
    [{ n: ['ap'] }, 'ap', 'schema'],
    [{ n: ['pg_catalog'] }, 'pg_catalog', 'schema'],
    [{ e: ['citex'] }, 'citex', 'extension'],
  ])('refuses a pattern that matches nothing: %j', (asked, pattern, what) => {
    expect(() => select(asked)).toThrow(
      expect.objectContaining({ code: 'PATTERN_UNMATCHED', message: expect.stringContaining(pattern), details: { pattern, what } }),
    );
  });

  test('lets an exclusion match nothing', () => {
    expect(select({ T: ['nothing'], N: ['nothing'] }).names).toEqual(all);
  });
});

describe('matchTables', () => {
  const match = (...texts: string[]) =>
    [
      ...matchTables(
        catalog,
        texts.map((text) => parsePattern(text)),
      ),
    ].map((id) => all[id]);

  test('takes the partitions of a partitioned table along', () => {
    expect(match('app.events')).toEqual(['app.events', 'app.events_1', 'lib.events_2', 'lib.events_2a']);
    expect(match('events_2', 'users')).toEqual(['app.users', 'lib.events_2', 'lib.events_2a']);
  });

  test('refuses a pattern that matches nothing', () => {
    expect(() => match('users', 'nothing')).toThrow(expect.objectContaining({ code: 'PATTERN_UNMATCHED' }));
  });
});
