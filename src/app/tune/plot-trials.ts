// The picture of what was tried: speed against ratio. How it is drawn is plot.ts's.
import { type PlotPoint, plotPoints } from './plot.js';
import { spellBytes } from './spell.js';
import type { Measured, Settings } from './trials.js';

export function plotOf({
  database,
  trials,
  recommended,
}: {
  database: string;
  trials: readonly Measured[];
  recommended: Measured;
}): string {
  const first = trials[0]?.settings;
  const points = trials.map((trial): PlotPoint => {
    const { settings, ratio, bytesPerSecond } = trial;
    const chosen = trial === recommended;
    return {
      x: ratio,
      y: bytesPerSecond / 1e6,
      label: `${nameOf(settings, first)}${chosen ? ': recommended' : ''}`,
      ...(chosen ? { marked: true } : {}),
    };
  });
  return plotPoints({
    title: `Snapshots of ${database}: speed against ratio`,
    x: { label: 'bytes of tables for one byte of the archive' },
    y: { label: 'MB of tables in a second', fromZero: true },
    points,
  });
}

/** What is not as in the first trial, and the level. */
function nameOf({ copyFormat, compressLevel, jobs, chunkBytes }: Settings, first: Settings | undefined): string {
  return [
    `level ${compressLevel}`,
    ...(jobs === first?.jobs ? [] : [`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`]),
    ...(chunkBytes === first?.chunkBytes ? [] : [spellBytes(chunkBytes)]),
    ...(copyFormat === first?.copyFormat ? [] : [copyFormat]),
  ].join(', ');
}
