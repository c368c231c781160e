// Decides the zstd level of a snapshot by samples of its rows, so that compression is not what it waits for, and says why. Pure; who
// measures is read-sample.ts.
import type { CompressionParameters } from '../frame/compression-parameters.js';
import type { CompressionChoice, TriedLevel } from '../model/manifest.js';

/** One level, tried on the beginning of a sample. */
export interface Trial {
  readonly level: number;
  /** What the level means for these rows, where it has several meanings. */
  readonly parameters?: CompressionParameters | undefined;
  readonly rawBytes: number;
  readonly compressedBytes: number;
  readonly ms: number;
}

/** What was measured of one table. */
export interface Sample {
  /** How fast rows came: bytes of COPY, and the time that they took. */
  readonly rawBytes: number;
  readonly readMs: number;
  readonly trials: readonly Trial[];
}

/** What says how fast rows came. */
export type ReadSpeed = Pick<Sample, 'rawBytes' | 'readMs'>;

export interface WeightedSample extends Sample {
  /** Bytes that the sample stands for. */
  readonly weight: bigint;
}

/** The level where nothing is known: docs/decisions/0006. */
export const usualLevel = 3;

/** Tried where even the usual level takes longer than reading: what the usual one means for rows, whatever the data is. Below it the output of
 *  rows grows by half and more. */
const fastest = 1;
/** Tried one after the other, as long as there is time. */
const slower: readonly number[] = [5, 7, 9, 12, 15, 19];
/** How many times as long as the usual level the first of these takes at least: that one is made for speed. */
const step = 2;
/** The part of the time of reading that a level above the usual one may take. Server and client often share processors, and rows that are
 *  easy at the beginning of a table may be hard at its end. */
const spare = 0.5;
/** How many times as long as reading the usual level must take before a faster one is looked for: what is measured in an instant is not exact. */
const bottleneck = 1.25;
/** What a higher level must save to be worth its time. */
const worthwhile = 0.98;
/** What a faster level must save of the time, and how much larger it may make the output. */
const [muchFaster, little] = [0.9, 1.05];

/** Tries levels on a sample: the usual one, then others as far as they can come into question.
 *  @param rawBytes, readMs how fast rows came
 *  @param compress tries one level; one that takes more milliseconds a byte than the second number does not come into question, and need not
 *  be measured exactly */
export function tryLevels({ rawBytes, readMs }: ReadSpeed, compress: (level: number, affordable?: number) => Trial): readonly Trial[] {
  const readTime = readMs / rawBytes;
  const timeOf = (trial: Trial): number => trial.ms / trial.rawBytes;
  const usual = compress(usualLevel);
  if (timeOf(usual) > readTime * bottleneck) return [usual, compress(fastest)];
  const trials = [usual];
  let atLeast = timeOf(usual) * step;
  for (const level of slower) {
    if (atLeast > readTime * spare) break;
    const trial = compress(level, readTime * spare);
    trials.push(trial);
    // The next one takes longer than the one before.
    atLeast = timeOf(trial);
  }
  return trials;
}

/** The level for all tables, by samples of the largest. */
export function chooseLevel(samples: readonly WeightedSample[]): CompressionChoice {
  const sampleBytes = samples.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  if (sampleBytes === 0) return { level: usualLevel, reason: 'there is too little to read for a sample' };
  // Whoever else is at work on the machine makes reading slower, never faster.
  const readTime = Math.min(...samples.map(({ readMs, rawBytes }) => readMs / rawBytes));
  const tried = levelsOf(samples).flatMap((level) => {
    const trialOf = (sample: Sample): Trial | undefined => {
      // Where there was no need of a faster one, the usual one stands for it.
      return trialAt(sample, level) ?? (level === fastest ? trialAt(sample, usualLevel) : undefined);
    };
    const time = weighted(samples, (sample) => perByte(trialOf(sample), 'ms'));
    const size = weighted(samples, (sample) => perByte(trialOf(sample), 'compressedBytes'));
    return time === undefined || size === undefined ? [] : [{ level, time, size }];
  });
  const { level, reason } = decide(readTime, tried);
  const read = speed(readTime);
  const shown: readonly TriedLevel[] = tried.map(({ level: one, time, size }) => ({
    level: one,
    megabytesPerSecond: speed(time),
    ratio: Math.round(100 / size) / 100,
  }));
  return { level, reason, sample: { bytes: sampleBytes, readMegabytesPerSecond: read, tried: shown } };
}

interface Tried {
  readonly level: number;
  /** Milliseconds and bytes for each byte of rows. */
  readonly time: number;
  readonly size: number;
}

function decide(readTime: number, tried: readonly Tried[]): { readonly level: number; readonly reason: string } {
  const usual = tried.find(({ level }) => level === usualLevel);
  if (usual === undefined) return { level: usualLevel, reason: 'no sample was compressed' };
  if (usual.time > readTime * bottleneck) {
    const best = tried.find(({ level }) => level === fastest) ?? usual;
    if (best.time > usual.time * muchFaster) return { level: usualLevel, reason: `level ${fastest} is hardly faster` };
    const larger = Math.round((best.size / usual.size - 1) * 100);
    if (best.size > usual.size * little) return { level: usualLevel, reason: `level ${fastest} would make it ${larger} % larger` };
    return { level: best.level, reason: `level ${usualLevel} takes longer than reading, and this one makes it ${larger} % larger` };
  }
  const affordable = tried.filter(({ level, time }) => level > usualLevel && time <= readTime * spare);
  const best = affordable.toSorted((a, b) => a.size - b.size || a.time - b.time)[0];
  if (best !== undefined && best.size <= usual.size * worthwhile) {
    return {
      level: best.level,
      reason: `reading leaves time for it, and it saves ${Math.round((1 - best.size / usual.size) * 100)} % of level ${usualLevel}`,
    };
  }
  const why = affordable.length > 0 ? 'higher ones save next to nothing' : 'there is no time for a higher one';
  return { level: usualLevel, reason: `reading takes about as long or longer, and ${why}` };
}

function trialAt({ trials }: Sample, level: number): Trial | undefined {
  return trials.find((trial) => trial.level === level);
}

function levelsOf(samples: readonly Sample[]): readonly number[] {
  const levels = new Set(samples.flatMap(({ trials }) => trials.map(({ level }) => level)));
  return [...levels].toSorted((a, b) => a - b);
}

function perByte(trial: Trial | undefined, what: 'ms' | 'compressedBytes'): number | undefined {
  return trial === undefined ? undefined : trial[what] / trial.rawBytes;
}

/** The mean of all samples; undefined where one of them has no value. */
function weighted(samples: readonly WeightedSample[], measureOf: (sample: WeightedSample) => number | undefined): number | undefined {
  let sum = 0;
  let weights = 0;
  for (const sample of samples) {
    const value = measureOf(sample);
    if (value === undefined) return undefined;
    sum += value * Number(sample.weight);
    weights += Number(sample.weight);
  }
  return weights === 0 ? undefined : sum / weights;
}

/** Milliseconds a byte as MB/s. */
function speed(msPerByte: number): number {
  return Math.round(1 / (msPerByte * 1000));
}
