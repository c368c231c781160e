// The password file, .pgpass: who asks which server for which database as whom. https://www.postgresql.org/docs/current/libpq-pgpass.html
import { readFile, stat } from 'node:fs/promises';

export interface PasswordQuery {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** The password of the first line that matches; undefined where none does, or where there is no such file. As in libpq, a file that group
 *  or others may read is not used. */
export async function readPasswordFile(path: string, query: PasswordQuery): Promise<string | undefined> {
  try {
    const about = await stat(path);
    if (!about.isFile() || (process.platform !== 'win32' && (about.mode & 0o077) !== 0)) return undefined;
    return findPassword(await readFile(path, 'utf8'), query);
  } catch {
    return undefined;
  }
}

/** @param text lines `host:port:database:user:password`, where * is anything and \ takes the meaning from : and \ */
export function findPassword(text: string, { host, port, database, user }: PasswordQuery): string | undefined {
  // Sockets are known by the name localhost there.
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  const sameSocket = (field: string): boolean => host.startsWith('/') && field === host;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [fields, password] = splitLine(line);
    const matches = wanted.every(
      (value, i) => fields[i] === '*' || withoutEscapes(fields[i]) === value || (i === 0 && sameSocket(fields[i] ?? '')),
    );
    if (password !== undefined && password !== '' && matches) return withoutEscapes(password);
  }
  return undefined;
}

function splitLine(line: string): readonly [fields: readonly string[], password: string | undefined] {
  const match = /^((?:[^:\\]|\\.)*):((?:[^:\\]|\\.)*):((?:[^:\\]|\\.)*):((?:[^:\\]|\\.)*):((?:[^:\\]|\\.)*)/.exec(line);
  return [match?.slice(1, 5) ?? [], match?.[5]];
}

function withoutEscapes(field = ''): string {
  return field.replace(/\\(.)/g, '$1');
}
