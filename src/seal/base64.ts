// Base64 as key and signature files have it: one canonical text for each sequence of bytes. Buffer's own decoder passes over what it does
// not know, so that many texts would be the same key.

/** Undefined where it is no base64, or not of so many bytes. */
export function fromBase64(text: string, bytes: number): Buffer | undefined {
  const buffer = Buffer.from(text, 'base64');
  return buffer.length === bytes && buffer.toString('base64') === text ? buffer : undefined;
}
