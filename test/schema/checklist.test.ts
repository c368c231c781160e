// The checklist of what a snapshot must bring back has 219 cases; who holds one says so: `-- 46: types` or `-- 31, 32: ...` above a
// statement of a fixture, `Case 46` or `Cases 31 to 33` in a comment of a fixture or a test. A case that nobody holds fails here.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const last = 219;

/** Cases without a holder in this repository, and why that is right. */
const elsewhere: ReadonlyMap<number, string> = new Map([
  [
    199,
    'a million large objects take minutes to make: 2,500 in several groups stand for them; memory is bounded by the group and by the piece',
  ],
  [212, 'servers before 14 are refused'],
  [213, "PostgreSQL's own regression database is not in the repository, and is tried by hand"],
  [214, 'as 213'],
]);

const list = String.raw`\d+(?:(?:, (?:and )?| and | to )\d+)*`;
const marks = [new RegExp(`^-- (${list}): `, 'gm'), new RegExp(String.raw`\b[Cc]ases? (${list})`, 'g')];

/** `1 to 3, 7 and 9` -> 1, 2, 3, 7, 9 */
function numbers(text: string): readonly number[] {
  return text.split(/, (?:and )?| and /).flatMap((part) => {
    const [from = 0, to = from] = part.split(' to ').map(Number);
    return Array.from({ length: to - from + 1 }, (_, place) => from + place);
  });
}

async function holders(): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>();
  for (const folder of ['fixtures', 'test']) {
    const root = new URL(`../../${folder}/`, import.meta.url);
    const names = await readdir(root, { recursive: true });
    for (const name of names.filter((file) => /\.(sql|ts)$/.test(file))) {
      const text = await readFile(new URL(name, root), 'utf8');
      // The example above is none.
      if (name.endsWith('checklist.test.ts')) continue;
      for (const mark of marks) {
        for (const [, which = ''] of text.matchAll(mark)) {
          for (const number of numbers(which)) found.set(number, [...(found.get(number) ?? []), `${folder}/${name}`]);
        }
      }
    }
  }
  return found;
}

test('ranges and lists are read', () => {
  expect(numbers('7')).toEqual([7]);
  expect(numbers('1 to 3, 7 and 9')).toEqual([1, 2, 3, 7, 9]);
  expect(numbers('1, 2, and 3')).toEqual([1, 2, 3]);
});

test('every case of the checklist has a holder', async () => {
  const found = await holders();
  const cases = Array.from({ length: last }, (_, place) => place + 1);
  expect(cases.filter((number) => !found.has(number) && !elsewhere.has(number))).toEqual([]);
});

test('nothing else is called a case, and no excuse is left over', async () => {
  const found = await holders();
  expect([...found].filter(([number]) => number < 1 || number > last)).toEqual([]);
  expect([...elsewhere.keys()].filter((number) => found.has(number))).toEqual([]);
});
