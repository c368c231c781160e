// The status page for people: one HTML document out of a status, without scripts and without anything from elsewhere. Pure; http.ts serves
// it.
import type { DrillRecord, StoredSnapshot } from '../../model/stored-snapshot.js';
import { formatBytes, formatCount, formatCounted, formatDuration } from '../../model/units.js';
import { formatLsn } from '../../pg/lsn.js';
import { describeNext, formatInstant } from '../schedule/describe-mark.js';
import type { JudgedSnapshot, Status } from '../schedule/status.js';
import { Html, html } from './html.js';
import { style } from './page-style.js';
import { kindOf, mark, renderTimeline, shapes } from './page-timeline.js';

export { pagePolicy } from './page-style.js';

export interface PageOptions {
  readonly now: Date;
  /** Has the browser fetch the page again that often. */
  readonly refreshSeconds?: number;
}

/** Rows of the table; older snapshots are counted. */
const tableRows = 200;

const icon = encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#11698e"/><path d="M4 20q4-5 8 0t8 0 8 0M4 13h24" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>`,
);

export function renderPage(status: Status, { now, refreshSeconds }: PageOptions): string {
  const { prefix, store, at } = status;
  const cards = [renderNewest, renderNext, renderRunning, renderFailures, renderDrill].flatMap((render) => render(status, now) || []);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds !== undefined && html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${status.healthy ? '' : '(!) '}${prefix}: tidemark</title>
<link rel="icon" href="data:image/svg+xml,${new Html(icon)}">
<style>${new Html(style)}</style>
</head>
<body>
${shapes}
<header>
<h1>Snapshots of ${prefix}</h1>
<p class="quiet">in ${store}</p>
${renderState(status)}
</header>
<main>
<div class="cards${cards.length === 4 && ' four'}">${cards}</div>
<section class="card" aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
${status.snapshots.length === 0 ? html`<p>There are no snapshots yet.</p>` : renderTimeline(status)}
</section>
${status.snapshots.length > 0 && renderTable(status.snapshots, now)}
${renderUnknown(status)}
</main>
<footer><p>As of ${instant(at)}. ${
    refreshSeconds === undefined
      ? html`<a href="?refresh=30">Renew every 30 seconds</a>`
      : html`Renewed every ${formatCounted(refreshSeconds, 'second')}; <a href="?">stop</a>`
  }. For programs: <a href="status">status</a>, <a href="metrics">metrics</a>, <a href="healthz">health</a>.</p></footer>
</body>
</html>
`.text;
}

function renderState({ healthy, reason }: Status): Html {
  const sign = healthy ? 'M6 13l4 4 8-9' : 'M12 6v8M12 17.5v.5';
  return html`<div class="state ${healthy ? 'well' : 'ill'}">
<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="10.5" stroke-width="2"/><path d="${sign}"/></svg>
<p><strong>${healthy ? 'Healthy' : 'Not healthy'}</strong><span class="why">${sentence(reason)}</span></p></div>`;
}

function renderNewest({ newest, ageMs }: Status, now: Date): Html {
  if (newest === undefined) return card('Newest good snapshot', html`<p class="lead">None yet</p>`);
  const { id, position, bytes, verification } = newest;
  const lead = position.height === undefined ? id : `Height ${formatCount(position.height)}`;
  return card(
    'Newest good snapshot',
    html`<p class="lead">${lead}</p>
${facts([
  ['Age', formatDuration(ageMs ?? now.getTime() - position.at.getTime())],
  ['Taken', instant(position.at)],
  ['Size', formatBytes(bytes)],
  ['Rows', formatCount(verification.rows)],
  ['Took', verification.durationMs === undefined ? undefined : formatDuration(verification.durationMs)],
  ['Verified', instant(verification.verifiedAt)],
  ['Name', position.height === undefined ? undefined : id],
])}`,
  );
}

function renderNext({ decision, position }: Status, now: Date): Html {
  if (decision === undefined) return card('Next', html`<p>The database has not been looked at yet.</p>`);
  const next = describeNext(decision, { position, now });
  return card(
    'Next',
    html`${decision.due && html`<p class="lead">Due now</p>`}
${
  next.length === 0
    ? html`<p>${sentence(decision.reason)}</p>`
    : html`<p>${decision.due ? 'By the marks' : 'Due'}${next.length > 1 ? ', whichever comes first' : ''}:</p><ul>${next.map((line) => html`<li>${line}</li>`)}</ul>
<p class="quiet">${sentence(decision.reason)}</p>`
}
${
  position !== undefined &&
  facts([
    ['Database', position.height === undefined ? `at ${formatLsn(position.lsn)}` : `at height ${formatCount(position.height)}`],
    ['Looked at', instant(position.at)],
  ])
}`,
  );
}

function renderRunning({ running }: Status, now: Date): Html | false {
  if (running === undefined) return false;
  const { since, reason, rows, rawBytes } = running;
  return card(
    'Being taken',
    html`<p class="lead">${formatCounted(rows, 'row')}</p>
${facts([
  ['Since', html`${instant(since)} (${agoOf(since, now)})`],
  ['Read', formatBytes(rawBytes)],
  ['Why', reason],
])}`,
  );
}

function renderFailures({ failures }: Status, now: Date): Html | false {
  if (failures === undefined) return false;
  const { total, inARow, last } = failures;
  if (last === undefined) return card('Failures', html`<p>None since this process began.</p>`);
  const count = inARow > 0 ? html`<p class="lead bad">${formatCount(inARow)} in a row</p>` : html`<p>Snapshots have succeeded since.</p>`;
  return card(
    'Last failure',
    html`${count}
${facts([
  ['What', last.message],
  ['Code', last.code],
  ['When', html`${instant(last.at)} (${agoOf(last.at, now)})`],
  ['In all', `${formatCount(total)} since this process began`],
])}`,
  );
}

function renderDrill({ snapshots }: Status, now: Date): Html {
  const drilled = snapshots.flatMap(({ snapshot }) => (snapshot.drill === undefined ? [] : [{ snapshot, drill: snapshot.drill }]));
  const [first, ...rest] = drilled;
  if (first === undefined) return card('Restore drill', html`<p>No snapshot here has been restored by a drill.</p>`);
  const { snapshot, drill } = rest.reduce((last, one) => (one.drill.at > last.drill.at ? one : last), first);
  return card(
    'Last restore drill',
    html`<p class="lead${drill.ok ? '' : ' bad'}">${drill.ok ? 'Restored whole' : 'Failed'}</p>
${facts([
  ['What', drill.ok ? undefined : drill.problem],
  ['Snapshot', snapshot.id],
  ['When', html`${instant(drill.at)} (${agoOf(drill.at, now)})`],
  ['Took', formatDuration(drill.durationMs)],
  ['Rows', drill.rows === undefined ? undefined : formatCount(drill.rows)],
])}`,
  );
}

/** Roles are stated: on a phone rows are shown as cards, and some browsers take a table that is not laid out as one for none. */
function renderTable(snapshots: readonly JudgedSnapshot[], now: Date): Html {
  const more = snapshots.length - tableRows;
  const heads = ['Snapshot', 'Height', 'Time', 'Size', 'Rows', 'Why it stays', 'Pin', 'Drill'];
  return html`<section class="card" aria-labelledby="snapshots"><h2 id="snapshots">${formatCounted(snapshots.length, 'snapshot')}</h2>
<table role="table" aria-labelledby="snapshots">
<thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th role="columnheader" scope="col"${['Height', 'Size', 'Rows'].includes(head) && html` class="number"`}>${head}</th>`)}</tr></thead>
<tbody role="rowgroup">
${snapshots.slice(0, tableRows).map((judged) => renderRow(judged, now))}
</tbody></table>
${more > 0 && html`<p class="quiet more">and ${formatCounted(more, 'older snapshot')}</p>`}
</section>`;
}

function renderRow(judged: JudgedSnapshot, now: Date): Html {
  const { snapshot, reasons } = judged;
  const { id, position, bytes, verification, pinned, drill } = snapshot;
  // What the pin says stands in its own column.
  const told = reasons.map((reason) => (pinned !== undefined && reason === `pinned: ${pinned}` ? 'pinned' : reason));
  const why = told.length === 0 ? 'goes at the next prune' : told.join(', ');
  return html`<tr role="row"><th role="rowheader" scope="row">${id}</th>
${cell('Height', position.height === undefined ? undefined : formatCount(position.height), 'number')}
${cell('Time', instant(position.at))}
${cell('Size', formatBytes(bytes), 'number')}
${cell('Rows', rowsOf(snapshot, verification.rows), 'number')}
${cell('Why', html`${mark(kindOf(judged))}${why}`, reasons.length === 0 ? 'going' : '')}
${cell('Pin', pinned === '' ? 'pinned' : pinned)}
${cell('Drill', drill && describeDrill(drill, now))}
</tr>
`;
}

function rowsOf({ good }: StoredSnapshot, rows: bigint): string | undefined {
  return good ? formatCount(rows) : undefined;
}

function describeDrill({ ok, at, problem }: DrillRecord, now: Date): Html {
  const ago = agoOf(at, now);
  return ok ? html`whole, ${ago}` : html`<span class="bad">failed</span>, ${ago}${problem !== undefined && `: ${problem}`}`;
}

function renderUnknown({ unknown }: Status): Html | false {
  if (unknown.length === 0) return false;
  const more = unknown.length - tableRows;
  return html`<section class="card" aria-labelledby="unknown"><h2 id="unknown">Archives that do not count</h2>
<p class="quiet">They are neither counted nor removed.</p>
<ul>${unknown.slice(0, tableRows).map(({ key, bytes, problem }) => html`<li><strong>${key}</strong> (${formatBytes(bytes)}): ${problem}</li>`)}</ul>
${more > 0 && html`<p class="quiet">and ${formatCount(more)} more</p>`}
</section>`;
}

function card(title: string, content: Html): Html {
  return html`<section class="card"><h2>${title}</h2>
${content}
</section>`;
}

function facts(pairs: readonly (readonly [name: string, value: Html | string | undefined])[]): Html {
  const known = pairs.filter(([, value]) => value !== undefined);
  return html`<dl>${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** On a phone, where a row stands as a card, the cell says its column's name. */
function cell(name: string, value: Html | string | undefined, className = ''): Html {
  const content = value !== undefined && html`<span class="only-phone" aria-hidden="true">${name}</span><span>${value}</span>`;
  return html`<td role="cell"${className !== '' && html` class="${className}"`}>${content}</td>`;
}

function instant(at: Date): Html {
  if (Number.isNaN(at.getTime())) return html`${formatInstant(at)}`;
  return html`<time datetime="${at.toISOString()}">${formatInstant(at)}</time>`;
}

/** Clocks differ: what has happened is not told as to come. */
function agoOf(at: Date, now: Date): string {
  return `${formatDuration(Math.max(0, now.getTime() - at.getTime()))} ago`;
}

/** Reasons are told in lower case, to stand behind a colon. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
