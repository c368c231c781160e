// The last member, `manifest.json`, which shares its frame with the end of the tar: two blocks of zeros that every tar reader waits for.
// How it is found in a file, or comes by in a pipe, is for the readers.

import type { Codec } from '../frame/codec.js';
import { manifestMember } from '../frame/member-names.js';
import { paddingOf, parseTarHeader, tarBlock, tarBytes, tarEndBytes, tarHeader } from '../frame/tar.js';
import { walkFrame } from '../frame/walk.js';
import { TidemarkError } from '../model/errors.js';
import { checkJsonBounds, checkJsonSize, type JsonLimits, jsonLimits } from './json-bounds.js';

/** The tar bytes of the manifest's frame. Throws where the text passes what readers accept. */
export function manifestTar(text: string): Buffer {
  const body = Buffer.from(text);
  if (body.length > jsonLimits.bytes) {
    throw new TidemarkError(
      'UNSUPPORTED_OBJECT',
      `write ${manifestMember}: it has ${body.length} bytes, and ${jsonLimits.bytes} are the most`,
      {
        hint: 'take several snapshots of fewer tables each: docs/limits.md says how much one can hold',
      },
    );
  }
  return Buffer.concat([tarHeader(manifestMember, body.length), body, Buffer.alloc(paddingOf(body.length) + tarEndBytes)]);
}

/** The body of the manifest in the content of its frame. Throws RangeError where header, padding or end of the tar are not as they must be. */
function manifestBody(tar: Buffer): Buffer {
  const header = parseTarHeader(tar);
  if (header.name !== manifestMember) throw new RangeError(`the last member is ${header.name}, not ${manifestMember}`);
  if (tar.length !== tarBytes(header.bytes) + tarEndBytes) throw new RangeError('the tar does not end behind the manifest');
  const end = tarBlock + header.bytes;
  if (tar.subarray(end).some((byte) => byte !== 0)) throw new RangeError('the end of the tar is not of zeros');
  return tar.subarray(tarBlock, end);
}

/** The text of the manifest out of its frame of `raw` bytes. Throws ARCHIVE_CORRUPT, ARCHIVE_INVALID where it passes the limits. */
export function decodeManifestFrame(codec: Codec, frame: Uint8Array, raw: number, limits: JsonLimits = jsonLimits): string {
  checkJsonSize(manifestMember, raw - tarBlock - tarEndBytes, limits);
  let body: Buffer;
  try {
    const { header } = walkFrame(frame);
    if (header.kind !== 'zstd' || !header.checksum) throw new RangeError('its frame has no checksum');
    body = manifestBody(codec.decompress(frame, raw));
  } catch (error) {
    throw new TidemarkError('ARCHIVE_CORRUPT', `read ${manifestMember}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  checkJsonBounds(manifestMember, body, limits);
  return body.toString('utf8');
}
