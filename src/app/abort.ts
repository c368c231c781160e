// Why a use case stops early: the caller's signal, or an age that it must not pass.
import { TidemarkError } from '../model/errors.js';

/** A signal that aborts with the caller's, or when the age is reached. Dispose it, or its timer keeps the process. */
export function withAge(signal: AbortSignal | undefined, maxAgeMs: number | undefined): { readonly signal: AbortSignal } & Disposable {
  const own = new AbortController();
  const timer =
    maxAgeMs === undefined
      ? undefined
      : setTimeout(() => {
          own.abort(
            new TidemarkError('MAX_AGE_EXCEEDED', `take a snapshot: its transaction became older than ${maxAgeMs / 1000} s`, {
              hint: 'raise --max-age, use more --jobs, or leave out tables; nothing was published',
            }),
          );
        }, maxAgeMs);
  return {
    signal: signal ? AbortSignal.any([signal, own.signal]) : own.signal,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** The error to report once `signal` has aborted; undefined where it has not, and the failure is something else. */
export function abortReason(signal: AbortSignal | undefined): TidemarkError | undefined {
  if (!signal?.aborted) return undefined;
  const { reason } = signal;
  if (reason instanceof TidemarkError) return reason;
  return new TidemarkError('ABORTED', 'stopped before the end, as asked', { cause: reason });
}
