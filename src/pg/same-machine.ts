// Whether a server is on this machine, as far as addresses tell.
import { streamOf } from './connect.js';
import type { Session } from './session.js';

/** True where both ends of the connection have the same address, or none, as those of a Unix socket. Whatever passes connections on from
 *  here (a tunnel, a pooler) looks the same. */
export function isOnThisMachine({ client }: Pick<Session, 'client'>): boolean {
  const { remoteAddress, localAddress } = streamOf(client);
  return remoteAddress === localAddress;
}
