import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowHasher } from '#dist/app/diff/row-hash.js';

interface Told {
  readonly key: string;
  readonly start: string;
}

/** What is told of rows that come in these pieces each. */
function told(rows: readonly (readonly Uint8Array[])[], keep = 5): readonly Told[] {
  const found: Told[] = [];
  const hasher = new RowHasher({ keep, row: ({ key, start }) => found.push({ key: key.join(), start: start.toString('hex') }) });
  for (const pieces of rows) for (const [at, piece] of pieces.entries()) hasher.piece(Buffer.from(piece), at === pieces.length - 1);
  return found;
}

const pieces = fc.array(fc.uint8Array({ maxLength: 4 }), { minLength: 1, maxLength: 5 });

test('in whatever pieces a row comes, its hash and its beginning are those of the whole', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), (rows) => {
      const whole = rows.map((row) => Buffer.concat(row));
      const found = told(rows);
      expect(found).toEqual(told(whole.map((row) => [row])));
      expect(found.map(({ start }) => start)).toEqual(whole.map((row) => row.subarray(0, 5).toString('hex')));
      expect(new Set(found.map(({ key }) => key)).size).toBe(new Set(whole.map((row) => row.toString('hex'))).size);
    }),
  );
});
