// Hears NOTIFY on a channel, over a session of its own, which is opened again when it was lost. What a notification says does not matter:
// it means "look now".
import { TidemarkError } from '../../model/errors.js';
import { quoteIdentifier } from '../../pg/quote.js';
import { openSession } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';

export interface ListenOptions {
  readonly channel: string;
  /** Pause before a lost session is opened again. */
  readonly againAfterMs: number;
  /** Also when it begins to listen: something may have been missed. */
  readonly onNotice: () => void;
  /** Once, until it listens again. */
  readonly onTrouble: (error: TidemarkError) => void;
}

export interface Listening {
  close(): Promise<void>;
}

/** Begins to listen. */
export function listen(connection: ConnectionSettings, options: ListenOptions): Listening {
  const stop = new AbortController();
  const done = goOn(connection, options, stop.signal);
  return {
    async close() {
      stop.abort();
      await done;
    },
  };
}

async function goOn(connection: ConnectionSettings, options: ListenOptions, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  let told = false;
  while (!signal.aborted) {
    try {
      await using session = await openSession(connection, { use: 'read', applicationName: 'tidemark listener', signal });
      session.client.on('notification', options.onNotice);
      await session.query(`LISTEN ${quoteIdentifier(options.channel)}`);
      told = false;
      options.onNotice();
      await Promise.race([session.lost, stopped]);
    } catch (error) {
      if (!signal.aborted && !told && error instanceof TidemarkError) options.onTrouble(error);
      told = true;
      await pause(options.againAfterMs, stopped);
    }
  }
}

async function pause(ms: number, stopped: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms).unref();
  });
  await Promise.race([passed, stopped]);
  clearTimeout(timer);
}
