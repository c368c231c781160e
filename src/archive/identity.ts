// Which archive it is, by 58 bytes of its end: the hash in its checksum frame is of all that is in it. For archives that others refer to,
// where nothing else of them is needed.
import type { Seekable } from '../frame/seekable.js';
import { checksumFrameBytes, decodeChecksumFrame } from './checksum-frame.js';
import { decodeSeekFooter, seekFooterBytes, seekTableBytes } from './seek-table.js';

/** SHA-256, in hex, as the checksum frame has it; undefined where there is none. @throws TidemarkError what reading throws */
export async function readIdentity(bytes: Seekable): Promise<string | undefined> {
  const { size } = bytes;
  if (size < BigInt(seekTableBytes(0) + checksumFrameBytes)) return undefined;
  const footer = await bytes.read(size - BigInt(seekFooterBytes), seekFooterBytes);
  const at = size - BigInt(seekTableBytes(framesOf(footer)) + checksumFrameBytes);
  return at < 0n ? undefined : decodeChecksumFrame(await bytes.read(at, checksumFrameBytes))?.sha256;
}

function framesOf(footer: Buffer): number {
  try {
    return decodeSeekFooter(footer) ?? 0;
  } catch {
    return 0;
  }
}
