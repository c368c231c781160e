// Standard output and standard error of the process: written to the end, and never the reason for a crash when their reader has gone.
import { encodeText } from '../model/byte-text.js';
import { TidemarkError } from '../model/errors.js';

/** Without listeners an EPIPE ends the process with a stack trace. Those who write are told by `writeOut`. */
export function guardStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** Writes a text and waits until it is handed over. @throws TidemarkError FILE_ERROR, DISK_FULL */
export async function writeOut(stream: NodeJS.WriteStream, text: string): Promise<void> {
  const error = await written(stream, text);
  if (!error) return;
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const name = stream === process.stderr ? 'standard error' : 'standard output';
  throw new TidemarkError(full ? 'DISK_FULL' : 'FILE_ERROR', `write the result to ${name}: ${reason(error)}`, {
    cause: error,
    hint: full ? 'free space or write to another file system' : 'look whether the command that reads it failed',
    details: { errno: error.code },
  });
}

/** An archive on a terminal is nothing that anybody wants. @throws TidemarkError USAGE */
export function refuseTerminal(
  stream: { readonly isTTY?: boolean },
  { attempt, hint }: { readonly attempt: string; readonly hint: string },
): void {
  if (stream.isTTY) throw new TidemarkError('USAGE', `${attempt}: it is a terminal`, { hint });
}

/** Ends the process once all is written, whatever else is still open: a pipe that nobody writes into any more, for one. After a failure
 *  what standard output still holds is a piece of an archive, and its reader may stand still for ever. */
export async function exit(): Promise<never> {
  const streams = process.exitCode ? [process.stderr] : [process.stdout, process.stderr];
  for (const stream of streams) if (stream.writable) await written(stream, '');
  process.exit();
}

function written(stream: NodeJS.WriteStream, text: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => stream.write(encodeText(text), (error) => resolve(error ?? undefined)));
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EPIPE') return 'nobody reads it any more';
  return code === 'ENOSPC' ? 'no space left on the device' : message;
}
