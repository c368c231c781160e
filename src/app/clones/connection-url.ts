// The settings of a connection as others take them: a URL. Pure.
import type { ConnectionSettings } from '../../pg/settings.js';

/** A URL as libpq and pg read it, with the password where there is one. Where the settings were themselves given as a URL, that one with
 *  another database: what else it says is meant for whoever reads it.
 *  https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
export function connectionUrl({ host, port, user, database, password, sslmode, options }: ConnectionSettings, given?: unknown): string {
  if (typeof given === 'string' && /^postgres(ql)?:\/\//.test(given)) {
    const [, start, query = ''] = /^([a-z]+:\/\/[^/?]*)[^?]*(\?.*)?$/.exec(given) ?? [];
    return `${start}/${encodeURIComponent(database)}${query}`;
  }
  const account = [user, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':');
  const socket = host.startsWith('/');
  const query = {
    ...(socket && { host, port: String(port) }),
    // What libpq does by default is more than what pg can.
    ...(!socket && sslmode !== undefined && !['disable', 'allow', 'prefer'].includes(sslmode) && { sslmode }),
    ...(options !== undefined && { options }),
  };
  const words = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const place = socket ? '' : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `postgres://${account}@${place}/${encodeURIComponent(database)}${words.length > 0 ? `?${words.join('&')}` : ''}`;
}
