// Draws points of several series, joined by lines, as an SVG. Pure: numbers in, text out; what they mean is plots.ts's.

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Written beside it. */
  readonly label?: string;
}

export interface Axis {
  readonly title: string;
  /** Distances stand for factors; all values are above 0. */
  readonly logarithmic?: boolean;
  /** Begins near the least value, and not at 0. */
  readonly close?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

const [width, height] = [760, 440];
const area = { left: 64, top: 44, right: width - 24, bottom: height - 92 };
/** Told apart by those, too, who see few colours: Okabe and Ito, https://jfly.uni-koeln.de/color/. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];

export function drawPlot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  const xs = scaleOf(
    points.map((point) => point.x),
    x,
    [area.left, area.right],
  );
  const ys = scaleOf(
    points.map((point) => point.y),
    y,
    [area.bottom, area.top],
  );
  const middle = (area.top + area.bottom) / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text({ x: width / 2, y: 24, anchor: 'middle', size: 16 }, title),
    ...xs.ticks.map(
      (tick) =>
        `${line(xs.at(tick), area.top, xs.at(tick), area.bottom, '#ddd')}${text({ x: xs.at(tick), y: area.bottom + 18, anchor: 'middle' }, shown(tick))}`,
    ),
    ...ys.ticks.map(
      (tick) =>
        `${line(area.left, ys.at(tick), area.right, ys.at(tick), '#ddd')}${text({ x: area.left - 8, y: ys.at(tick) + 4, anchor: 'end' }, shown(tick))}`,
    ),
    text({ x: (area.left + area.right) / 2, y: area.bottom + 38, anchor: 'middle' }, x.title),
    `<g transform="rotate(-90 18 ${middle})">${text({ x: 18, y: middle, anchor: 'middle' }, y.title)}</g>`,
    ...series.map(({ points: own }, index) =>
      drawSeries(
        own.map((point) => ({ ...point, x: xs.at(point.x), y: ys.at(point.y) })),
        colourOf(index),
      ),
    ),
    ...series.map(({ name }, index) => drawKey(name, index)),
    '</svg>',
  ].join('\n')}\n`;
}

function drawSeries(points: readonly Point[], colour: string): string {
  const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ');
  const marks = points.map(({ x, y, label = '' }) => {
    const beside = label === '' ? '' : text({ x: x + 7, y: y - 6, anchor: 'start', size: 11 }, label);
    return `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${colour}"/>${beside}`;
  });
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${marks.join('')}`;
}

/** Names of series below the plot, three in a row. */
function drawKey(name: string, index: number): string {
  const [x, y] = [area.left + (index % 3) * 230, height - 36 + Math.floor(index / 3) * 20];
  return `<circle cx="${x}" cy="${y - 4}" r="4" fill="${colourOf(index)}"/>${text({ x: x + 10, y, anchor: 'start' }, name)}`;
}

interface Scale {
  readonly ticks: readonly number[];
  /** Where a value comes to lie. */
  at(value: number): number;
}

function scaleOf(values: readonly number[], { logarithmic = false, close = false }: Axis, [from, to]: readonly [number, number]): Scale {
  const most = Math.max(...values, logarithmic ? 1 : 0) || 1;
  const least = Math.min(...values, most);
  if (logarithmic) {
    const first = Math.floor(Math.log10(least));
    const last = Math.max(Math.ceil(Math.log10(most)), first + 1);
    const ticks = Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n));
    return { ticks, at: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from) };
  }
  const step = roundStep((close && most > least ? most - least : most) / 6);
  const first = close ? Math.floor(least / step) : 0;
  const last = Math.ceil(most / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
  return { ticks, at: (value) => from + ((value / step - first) / (last - first)) * (to - from) };
}

/** The next of 1, 2, 5, 10, 20, ... */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly size?: number;
}

function text({ x, y, anchor, size = 13 }: Place, content: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}"/>`;
}

function colourOf(index: number): string {
  return colours[index % colours.length] as string;
}

function shown(tick: number): string {
  return String(Number(tick.toPrecision(6)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
