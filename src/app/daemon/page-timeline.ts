// The timeline on the page: snapshots by time and height, as SVG that scales by percentages, so that text and marks keep their size on a
// phone. Kinds of snapshots differ by shape; colour only helps.
import { formatCount } from '../../model/units.js';
import { formatInstant } from '../schedule/describe-mark.js';
import type { JudgedSnapshot, Status } from '../schedule/status.js';
import { type Html, html } from './html.js';

export type PointKind = 'kept' | 'pinned' | 'goes' | 'unverified';

/** In the order in which marks cover each other: what is rare comes on top. */
const layers: readonly PointKind[] = ['goes', 'kept', 'unverified', 'pinned'];
const kinds: Readonly<Record<PointKind, string>> = {
  kept: 'stays',
  pinned: 'pinned: stays for good',
  goes: 'goes at the next prune',
  unverified: 'not verified: does not count',
};

export function kindOf({ snapshot, reasons }: JudgedSnapshot): PointKind {
  if (!snapshot.good) return 'unverified';
  if (snapshot.pinned !== undefined) return 'pinned';
  return reasons.length > 0 ? 'kept' : 'goes';
}

/** The shapes, once; `mark` uses them. */
export const shapes: Html = html`<svg width="0" height="0" aria-hidden="true" class="defs"><defs>
<circle id="kept" r="6"/><path id="pinned" d="M0-8 8 0 0 8-8 0Z"/><circle id="goes" r="5"/><path id="unverified" d="M-5-5 5 5M-5 5 5-5"/><path id="now" d="M0-7V7M-7 0H7"/>
</defs></svg>`;

export function mark(kind: PointKind | 'now'): Html {
  return html`<svg class="mark" viewBox="-9 -9 18 18" aria-hidden="true"><use href="#${kind}" class="${kind}"/></svg>`;
}

interface Point {
  readonly kind: PointKind;
  /** In percent. */
  readonly x: number;
  readonly y: number;
  readonly title: string;
}

/** More points than this are joined where they would cover each other. */
const manyPoints = 1000;
const gridCells = { x: 250, y: 60 };

export function renderTimeline({ snapshots, position, decision, at }: Status): Html {
  if (snapshots.length === 0) return html``;
  const byHeight = snapshots.every(({ snapshot }) => snapshot.position.height !== undefined);
  const dueHeight = byHeight ? leastHeight(decision?.next.flatMap((next) => (next.by === 'height' ? [next.value] : [])) ?? []) : undefined;
  const times = [...snapshots.map(({ snapshot }) => snapshot.position.at.getTime()), at.getTime()].filter((time) => !Number.isNaN(time));
  const heights = byHeight ? snapshots.flatMap(({ snapshot }) => snapshot.position.height ?? []) : [];
  const here = byHeight ? position?.height : undefined;
  const x = timeScale(times);
  const y = heightScale([...heights, ...(here === undefined ? [] : [here]), ...(dueHeight === undefined ? [] : [dueHeight])]);

  const points = layered(
    snapshots.map((judged): Point => {
      const { id, position: of } = judged.snapshot;
      const height = of.height === undefined ? '' : `, height ${formatCount(of.height)}`;
      const title = `${id}${height}, ${formatInstant(of.at)}: ${judged.reasons.join('; ') || kinds.goes}`;
      return { kind: kindOf(judged), x: x.of(of.at.getTime()), y: byHeight ? y.of(of.height ?? 0n) : 50, title };
    }),
  );
  const nowTitle = here === undefined ? '' : `the database at height ${formatCount(here)}, ${formatInstant(at)}`;
  return html`<figure>
<div class="plot frame">
${byHeight && html`<div class="y quiet" aria-hidden="true">${y.labels.toReversed().map((label) => html`<span>${label}</span>`)}</div>`}
<svg class="area${byHeight ? '' : ' flat'}" role="img" aria-label="${summary(snapshots, byHeight)}">
${byHeight && y.lines.map((line) => html`<line class="grid" x1="0" x2="100%" y1="${line}%" y2="${line}%"/>`)}
${dueHeight !== undefined && html`<line class="due" x1="0" x2="100%" y1="${round(y.of(dueHeight))}%" y2="${round(y.of(dueHeight))}%"><title>next due at height ${formatCount(dueHeight)}</title></line>`}
${points.map((point) => html`<use href="#${point.kind}" class="point ${point.kind}" x="${round(point.x)}%" y="${round(point.y)}%"><title>${point.title}</title></use>\n`)}
${here !== undefined && html`<use href="#now" class="now" x="${round(x.of(at.getTime()))}%" y="${round(y.of(here))}%"><title>${nowTitle}</title></use>`}
</svg>
<div class="x quiet">${x.labels.map((label) => html`<span>${label.split(' ').map((word) => html`<b>${word}</b> `)}</span>`)}</div>
</div>
<ul class="legend quiet">${legend(points, here !== undefined, dueHeight)}</ul>
</figure>`;
}

function legend(points: readonly Point[], here: boolean, dueHeight: bigint | undefined): Html[] {
  const present = (Object.keys(kinds) as PointKind[]).filter((kind) => points.some((point) => point.kind === kind));
  const items = present.map((kind) => html`<li>${mark(kind)}${kinds[kind]}</li>`);
  if (here) items.push(html`<li>${mark('now')}the database now</li>`);
  if (dueHeight !== undefined) {
    items.push(html`<li><svg viewBox="0 0 20 20" aria-hidden="true"><line class="due" x1="0" x2="20" y1="10" y2="10"/></svg>next due</li>`);
  }
  return items;
}

function summary(snapshots: readonly JudgedSnapshot[], byHeight: boolean): string {
  const counts = (Object.keys(kinds) as PointKind[]).flatMap((kind) => {
    const count = snapshots.filter((judged) => kindOf(judged) === kind).length;
    return count === 0 ? [] : [`${formatCount(count)} ${kinds[kind]}`];
  });
  return `Snapshots by time${byHeight ? ' and height' : ''}: ${counts.join(', ')}. The table has each of them.`;
}

interface Scale<T> {
  /** In percent, from the left or from the top. */
  of(value: T): number;
  /** Evenly spaced, lowest first. */
  readonly labels: readonly string[];
  readonly lines: readonly number[];
}

function timeScale(times: readonly number[]): Scale<number> {
  const { low, high } = extent(times);
  // Hours matter as long as the labels would otherwise be the same day.
  const length = high - low > 3 * 86_400_000 ? 10 : 16;
  const label = (time: number): string => new Date(time).toISOString().slice(0, length).replace('T', ' ');
  const labels = high === low ? [label(low)] : [label(low), label((low + high) / 2), label(high)];
  return { of: (time) => (high === low || Number.isNaN(time) ? 50 : ((time - low) / (high - low)) * 100), labels, lines: [] };
}

/** Ends and labels are multiples of a round step. */
function heightScale(heights: readonly bigint[]): Scale<bigint> {
  let low = heights[0] ?? 0n;
  let high = low;
  for (const height of heights) {
    if (height < low) low = height;
    if (height > high) high = height;
  }
  const step = roundStep(high - low);
  // Division rounds towards zero.
  const first = (low / step - (low % step < 0n ? 1n : 0n)) * step;
  const count = Number((high - first + step - 1n) / step) || 1;
  const range = step * BigInt(count);
  const steps = Array.from({ length: count + 1 }, (_, index) => index);
  return {
    of: (height) => 100 - Number(((height - first) * 10_000n) / range) / 100,
    labels: steps.map((index) => formatCount(first + step * BigInt(index))),
    lines: steps.slice(1).map((index) => round(100 - (index / count) * 100)),
  };
}

/** 1, 2 or 5 times a power of ten: about four of them in the range. */
function roundStep(range: bigint): bigint {
  for (let power = 1n; ; power *= 10n) {
    for (const factor of [1n, 2n, 5n]) if (power * factor * 5n > range) return power * factor;
  }
}

function extent(values: readonly number[]): { low: number; high: number } {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return values.length === 0 ? { low: 0, high: 0 } : { low, high: values.reduce((a, b) => Math.max(a, b), low) };
}

function leastHeight(values: readonly bigint[]): bigint | undefined {
  return values.reduce<bigint | undefined>((least, value) => (least === undefined || value < least ? value : least), undefined);
}

function layered(points: readonly Point[]): readonly Point[] {
  return [...joined(points)].sort((a, b) => layers.indexOf(a.kind) - layers.indexOf(b.kind));
}

/** Ten thousand marks in the width of a screen show no more than those that stand apart. */
function joined(points: readonly Point[]): readonly Point[] {
  if (points.length <= manyPoints) return points;
  const cells = new Map<string, Point[]>();
  for (const point of points) {
    const cell = `${point.kind} ${Math.round((point.x / 100) * gridCells.x)} ${Math.round((point.y / 100) * gridCells.y)}`;
    const found = cells.get(cell);
    if (found === undefined) cells.set(cell, [point]);
    else found.push(point);
  }
  return [...cells.values()].flatMap((found) => {
    const [first] = found;
    if (first === undefined) return [];
    return found.length === 1 ? first : { ...first, title: `${found.length} snapshots, the newest: ${first.title}` };
  });
}

function round(percent: number): number {
  return Math.round(percent * 100) / 100;
}
