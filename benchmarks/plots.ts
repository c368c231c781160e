// Which numbers of which results are drawn, and against what. How is plot.ts's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawPlot, type Plot, type Point } from './plot.js';
import { compression, medianOf, plotsOf, speed } from './report.js';
import { type Entry, type Race, type Results, resultsFolder } from './results.js';

/** Writes the plots of results, by the names that `plotsOf` has, beside them. */
export async function writePlots(results: Results): Promise<void> {
  const drawn = plotDescriptions(results);
  for (const [index, { file, title }] of plotsOf(results).entries()) {
    const plot = drawn[index];
    if (plot !== undefined) await writeFile(join(resultsFolder, file), drawPlot({ ...plot, title }));
  }
}

type Untitled = Omit<Plot, 'title'>;

function plotDescriptions({ kind, races }: Results): readonly Untitled[] {
  switch (kind) {
    case 'levels':
      return races.map((race) => ({
        x: { title: 'MB of rows a second' },
        y: { title: 'times smaller than the rows', close: true },
        series: seriesOf(race, (entry) => ({ x: speed(entry), y: compression(entry), label: String(entry.level) })),
      }));
    case 'jobs':
      return races.map((race) => ({
        x: { title: 'jobs' },
        y: { title: 'seconds' },
        series: seriesOf(race, (entry) => ({ x: entry.jobs ?? undefined, y: medianOf(entry, 'seconds') })),
      }));
    case 'sizes':
      return races.flatMap((race) => [
        {
          x: { title: 'MB of rows', logarithmic: true },
          y: { title: 'peak memory, MB' },
          series: seriesOf(race, (entry) => ({ x: entry.rawBytes / 1e6, y: medianOf(entry, 'peakMb') })),
        },
        {
          x: { title: 'MB of rows', logarithmic: true },
          y: { title: 'seconds a GB of rows' },
          series: seriesOf(race, (entry) => ({
            x: entry.rawBytes / 1e6,
            y: (medianOf(entry, 'seconds') ?? Number.NaN) / (entry.rawBytes / 1e9),
          })),
        },
      ]);
    case 'compare':
      return [];
  }
}

interface MaybePoint {
  readonly x: number | undefined;
  readonly y: number | undefined;
  readonly label?: string;
}

function seriesOf({ entries }: Race, pointOf: (entry: Entry) => MaybePoint): Plot['series'] {
  const names = [...new Set(entries.map(({ series }) => series))];
  return names.map((name) => {
    const points = entries.filter(({ series }) => series === name).map(pointOf);
    return { name, points: points.filter((point): point is Point => Number.isFinite(point.x) && Number.isFinite(point.y)) };
  });
}
