// Measures the hot paths one by one, without a server, so that a regression shows. Usage:
//   npm run bench:micro -- [--runs 9] [--only compress] [--json new.json] [--against old.json [--at-least 0.8]]
// Every path runs once a round. MB are 10^6 bytes; those for each second of the processor say more on a machine that others use, too.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { median } from './measure.js';
import { allCases, type Case } from './micro-cases.js';
import { commit, machine } from './results.js';

const { values: given } = parseArgs({
  options: {
    runs: { type: 'string', default: '9' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    against: { type: 'string' },
    'at-least': { type: 'string' },
  },
});

interface Figures {
  /** Medians, in MB/s. */
  readonly wall: number;
  readonly processor: number;
  /** Of each run. */
  readonly seconds: readonly number[];
}

interface Report {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly figures: Readonly<Record<string, Figures>>;
}

await using hotPaths = await allCases();
const cases = hotPaths.cases.filter(({ name }) => name.includes(given.only));
const report: Report = {
  date: new Date().toISOString().slice(0, 10),
  commit: await commit(),
  machine: machine(),
  figures: await runAll(cases),
};
if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(report, null, 2)}\n`);
const old = given.against === undefined ? undefined : (JSON.parse(await readFile(given.against, 'utf8')) as Report);
show(report, old);

async function runAll(all: readonly Case[]): Promise<Report['figures']> {
  const measured = new Map(all.map((one) => [one, { wall: [] as number[], processor: [] as number[] }]));
  for (let round = 0; round <= Number(given.runs); round += 1) {
    for (const [one, times] of measured) {
      const [started, used] = [performance.now(), process.cpuUsage()];
      await one.run();
      const { user, system } = process.cpuUsage(used);
      if (round === 0) continue; // compiles
      times.wall.push((performance.now() - started) / 1000);
      times.processor.push((user + system) / 1e6);
    }
  }
  const speed = (bytes: number, seconds: readonly number[]): number => round1(bytes / 1e6 / median(seconds));
  const entries = [...measured].map(([{ name, bytes }, { wall, processor }]) => {
    const figures: Figures = {
      wall: speed(bytes, wall),
      processor: speed(bytes, processor),
      seconds: wall.map((one) => Number(one.toFixed(4))),
    };
    return [name, figures] as const;
  });
  return Object.fromEntries(entries);
}

function show({ figures, ...about }: Report, before: Report | undefined): void {
  const compared = before === undefined ? '' : `, against commit ${before.commit} of ${before.date}`;
  console.log(`${about.date}, commit ${about.commit}, ${about.machine}, medians of ${given.runs}${compared}\n`);
  console.log(`| path | MB/s | MB a processor second |${before === undefined ? '' : ' of before | of before, processor |'}`);
  console.log(`|---|---|---|${before === undefined ? '' : '---|---|'}`);
  const slower: string[] = [];
  for (const [name, { wall, processor }] of Object.entries(figures)) {
    const then = before?.figures[name];
    const ratios =
      before === undefined
        ? ''
        : then === undefined
          ? ' new | new |'
          : ` ${ratio(wall, then.wall)} | ${ratio(processor, then.processor)} |`;
    console.log(`| ${name} | ${wall} | ${processor} |${ratios}`);
    if (then !== undefined && processor / then.processor < Number(given['at-least'] ?? 0)) slower.push(name);
  }
  if (slower.length === 0) return;
  console.error(`\nslower than ${given['at-least']} of before: ${slower.join('; ')}`);
  process.exitCode = 1;
}

function ratio(now: number, then: number): string {
  return (now / then).toFixed(2);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
