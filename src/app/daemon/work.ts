// What a daemon does by one configuration: a scheduler, and whoever it tells. A changed configuration is another one of these.
import type { Config } from '../config/config.js';
import { createScheduler } from '../schedule/create-scheduler.js';
import type { SchedulerListener } from '../schedule/events.js';
import type { Scheduler } from '../schedule/scheduler.js';
import { trustOf } from '../seal/open-sealed.js';
import { type Listening, listen } from './listen.js';
import { createWebhook } from './webhook.js';

export interface Work {
  readonly scheduler: Scheduler;
  /** Ends it: waits for a snapshot under way, or with `abort` gives it up. With `final: false` it takes no last one, whatever the rules say.
   *  @throws TidemarkError where a last snapshot failed */
  close(options?: { readonly abort?: boolean; readonly final?: false }): Promise<void>;
}

/** How long a daemon that ends waits until its last failure or success was told. */
const lastWordsMs = 5000;

/** @param tell log and metrics
 *  @throws TidemarkError USAGE */
export function startWork(config: Config, tell: SchedulerListener): Work {
  const {
    database,
    store,
    prefix,
    layout,
    schedule,
    retention,
    position,
    snapshot,
    poll,
    leaseMs,
    reserveBytes,
    drill,
    signKey,
    encryptTo,
  } = config;
  const webhook = createWebhook({ ...config.webhook, onTrouble: (error) => tell({ type: 'trouble', error }) });
  const scheduler = createScheduler({
    db: database,
    store,
    prefix,
    layout,
    rules: schedule,
    retention,
    position,
    snapshot: { ...snapshot, ...(signKey && { signKey }), ...(encryptTo && { encryptTo }) },
    ...trustOf(config),
    lookEveryMs: poll.everyMs,
    leaseMs,
    reserve: reserveBytes,
    ...(drill && { drill }),
    onEvent: (event) => {
      tell(event);
      webhook.onEvent(event);
    },
  });
  const listening: Listening | undefined =
    poll.listen === undefined
      ? undefined
      : listen(database, {
          channel: poll.listen,
          againAfterMs: poll.everyMs,
          onNotice: () => void scheduler.look(),
          onTrouble: (error) => tell({ type: 'trouble', error }),
        });
  return {
    scheduler,
    async close(options) {
      try {
        // At once, so that it begins nothing more.
        const closed = scheduler.close(options);
        await Promise.all([listening?.close(), closed]);
      } finally {
        await webhook.settled(options?.abort ? { signal: AbortSignal.timeout(lastWordsMs) } : {});
      }
    },
  };
}
