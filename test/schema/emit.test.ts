import { expect, test } from 'vitest';
import type { Step } from '#dist/model/catalog.js';
import { emitSection } from '#dist/schema/emit.js';

function step(id: number, object: number, given: Partial<Step> = {}): Step {
  return { id, object, section: 'pre-data', facet: 'definition', statements: [`STATEMENT ${id}`], needs: [], ...given };
}

const steps = [
  step(0, 0, { statements: ['CREATE TABLE "a"()'] }),
  step(1, 0, { statements: ['ALTER TABLE "a" OWNER TO "b"', 'COMMENT ON TABLE "a" IS \'two\nlines; -- and\''] }),
  step(2, 1, { statements: [] }),
  step(3, 2),
  step(4, 3, { section: 'post-data' }),
];

test('one section: settings, then the statements of its steps, a blank line between objects', () => {
  const text = emitSection({ steps }, 'pre-data');
  const [head, ...rest] = text.split('\n\n');
  expect(head).toBe('-- tidemark: the schema before the rows');
  expect(rest.slice(1)).toEqual([
    `CREATE TABLE "a"();\nALTER TABLE "a" OWNER TO "b";\nCOMMENT ON TABLE "a" IS 'two\nlines; -- and';`,
    'STATEMENT 3;\n',
  ]);
  expect(rest[0]).toContain("SELECT pg_catalog.set_config('search_path', '', false);");
  expect(rest[0]).toContain('SET check_function_bodies = off;');
});

test('comments hold no text of the database, whatever it says', () => {
  const text = emitSection({ steps: [step(0, 0, { statements: ['CREATE TABLE "x\n\\! rm -rf /"()'] })] }, 'post-data');
  expect(text).not.toContain('rm -rf');
  const comments = emitSection({ steps }, 'pre-data')
    .split('\n')
    .filter((line) => line.startsWith('--'));
  expect(comments).toEqual(['-- tidemark: the schema before the rows']);
});

test('restrictKey keeps psql from backslash commands', () => {
  const lines = emitSection({ steps }, 'post-data', { restrictKey: 'abc123' }).trimEnd().split('\n');
  expect(lines[2]).toBe('\\restrict abc123');
  expect(lines.at(-1)).toBe('\\unrestrict abc123');
});
