// Becomes the one that writes a series. Who was it before may still be at work, stopped or slow: whatever it does from now on, it cannot
// publish any more. In a directory its temporary files go (store/fence.ts); in other stores its uploads are aborted, and `latest.json` has
// the token of another.
import { type Fence, takeOver } from '../../store/fence.js';
import { catchUp } from './catch-up.js';
import { openFolderOutput } from './folder-output.js';
import { takeOverLatest } from './latest.js';
import type { OutputOptions, RepositoryOutput } from './output.js';
import type { Repository } from './repository.js';
import { clearReservations } from './reserve.js';
import { openStoreOutput } from './store-output.js';

/** The right to publish in a series, until somebody else takes over. */
export interface Writer {
  /** @throws TidemarkError LOCK_LOST where somebody else has taken over, FILE_ERROR, DISK_FULL, STORE_ERROR */
  open(options: OutputOptions): Promise<RepositoryOutput>;
  /** Points to the newest snapshot that counts (catch-up.ts). @throws TidemarkError as `open` */
  catchUp(): Promise<void>;
}

/** Only for who holds the lock of the series. @throws TidemarkError FILE_ERROR, STORE_ERROR */
export async function takeOverRepository(repository: Repository): Promise<Writer> {
  const { directory, layout, prefix } = repository;
  const store = await repository.store();
  if (directory !== undefined) {
    const fence: Fence = await takeOver(directory, prefix);
    await clearReservations({ store, layout });
    return {
      open: (options) => openFolderOutput(repository, { directory, fence, ...options }),
      async catchUp() {
        await fence.check();
        await catchUp(repository);
      },
    };
  }
  const token = await takeOverLatest(store, prefix);
  await clearReservations({ store, layout }, token);
  return { open: (options) => openStoreOutput(repository, { token, ...options }), catchUp: () => catchUp(repository, token) };
}
