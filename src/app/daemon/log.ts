// The daemon's log: JSON lines on standard output, one for each event that an operator may look for. What is worth telling is decided
// here; pino only writes it.
import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';
import { TidemarkError } from '../../model/errors.js';
import type { TidemarkEvent } from '../../model/events.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { toJson } from '../json.js';
import type { SchedulerEvent, SchedulerListener } from '../schedule/events.js';

export type { LevelWithSilent as LogLevel, Logger } from 'pino';

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LevelWithSilent;
  /** Default: standard output, synchronously, so that the last words of a process that ends get through. */
  readonly destination?: DestinationStream;
}

/** A logger that writes bigint as strings, and a TidemarkError (as `err`) with its code and hint. */
export function createLogger({ level = 'info', destination }: LogOptions = {}): Logger {
  const options = {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (facts: Record<string, unknown>) => Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, plain(value)])),
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** JSON has no bigint. Errors go on to their serializer. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return typeof value === 'bigint' ? value.toString() : value;
  return JSON.parse(toJson(value));
}

/** An error of ours speaks for itself; of any other, the place is what helps. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
  if (!(error instanceof TidemarkError)) return { type: error.name, message: error.message, stack: error.stack, ...cause };
  const { code, message, hint, details, stack } = error;
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(Object.keys(details).length === 0 ? {} : { details: plain(details) }),
    ...cause,
    ...(code === 'INTERNAL' ? { stack } : {}),
  };
}

/** Turns a scheduler's events into lines. */
export function logEvents(logger: Logger): SchedulerListener {
  return (event) => {
    const { level = 'info', message, facts = {} } = lineOf(event);
    logger[level](facts, message);
  };
}

interface Line {
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

function lineOf(event: SchedulerEvent): Line {
  switch (event.type) {
    case 'found':
      if (event.newest === undefined) return { message: 'there is no good snapshot yet' };
      return { message: `newest good snapshot: ${event.newest.id}`, facts: factsOf(event.newest) };
    case 'unknown': {
      const { key, bytes, problem } = event.archive;
      return { level: 'warn', message: `${key} does not count: ${problem}`, facts: { archive: key, bytes } };
    }
    case 'creating': {
      const { reason, height } = event;
      const facts = { reason, ...(height === undefined ? {} : { height }) };
      return { message: `creating snapshot${height === undefined ? '' : ` at height ${height}`}`, facts };
    }
    case 'created': {
      const { snapshot, reason, durationMs } = event;
      return { message: `created ${snapshot.id}`, facts: { ...factsOf(snapshot), reason, durationMs } };
    }
    case 'failed': {
      const { error, next, durationMs } = event;
      return { level: 'error', message: `snapshot failed: ${error.message}`, facts: { err: error, next, durationMs } };
    }
    case 'stood-back':
      return { message: `stood back: ${event.reason}` };
    case 'removed':
      return { message: `removed ${event.snapshot.id}`, facts: factsOf(event.snapshot) };
    case 'drilled': {
      const { snapshot, drill } = event;
      const facts = { snapshot: snapshot.id, drill };
      if (drill.ok) return { message: `restore drill of ${snapshot.id}: it is whole`, facts };
      return { level: 'error', message: `restore drill of ${snapshot.id} failed: ${drill.problem ?? 'no reason was given'}`, facts };
    }
    case 'trouble':
      return { level: 'warn', message: event.error.message, facts: { err: event.error } };
    case 'snapshot':
      return lineOfWork(event.event);
  }
}

function lineOfWork(event: TidemarkEvent): Line {
  const { type, ...facts } = event;
  switch (event.type) {
    case 'retry':
      return { level: 'warn', message: `snapshot begins again: ${event.reason}`, facts };
    case 'left-out':
      return { level: 'warn', message: 'left out of the snapshot', facts };
    case 'notice':
      return { message: event.message };
    case 'phase':
      return { level: 'debug', message: `phase: ${event.phase}`, facts };
    case 'progress':
      return { level: 'trace', message: type, facts };
    default:
      return { level: 'debug', message: type, facts };
  }
}

function factsOf({ id, position, bytes, verification }: StoredSnapshot): Readonly<Record<string, unknown>> {
  const { height, at }: Position = position;
  return { snapshot: id, ...(height === undefined ? {} : { height }), at, bytes, rows: verification.rows, sha256: verification.sha256 };
}
