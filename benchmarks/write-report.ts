// `npm run bench:report`: puts a summary and the tables of all that lies in results/ between the two markers of README.md, and draws the plots again.
import { readFile, writeFile } from 'node:fs/promises';
import { writePlots } from './plots.js';
import { tables } from './report.js';
import { readResults } from './results.js';
import { summary } from './summary.js';

const readme = new URL('README.md', import.meta.url);
const markers = ['<!-- results: npm run bench:report -->', '<!-- end of results -->'] as const;

const text = await readFile(readme, 'utf8');
const [start, end] = [text.indexOf(markers[0]), text.indexOf(markers[1])];
if (start === -1 || end < start) throw new Error(`benchmarks/README.md lacks its markers: ${markers.join(' and ')}, each on a line`);
const results = await readResults();
for (const one of results) await writePlots(one);
const report = ['### At a glance', summary(results), ...results.map(tables)].join('\n\n');
await writeFile(readme, `${text.slice(0, start)}${markers[0]}\n\n${report}\n\n${text.slice(end)}`);
console.log(`benchmarks/README.md: ${results.length} files of results`);
