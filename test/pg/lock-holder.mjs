// A process that takes a lock, tells its parent so, and tells when it was lost. Its argument: connection settings and options as JSON.
import { tryLock } from '#dist/pg/advisory-lock.js';

const { connection, options } = JSON.parse(process.argv[2]);
const lock = await tryLock(connection, options);
process.send({ heldBy: lock.heldBy });
lock.signal?.addEventListener('abort', () => process.send({ code: lock.signal.reason.code }));
process.on('message', () => undefined);
