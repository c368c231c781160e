// As whom embedded servers run and where their data can lie: facts about this machine, read anew for every server.
import { readFile, stat, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Account } from './guard.js';

/** PostgreSQL refuses to run as root: then it is the account `nobody`. Undefined: as ourselves. */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const nobody = accounts.split('\n').find((line) => line.startsWith('nobody:'));
  const [, , uid, gid] = nobody?.split(':') ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

const sharedMemory = '/dev/shm';
const roomWantedBytes = 2 * 1024 ** 3;
/** What lies in memory cannot be put aside when others need it: a machine that has too little stands still. */
const memoryWantedBytes = 6 * 1024 ** 3;

/** The folder for servers' folders: in memory where there is room (a container's /dev/shm often has 64 MB), else the temporary one, which
 *  must be open to the server's account. */
export async function serversParent(account: Account | undefined): Promise<string> {
  const room = await statfs(sharedMemory).catch(() => undefined);
  const isWritable = ((await stat(sharedMemory).catch(() => undefined))?.mode ?? 0) & 0o002;
  const hasRoom = room !== undefined && room.bavail * room.bsize >= roomWantedBytes && freemem() >= memoryWantedBytes;
  if (hasRoom && isWritable) return sharedMemory;
  const temporary = tmpdir();
  const reachable = account === undefined || (await isOpenToAll(temporary));
  return reachable ? temporary : '/tmp';
}

/** Whether every account may read the folder and traverse those above it. */
export async function isOpenToAll(folder: string): Promise<boolean> {
  if (((await stat(folder)).mode & 0o004) === 0) return false;
  for (let path = folder; ; path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
