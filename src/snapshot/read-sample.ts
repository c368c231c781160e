// Reads some rows as a snapshot would, to see how fast they come, and tries compression levels on them. Nothing of it is kept. What
// follows from it is choose-level.ts's to decide.
import type { Codec } from '../frame/codec.js';
import { chooseParameters } from '../frame/compression-parameters.js';
import type { CopyTarget } from '../pg/copy-data-decoder.js';
import { copyOut } from '../pg/copy-out.js';
import type { Session } from '../pg/session.js';
import { type ReadSpeed, type Sample, type Trial, tryLevels } from './choose-level.js';
import { type ValueWidth, valueWidths } from './value-widths.js';

/** What was measured of one table, and seen of it. */
export interface TableSample extends Sample {
  /** Bytes of all rows that were read. */
  readonly totalBytes: number;
  /** How long the values are, where that was wanted and they came in binary. */
  readonly widths?: readonly ValueWidth[];
}

/** Bytes that levels are tried with. */
const tryBytes = 1 << 20;
/** Room for what one read of the socket brings. */
const slack = 1 << 20;

/** Runs of a level, of which the fastest counts: two, and up to so many where it comes into question. */
const most = 4;

/** Keeps the first bytes, and when how many had come. */
class SampleTarget implements CopyTarget {
  readonly buffer = Buffer.allocUnsafeSlow(tryBytes + 2 * slack);
  offset = 0;
  readonly full = false;
  onRoom: (() => void) | undefined;
  readonly #marks: { readonly bytes: number; readonly at: number }[] = [];
  #gone = 0;

  room(bytes: number): void {
    this.#mark();
    if (this.offset + bytes <= this.buffer.length) return;
    this.#gone += this.offset - tryBytes;
    this.offset = tryBytes;
  }

  message(): void {}

  get kept(): Buffer {
    return this.buffer.subarray(0, Math.min(this.offset, tryBytes));
  }

  /** By the second half alone: the first has the start of the statement, and the slow start of TCP. */
  speed(): ReadSpeed {
    this.#mark();
    const last = this.#marks.at(-1) ?? { bytes: 0, at: 0 };
    const half = this.#marks.find(({ bytes }) => bytes >= last.bytes / 2) ?? last;
    const first = half === last ? (this.#marks[0] ?? last) : half;
    return { rawBytes: last.bytes - first.bytes, readMs: last.at - first.at };
  }

  get total(): number {
    return this.#gone + this.offset;
  }

  #mark(): void {
    this.#marks.push({ bytes: this.total, at: performance.now() });
  }
}

/** @param statement COPY of a small part of a table
 *  @param widths of the values are wanted
 *  @returns rawBytes 0 where too little came to say anything */
export async function readSample(
  session: Session,
  codec: Codec,
  { statement, widths }: { readonly statement: string; readonly widths: boolean },
): Promise<TableSample> {
  const target = new SampleTarget();
  await copyOut(session, statement, target);
  const rows = target.kept;
  const speed = target.speed();
  const totalBytes = target.total;
  if (speed.rawBytes === 0 || speed.readMs === 0) return { rawBytes: 0, readMs: 0, totalBytes, trials: [] };
  const tryOut = (level: number, affordable = Number.POSITIVE_INFINITY): Trial =>
    trial(codec, rows, { level, affordableMs: affordable * rows.length });
  const found = widths ? valueWidths(rows) : undefined;
  return { ...speed, totalBytes, trials: tryLevels(speed, tryOut), ...(found && { widths: found }) };
}

interface Attempt {
  readonly level: number;
  readonly affordableMs: number;
}

function trial(codec: Codec, rows: Buffer, { level, affordableMs }: Attempt): Trial {
  const parameters = chooseParameters(level, (one) => codec.compress(rows, level, { parameters: one }).length);
  let compressedBytes = 0;
  let least = Number.POSITIVE_INFINITY;
  // The first call has the codec's memory to get; and whoever else is at work on the machine makes one slower, never faster.
  for (let n = 0; n < 2 || (n < most && least <= affordableMs); n += 1) {
    const started = performance.now();
    compressedBytes = codec.compress(rows, level, { parameters }).length;
    least = Math.min(least, performance.now() - started);
  }
  return { level, parameters, rawBytes: rows.length, compressedBytes, ms: least };
}
