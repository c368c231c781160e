// Runs contenders in turn, each once a round (A B C A B C ...), so that a drift of the machine's speed meets all alike.
import { constants } from 'node:fs';
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Contender } from './contenders.js';
import { type Measurement, measure } from './measure.js';
import type { Entry } from './results.js';

export interface RaceOptions {
  readonly runs: number;
  readonly rawBytes: number;
  readonly postmaster: number | undefined;
  /** Runs before each contender, and is not measured. */
  prepare?(): Promise<void>;
}

/** Of those whose programs are there. Outputs of the last round stay. */
export async function race(
  contenders: readonly Contender[],
  { runs, rawBytes, postmaster, prepare }: RaceOptions,
): Promise<readonly Entry[]> {
  const all = await present(contenders);
  const results = new Map(all.map(({ name }) => [name, [] as Measurement[]]));
  for (let round = 1; round <= runs; round += 1) {
    for (const { name, command, output } of all) {
      if (output !== null) {
        await rm(output, { recursive: true, force: true });
        await mkdir(output, { recursive: true });
      }
      await prepare?.();
      const result = await measure(command, postmaster);
      results.get(name)?.push(result);
      console.error(`  round ${round} of ${runs}: ${name}: ${result.seconds.toFixed(2)} s`);
    }
  }
  const entry = async ({ series, name, jobs, level, output }: Contender): Promise<Entry> => {
    const bytes = output === null ? null : await sizeOf(output);
    return { series, name, jobs, level, rawBytes, bytes, runs: results.get(name) ?? [] };
  };
  return Promise.all(all.map(entry));
}

const told = new Set<string>();

async function present(contenders: readonly Contender[]): Promise<readonly Contender[]> {
  const names = [...new Set(contenders.flatMap(({ needs }) => needs))];
  const missing = new Set((await Promise.all(names.map(async (name) => ((await inPath(name)) ? [] : [name])))).flat());
  return contenders.filter(({ series, needs }) => {
    const lacks = needs.filter((name) => missing.has(name));
    if (lacks.length > 0 && !told.has(series)) console.error(`left out: ${series}, for ${lacks.join(' and ')} is not in PATH`);
    if (lacks.length > 0) told.add(series);
    return lacks.length === 0;
  });
}

async function inPath(program: string): Promise<boolean> {
  const tries = (process.env.PATH ?? '').split(delimiter).map((folder) => access(join(folder, program), constants.X_OK));
  return Promise.any(tries).then(
    () => true,
    () => false,
  );
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
