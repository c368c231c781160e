// The page's style sheet, and the policy that lets a browser apply this one and load nothing else.
import { createHash } from 'node:crypto';

export const style = `
:root { color-scheme: light dark;
  --page: #f6f8fa; --card: #fff; --line: #d5dce4; --text: #17202b; --quiet: #55616f;
  --good: #11698e; --pin: #8a4b08; --goes: #6b7785; --bad: #b3261e; --well: #1a6b3c;
  --well-back: #e6f4ea; --bad-back: #fdeceb; --run: #11698e; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0f151c; --card: #18212b; --line: #31404f; --text: #e6edf3; --quiet: #a0aebb;
  --good: #5fb8e0; --pin: #f0b35e; --goes: #93a1ae; --bad: #ff8b82; --well: #6fd39a;
  --well-back: #12301f; --bad-back: #3b1614; --run: #5fb8e0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, 'Segoe UI', Roboto, 'Open Sans', sans-serif;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
p { margin: 0; }
a { color: var(--good); }
.quiet, footer, figcaption { color: var(--quiet); font-size: .875rem; }
.state { display: flex; gap: .9rem; align-items: flex-start; margin: 1rem 0; padding: .9rem 1.1rem; border-radius: .6rem;
  border: 1px solid; border-left-width: .4rem; }
.state svg { flex: none; width: 1.9rem; height: 1.9rem; margin-top: .1rem; }
.state strong { display: block; font-size: 1.2rem; line-height: 1.3; }
.state .why { color: var(--text); }
.well { background: var(--well-back); color: var(--well); border-color: var(--well); }
.ill { background: var(--bad-back); color: var(--bad); border-color: var(--bad); }
.defs { position: absolute; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1rem; }
.cards > .card { flex: 1 1 19rem; }
.four > .card { flex-basis: 15rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem; min-width: 0; }
main > .card { margin-bottom: 1rem; }
.lead { font-size: 1.5rem; font-weight: 600; line-height: 1.25; }
.bad { color: var(--bad); }
ul { margin: .3rem 0; padding-left: 1.1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .9rem; margin: .5rem 0 0; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
figure { margin: 0; }
.plot { display: grid; grid-template-columns: auto 1fr; column-gap: .6rem; }
.plot .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; padding: 0; margin: -.65rem 0; }
.plot .x { grid-column: 2; display: flex; justify-content: space-between; gap: .5rem; padding-top: .35rem; }
.plot .x > :nth-child(2) { text-align: center; }
.plot .x > :last-child { text-align: right; }
.plot .x b { font-weight: inherit; white-space: nowrap; }
.plot svg.area { width: 100%; height: 16rem; overflow: visible; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.plot svg.flat { height: 4rem; grid-column: 2; }
.frame { padding: .8rem 1rem 0 0; }
.grid { stroke: var(--line); stroke-dasharray: 2 4; }
.due { stroke: var(--quiet); stroke-dasharray: 7 5; }
.point { stroke-width: 2; }
.kept { fill: var(--good); stroke: var(--card); stroke-width: 1; }
.pinned { fill: var(--pin); stroke: var(--card); stroke-width: 1; }
.goes { fill: var(--card); stroke: var(--goes); }
.unverified { fill: none; stroke: var(--bad); stroke-width: 3; }
.now { fill: none; stroke: var(--text); stroke-width: 2; }
.point:hover { stroke: var(--text); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin-top: .8rem; padding: 0; list-style: none; }
.legend svg { width: 1.1rem; height: 1.1rem; vertical-align: -.2rem; margin-right: .35rem; overflow: visible; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th { text-align: left; font-weight: 600; color: var(--quiet); border-bottom: 1px solid var(--line); padding: .4rem .9rem .4rem 0; white-space: nowrap; }
td, tbody th { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { color: var(--text); white-space: normal; }
.number { text-align: right; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
td.going { color: var(--quiet); font-style: italic; }
td svg.mark { width: 1rem; height: 1rem; vertical-align: -.15rem; margin-right: .4rem; overflow: visible; }
.only-phone { display: none; }
footer { padding-bottom: 2rem; }
@media (max-width: 56rem) {
  main, header, footer { padding-left: .8rem; padding-right: .8rem; }
  .plot svg.area { height: 13rem; }
  .plot svg.flat { height: 4rem; }
  table, tbody, tr { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; margin-bottom: .7rem; }
  .plot .x > :nth-child(2):not(:last-child) { display: none; }
  td, tbody th { display: block; border: 0; padding: .1rem 0; }
  td { display: grid; grid-template-columns: 4.5rem 1fr; text-align: left; }
  .number { text-align: left; white-space: normal; }
  td:empty { display: none; }
  .only-phone { display: block; color: var(--quiet); font-style: normal; }
}
`;

/** What a browser may do with the page: apply this style, show the icon that the page holds. No script, nothing from elsewhere. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
