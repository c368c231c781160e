// Which numbers of which results are drawn, and against what. How is the business of `tidemark tune`'s plots.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plot, type PlotPoint, plotPoints } from '#dist/app/tune/plot.js';
import { compression, medianOf, plotsOf, speed } from './report.js';
import { type Entry, type Race, type Results, resultsFolder } from './results.js';

/** Writes the plots of results, by the names that `plotsOf` has, beside them. */
export async function writePlots(results: Results): Promise<void> {
  const drawn = plotDescriptions(results);
  for (const [index, { file, title }] of plotsOf(results).entries()) {
    const plot = drawn[index];
    if (plot !== undefined) await writeFile(join(resultsFolder, file), plotPoints({ ...plot, title }));
  }
}

type Untitled = Omit<Plot, 'title'>;

function plotDescriptions({ kind, races }: Results): readonly Untitled[] {
  switch (kind) {
    case 'levels':
      return races.map((race) => ({
        x: { label: 'MB of rows a second', fromZero: true },
        y: { label: 'bytes of rows for one byte written' },
        points: linesOf(race, (entry) => ({ x: speed(entry), y: compression(entry), label: `level ${entry.level}` })),
      }));
    case 'jobs':
      return races.map((race) => ({
        x: { label: 'jobs', fromZero: true },
        y: { label: 'seconds', fromZero: true },
        points: linesOf(race, (entry) => ({ x: entry.jobs ?? undefined, y: medianOf(entry, 'seconds') })),
      }));
    case 'sizes':
      return races.flatMap((race) => [
        {
          x: { label: 'GB of rows', fromZero: true },
          y: { label: 'peak memory, MB', fromZero: true },
          points: linesOf(race, (entry) => ({ x: gigabytes(entry), y: medianOf(entry, 'peakMb') })),
        },
        {
          x: { label: 'GB of rows', fromZero: true },
          y: { label: 'seconds a GB of rows', fromZero: true },
          points: linesOf(race, (entry) => ({ x: gigabytes(entry), y: (medianOf(entry, 'seconds') ?? Number.NaN) / gigabytes(entry) })),
        },
      ]);
    case 'compare':
      return [];
  }
}

function gigabytes({ rawBytes }: Entry): number {
  return rawBytes / 1e9;
}

interface Numbers {
  readonly x: number | undefined;
  readonly y: number | undefined;
  readonly label?: string;
}

/** A line for each series, whose name stands at its end. Where nothing was measured, nothing is drawn. */
function linesOf({ entries }: Race, numbersOf: (entry: Entry) => Numbers): readonly PlotPoint[] {
  return entries.map((entry, index) => {
    const { x = Number.NaN, y = Number.NaN, label = '' } = numbersOf(entry);
    const isLast = !entries.slice(index + 1).some(({ series }) => series === entry.series);
    return { x, y, label: [...(isLast ? [entry.series] : []), label].filter((part) => part !== '').join(', '), line: entry.series };
  });
}
