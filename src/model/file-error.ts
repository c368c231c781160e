// What an operating system says of files, as the one error with a reason and a hint that can be acted on. Everything that opens, reads or
// writes a file goes through here, in workers, too: an ENOSPC that passes for the loss of a connection sends its reader the wrong way.
import { TidemarkError } from './errors.js';

const reasons: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOENT: ['the directory does not exist', 'create the directory first'],
  ENOTDIR: ['a part of the path is not a directory', 'check the path'],
  EISDIR: ['it is a directory', 'name a file in it'],
  EACCES: ['permission denied', 'write to a directory that this user may write to'],
  EPERM: ['not permitted', 'write to a directory that this user may write to'],
  EROFS: ['the file system is read-only', 'write to another file system'],
  ENOSPC: ['no space left on the device', 'free space or write to another file system; nothing was published'],
  EDQUOT: ['the disk quota is used up', 'free space or write to another file system; nothing was published'],
  ENAMETOOLONG: ['the name is too long', 'take a shorter name: while it is written, and for the files beside it, it is longer'],
  EIO: ['input/output error', 'check the disk, and the log of the operating system'],
};

/** True where the operating system refused something: of a file, where no socket is about. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** An operating system's error as ours: DISK_FULL or FILE_ERROR. */
export function fileError(error: unknown, attempt: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [reason, hint] = reasons[code] ?? [message, 'see the message of the operating system'];
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new TidemarkError(full ? 'DISK_FULL' : 'FILE_ERROR', `${attempt}: ${reason}`, { cause: error, hint, details: { errno: code } });
}
