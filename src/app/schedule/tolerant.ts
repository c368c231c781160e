// A host's listener, so that nothing that it does ends a snapshot or the process: also where it is an async function, whose failure Node
// would take for the end of everything. https://nodejs.org/api/process.html#event-unhandledrejection
import type { SchedulerListener } from './events.js';

export function tolerant(listener: SchedulerListener = () => undefined): SchedulerListener {
  return (event) => {
    try {
      // Async functions are listeners, too, for the compiler.
      Promise.resolve(listener(event) as unknown).catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: 'TIDEMARK_LISTENER' });
}
