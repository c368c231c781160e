// Draws points with their labels as an SVG: axes with units, readable on light and on dark ground, with no script and no font of its own.
// What the numbers mean is for the caller. Pure.

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  /** Drawn larger, and filled. */
  readonly marked?: boolean;
}

export interface PlotAxis {
  /** What is measured, with its unit. */
  readonly label: string;
  /** Begins at 0; else a little before the smallest value. */
  readonly fromZero?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly points: readonly PlotPoint[];
}

const width = 820;
const height = 500;
const frame = { left: 70, right: 24, top: 48, bottom: 60 };
/** Of points: seen on light and on dark ground. */
const color = '#0969da';
/** As good as that of a letter of the font, for boxes of labels. */
const letterWidth = 6.4;
const letterHeight = 13;

/** The text of an SVG file. */
export function plotPoints({ title, x, y, points }: Plot): string {
  const drawn = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
  const across = scaleOf(
    drawn.map((point) => point.x),
    { ...x, from: frame.left, to: width - frame.right },
  );
  const up = scaleOf(
    drawn.map((point) => point.y),
    { ...y, from: height - frame.bottom, to: frame.top },
  );
  const bottom = height - frame.bottom;
  const placed = drawn.map((point) => ({ point, at: { x: across.place(point.x), y: up.place(point.y) } }));
  const labels = placeLabels(placed.map(({ point, at }) => ({ ...at, text: point.label })));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">`,
    '<style>',
    'text { font: 12px system-ui, sans-serif; fill: #57606a } .title { font-size: 15px; font-weight: 600 }',
    '.grid { stroke: #8c959f; stroke-opacity: 0.35 } .axis { stroke: #8c959f }',
    '@media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }',
    '</style>',
    `<text class="title" x="${frame.left}" y="24">${escapeXml(title)}</text>`,
    ...across.ticks.flatMap((tick) => [
      `<line class="grid" x1="${round(across.place(tick))}" y1="${frame.top}" x2="${round(across.place(tick))}" y2="${bottom}"/>`,
      `<text x="${round(across.place(tick))}" y="${bottom + 18}" text-anchor="middle">${across.spell(tick)}</text>`,
    ]),
    ...up.ticks.flatMap((tick) => [
      `<line class="grid" x1="${frame.left}" y1="${round(up.place(tick))}" x2="${width - frame.right}" y2="${round(up.place(tick))}"/>`,
      `<text x="${frame.left - 8}" y="${round(up.place(tick) + 4)}" text-anchor="end">${up.spell(tick)}</text>`,
    ]),
    `<path class="axis" fill="none" d="M${frame.left} ${frame.top}V${bottom}H${width - frame.right}"/>`,
    `<text x="${(frame.left + width - frame.right) / 2}" y="${height - 16}" text-anchor="middle">${escapeXml(x.label)}</text>`,
    `<text transform="translate(18 ${(frame.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`,
    ...placed.map(({ point, at }) => {
      const shape = point.marked ? `r="7" fill="${color}"` : `r="4" fill="${color}" fill-opacity="0.45"`;
      return `<circle cx="${round(at.x)}" cy="${round(at.y)}" ${shape} stroke="${color}"><title>${escapeXml(point.label)}</title></circle>`;
    }),
    ...labels.map(({ x: left, y: base, text }) => `<text x="${round(left)}" y="${round(base)}">${escapeXml(text)}</text>`),
    '</svg>',
  ].join('\n')}\n`;
}

interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
  spell(tick: number): string;
}

function scaleOf(
  values: readonly number[],
  { fromZero = false, from, to }: PlotAxis & { readonly from: number; readonly to: number },
): Scale {
  const least = fromZero ? 0 : Math.min(...values, Number.MAX_VALUE);
  const most = Math.max(...values, -Number.MAX_VALUE);
  const empty = values.length === 0;
  // One point alone, or several at one place, lie in the middle.
  const span = empty || most <= least ? Math.abs(most) || 1 : most - least;
  const step = tickStep(span / 5);
  const low = empty ? 0 : fromZero ? 0 : Math.floor((least - span * 0.05) / step) * step;
  const high = empty ? 1 : Math.ceil((most + span * 0.05) / step) * step;
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return {
    ticks,
    place: (value) => from + ((value - low) / (high - low)) * (to - from),
    spell: (tick) => (tick === 0 ? '0' : tick.toFixed(digits)),
  };
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function tickStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Beside their points, where no other label or point is; where there is no such place, to the right. */
function placeLabels(points: readonly Label[]): readonly Label[] {
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  return points.map(({ x, y, text }) => {
    const long = text.length * letterWidth;
    const rows = [0, -14, 14, -28, 28, -42, 42];
    const spots = rows.flatMap((down) => [x + 10, x - 10 - long].map((left) => ({ x: left, y: y + 4 + down })));
    const inside = spots.filter((spot) => spot.x >= frame.left && spot.x + long <= width && spot.y < height - frame.bottom);
    const free = inside.find((spot) => !taken.some((box) => overlap(boxOf(spot, long), box)));
    const spot = free ?? inside[0] ?? { x: x + 10, y: y + 4 };
    taken.push(boxOf(spot, long));
    return { ...spot, text };
  });
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxOf({ x, y }: { readonly x: number; readonly y: number }, long: number): Box {
  return { left: x, right: x + long, top: y - letterHeight + 3, bottom: y + 3 };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(text: string): string {
  // XML has no place at all for the other control characters.
  const plain = text.replace(/(?![\t\n\r\u007f-\u009f])\p{Control}/gu, '\ufffd');
  return plain.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
