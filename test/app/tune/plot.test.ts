import { expect, test } from 'vitest';
import { plotPoints } from '#dist/app/tune/plot.js';

const axes = { x: { label: 'ratio' }, y: { label: 'MB/s', fromZero: true } };

function texts(svg: string): readonly { readonly x: number; readonly y: number; readonly text: string }[] {
  return [...svg.matchAll(/<text x="([\d.-]+)" y="([\d.-]+)"[^>]*>([^<]*)</g)].map(([, x, y, text = '']) => ({
    x: Number(x),
    y: Number(y),
    text,
  }));
}

function circles(svg: string): readonly (readonly [x: number, y: number])[] {
  return [...svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

test('points lie in the frame, right and up as their values grow; axes have labels and round ticks from 0', () => {
  const points = [
    { x: 2, y: 100, label: 'level 1' },
    { x: 3, y: 80, label: 'level 3', marked: true },
    { x: 4, y: 10, label: 'level 9' },
  ];
  const svg = plotPoints({ title: 'a picture', ...axes, points });
  const [one, three, nine] = circles(svg);
  if (one === undefined || three === undefined || nine === undefined) throw new Error('points are missing');
  expect(one[0]).toBeLessThan(three[0]);
  expect(three[0]).toBeLessThan(nine[0]);
  expect(one[1]).toBeLessThan(three[1]);
  expect(three[1]).toBeLessThan(nine[1]);
  const words = texts(svg).map(({ text }) => text);
  expect(words).toEqual(expect.arrayContaining(['ratio', '0', '20', '100', '2.0', '4.0', 'level 1', 'level 3', 'level 9']));
  expect(svg).toContain('>a picture</text>');
  expect(svg).toContain('>MB/s</text>');
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg.match(/r="7"/g)).toHaveLength(1);
});

test('labels of points that lie together are apart', () => {
  const points = Array.from({ length: 5 }, (_, i) => ({ x: 3 + i / 100, y: 100 + i / 10, label: `level ${i}` }));
  const svg = plotPoints({ title: '', ...axes, points: [...points, { x: 9, y: 1, label: 'far' }] });
  const labels = texts(svg).filter(({ text }) => text.startsWith('level'));
  for (const [i, a] of labels.entries()) {
    for (const b of labels.slice(i + 1))
      expect(Math.abs(a.y - b.y) >= 13 || Math.abs(a.x - b.x) >= 40, `${a.text} and ${b.text}`).toBe(true);
  }
});

test.each([
  [[]],
  [[{ x: 1, y: 0, label: 'one' }]],
  [[{ x: Number.POSITIVE_INFINITY, y: 1, label: 'none' }]],
  [[5, 5].map((x) => ({ x, y: 1, label: '' }))],
])('few points are no reason to fail: %j', (points) => {
  const svg = plotPoints({ title: '', ...axes, points });
  expect(svg).not.toMatch(/NaN|Infinity/);
  expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
});

test('names are text and nothing else', () => {
  const svg = plotPoints({ title: '<script>&"\u0001', ...axes, points: [{ x: 1, y: 1, label: '</text>' }] });
  expect(svg).toContain('&lt;script&gt;&amp;&quot;\ufffd');
  expect(svg).not.toContain('<script');
});
