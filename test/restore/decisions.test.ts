// The small pure decisions of a restore.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CatalogTable } from '#dist/model/catalog.js';
import { propertyStatements, settingClause } from '#dist/pg/database-properties.js';
import { checkEncoding, versionNotices } from '#dist/restore/check.js';
import { mismatches } from '#dist/restore/columns.js';
import { createDatabaseSql } from '#dist/restore/database.js';
import { referredFirst } from '#dist/restore/foreign-keys.js';
import { swapNames } from '#dist/restore/swap.js';
import { decideWay } from '#dist/restore/way.js';

describe('which way', () => {
  const wish = { database: 'd', schema: true, scope: 'whole' } as const;
  const part = { ...wish, scope: 'part' } as const;
  const empty = { marked: undefined, objects: [] };
  const full = { marked: undefined, objects: ['table public.t'] };
  const marked = { marked: 'whole', objects: ['table public.t'] } as const;
  const partly = { ...marked, marked: 'part' } as const;

  test.each([
    ['an empty one is fresh', wish, empty, 'fresh'],
    ['with --clean or a selection, too: there is nothing to drop', part, empty, 'fresh'],
    ['what an interrupted restore left goes', wish, marked, 'wipe'],
    ['what one of a part of an archive left, too', part, partly, 'wipe'],
    ['and for the next of a whole one', wish, partly, 'wipe'],
    ['--clean and a selection keep to one transaction', part, full, 'existing'],
    ['rows alone need their tables', { ...wish, schema: false }, full, 'existing'],
    ['and look for them in an empty one, too', { ...wish, schema: false }, empty, 'existing'],
  ] as const)('%s', (_what, wish, state, way) => {
    expect(decideWay(wish, state)).toBe(way);
  });

  test('anything else in the target is refused, and named', () => {
    expect(() => decideWay(wish, full)).toThrow(
      expect.objectContaining({ code: 'TARGET_NOT_EMPTY', message: expect.stringContaining('table public.t') }),
    );
  });

  test('for a part of an archive, an incomplete database that somebody may have put to use is not emptied', () => {
    expect(() => decideWay(part, marked)).toThrow(
      expect.objectContaining({ code: 'TARGET_NOT_EMPTY', hint: expect.stringContaining('DROP SCHEMA tidemark_restoring CASCADE') }),
    );
  });

  test('rows do not go into an incomplete database', () => {
    expect(() => decideWay({ ...wish, schema: false }, marked)).toThrow(expect.objectContaining({ code: 'TARGET_NOT_EMPTY' }));
  });
});

describe('settings of a database', () => {
  test.each([
    ['work_mem=64MB', `SET "work_mem" TO '64MB'`],
    ['search_path="$user", public', `SET "search_path" TO '$user', 'public'`],
    ['search_path="a ""b"", c", d', `SET "search_path" TO 'a "b", c', 'd'`],
    ['search_path=""', `SET "search_path" TO ''`],
    ['search_path=', `SET "search_path" TO ''`],
    ["my.setting=it's = this", `SET "my"."setting" TO 'it''s = this'`],
  ])('%s', (stored, clause) => {
    expect(settingClause(stored)).toBe(clause);
  });

  test('any list survives', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 1 }).filter((name) => !name.includes('\0')),
          { minLength: 1 },
        ),
        (names) => {
          const stored = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ');
          expect(settingClause(`search_path=${stored}`)).toBe(
            `SET "search_path" TO ${names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')}`,
          );
        },
      ),
    );
  });

  test('owner, comment, limit, privileges, settings', () => {
    const properties = {
      owner: 'o',
      comment: "it's",
      labels: [{ provider: 'p', label: "l'" }],
      datconnlimit: 5,
      datistemplate: true,
      tablespace: 'pg_default',
      privileges: [
        { grantee: null, privilege: 'CONNECT', grantable: false },
        { grantee: 'r', privilege: 'CREATE', grantable: true },
      ],
      settings: [
        { role: null, config: ['work_mem=1MB'] },
        { role: 'r', config: ['work_mem=2MB'] },
      ],
    };
    expect(propertyStatements('d', properties)).toEqual([
      'ALTER DATABASE "d" OWNER TO "o"',
      `COMMENT ON DATABASE "d" IS 'it''s'`,
      `SECURITY LABEL FOR "p" ON DATABASE "d" IS 'l'''`,
      'ALTER DATABASE "d" WITH CONNECTION LIMIT 5',
      'ALTER DATABASE "d" WITH IS_TEMPLATE true',
      'REVOKE ALL ON DATABASE "d" FROM PUBLIC, "o"',
      'GRANT CONNECT ON DATABASE "d" TO PUBLIC',
      'GRANT CREATE ON DATABASE "d" TO "r" WITH GRANT OPTION',
      `ALTER DATABASE "d" SET "work_mem" TO '1MB'`,
      `ALTER ROLE "r" IN DATABASE "d" SET "work_mem" TO '2MB'`,
    ]);
  });
});

describe('CREATE DATABASE', () => {
  const libc = { encoding: 'UTF8', collate: 'C', ctype: 'en_US.UTF-8', localeProvider: 'libc', locale: null, icuRules: null };

  test('libc; the provider only where the server knows of it', () => {
    expect(createDatabaseSql({ name: 'd', locale: libc }, 140000)).toBe(
      `CREATE DATABASE "d" TEMPLATE "template0" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'en_US.UTF-8'`,
    );
    expect(createDatabaseSql({ name: 'd', locale: libc }, 150000)).toContain(' LOCALE_PROVIDER "libc" ');
  });

  test('ICU and builtin', () => {
    expect(
      createDatabaseSql({ name: 'd', locale: { ...libc, localeProvider: 'icu', locale: 'de', icuRules: '&a < b' } }, 180000),
    ).toContain(`LOCALE_PROVIDER "icu" LC_COLLATE 'C' LC_CTYPE 'en_US.UTF-8' ICU_LOCALE 'de' ICU_RULES '&a < b'`);
    expect(createDatabaseSql({ name: 'd', locale: { ...libc, localeProvider: 'builtin', locale: 'C.UTF-8' } }, 180000)).toContain(
      ` BUILTIN_LOCALE 'C.UTF-8'`,
    );
  });
});

describe('columns', () => {
  const table = (type: string, format: 'text' | 'binary'): CatalogTable => ({
    object: 0,
    directory: 'data/1',
    schema: 's',
    name: 't',
    columns: [{ name: 'a', type }],
    format,
  });

  test.each([
    ['integer', 'binary', 'integer', 0],
    ['integer', 'binary', 'bigint', 1],
    ['integer', 'text', 'bigint', 0],
    ['character varying(10)', 'binary', 'character varying(20)', 0],
    ['numeric(10,2)', 'binary', 'numeric', 0],
    ['timestamp(3) with time zone', 'binary', 'timestamp with time zone', 0],
    ['timestamp(3) with time zone', 'binary', 'timestamp without time zone', 1],
  ] as const)('%s in %s into %s', (type, format, target, problems) => {
    expect(mismatches(table(type, format), [{ name: 'a', type: target }])).toHaveLength(problems);
  });

  test('no such column, no such table', () => {
    expect(mismatches(table('integer', 'text'), [])).toEqual(['s.t has no column a']);
    expect(mismatches(table('integer', 'text'), null)).toEqual(['there is no table s.t']);
  });
});

describe('order by foreign keys', () => {
  const name = (index: number) => ({ schema: 's', name: `t${index}` });
  const edge = ([from, to]: readonly [number, number]) => [JSON.stringify(['s', `t${from}`]), JSON.stringify(['s', `t${to}`])] as const;

  test('referred tables come first, whatever the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.nat(9)).filter(([from, to]) => from >= to)),
        fc.shuffledSubarray([...Array(10).keys()], { minLength: 10 }),
        (edges, order) => {
          const sorted = referredFirst(order.map(name), edges.map(edge)).map((table) => table.name);
          expect(sorted.toSorted()).toEqual(order.map((index) => `t${index}`).toSorted());
          // One that refers to itself is no reason to come before the others.
          for (const [from, to] of edges) if (from !== to) expect(sorted.indexOf(`t${to}`)).toBeLessThan(sorted.indexOf(`t${from}`));
        },
      ),
    );
  });

  test('a circle ends, with every table once', () => {
    expect(
      referredFirst(
        [0, 1, 2].map(name),
        (
          [
            [0, 1],
            [1, 2],
            [2, 0],
            [1, 1],
          ] as const
        ).map(edge),
      ),
    ).toHaveLength(3);
  });
});

describe('versions and encodings', () => {
  const source = { serverVersion: 180001 } as Parameters<typeof versionNotices>[0];

  test('an older server is worth a notice', () => {
    expect(versionNotices(source, 170000)).toHaveLength(1);
    expect(versionNotices(source, 180000)).toHaveLength(0);
  });

  test.each([
    ['UTF8', 'UTF8', 0],
    ['LATIN1', 'UTF8', 0],
    ['SQL_ASCII', 'UTF8', 1],
  ])('%s into %s', (from, to, notices) => {
    expect(checkEncoding(from, to)).toHaveLength(notices);
  });

  test('characters that have no place are refused before', () => {
    expect(() => checkEncoding('UTF8', 'LATIN1')).toThrow(expect.objectContaining({ code: 'TARGET_MISMATCH' }));
  });
});

test('names for a swap stay within the length that the server allows', () => {
  expect(swapNames('d')).toEqual({ database: 'd', staging: 'd__restoring', replaced: 'd__replaced' });
  expect(swapNames('x'.repeat(52)).staging).toHaveLength(63);
  expect(() => swapNames('ü'.repeat(27))).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
