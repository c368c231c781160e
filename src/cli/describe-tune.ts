// What tune prints for people: a table of what was tried, and sentences for what follows from it.
import { closeToBest } from '../app/tune/recommend.js';
import { spellBytes } from '../app/tune/spell.js';
import type { Measured } from '../app/tune/trials.js';
import type { TuneResult } from '../app/tune/tune.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { type Column, formatTable } from './table.js';

const columns: readonly Column[] = [
  { head: 'format' },
  { head: 'level', align: 'right' },
  { head: 'jobs', align: 'right' },
  { head: 'chunk', align: 'right' },
  { head: 'MB/s', align: 'right' },
  { head: 'ratio', align: 'right' },
  { head: 'time', align: 'right' },
  { head: 'archive', align: 'right' },
  { head: '' },
];

export function describeTune(result: TuneResult): string {
  const { database, tables, tableBytes, trials, recommended, smallest, warmUp, options, plot, written } = result;
  const rows = trials.map((trial): readonly string[] => {
    const { settings, bytesPerSecond, ratio, wholeMs, wholeBytes } = trial;
    return [
      settings.copyFormat,
      `${settings.compressLevel}`,
      `${settings.jobs}`,
      spellBytes(settings.chunkBytes),
      (bytesPerSecond / 1e6).toFixed(1),
      ratio.toFixed(2),
      formatDuration(wholeMs),
      formatBytes(wholeBytes),
      marksOf(trial, result),
    ];
  });
  const lines = [
    `${printable(database)}: ${formatCounted(tables, 'table')}, ${formatBytes(tableBytes)} on the server's disk, which is what MB/s and ratio count`,
    '',
    ...formatTable(columns, rows),
    '',
    `recommended: the smallest archive among what is within ${Math.round((1 - closeToBest) * 100)} % of the best speed: ${against(recommended, trials[0])}`,
    ...(smallest === recommended ? [] : [`the smallest archive: ${against(smallest, recommended, 'what is recommended')}`]),
    ...(result.untried === 0 ? [] : [`there was no time for ${formatCounted(result.untried, 'trial')} more: raise --seconds`]),
    ...(warmUp.slow
      ? [
          `the first reading had ${(warmUp.bytesPerSecond / 1e6).toFixed(1)} MB/s: the tables came from the disk. Where they do in a snapshot, the disk decides, and a higher level costs no time`,
        ]
      : []),
    '',
    `tidemark snapshot ${options.join(' ')} -f FILE`,
    ...(written === undefined ? [] : [`${printable(written)}: written, under snapshot`]),
    ...(plot === undefined ? [] : [`${printable(plot)}: written`]),
  ];
  return lines.join('\n');
}

function marksOf(trial: Measured, { trials, recommended, smallest }: TuneResult): string {
  const marks = [
    ...(trial === recommended ? ['<- recommended'] : []),
    ...(trial === smallest ? ['smallest'] : []),
    ...(trial === trials[0] ? ['default'] : []),
  ];
  return marks.join(', ');
}

/** `1.2 times as fast as the default, archive 3 % smaller` */
function against(one: Measured, other: Measured | undefined, name = 'the default'): string {
  if (other === undefined || one === other) return `${name} itself`;
  const times = one.bytesPerSecond / other.bytesPerSecond;
  const part = one.wholeBytes / other.wholeBytes - 1;
  const percent = Math.round(Math.abs(part) * 1000) / 10;
  const size = percent === 0 ? 'an archive of the same size' : `an archive that is ${percent} % ${part < 0 ? 'smaller' : 'larger'}`;
  return `${times.toFixed(2)} times as fast as ${name}, ${size}`;
}
