// Decrypts what is small and armored: the manifest beside an encrypted archive. What is not armored is read as well.
import { type Identities, isAge } from './age-keys.js';
import { damaged } from './decrypt-errors.js';
import { decryptedStream } from './decrypt-stream.js';

/** @param name for messages  @throws TidemarkError IDENTITY_MISSING, ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED */
export async function decryptText(
  content: Buffer,
  { identities, name }: { readonly identities: Identities; readonly name: string },
): Promise<Buffer> {
  const file = isAge(content) ? content : await unarmored(content, name);
  if (!isAge(file)) throw damaged('ARCHIVE_CORRUPT', name, 'it is no file of age');
  const pieces: Uint8Array[] = [];
  for await (const piece of decryptedStream(one(file), async () => identities, name)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function unarmored(content: Buffer, name: string): Promise<Buffer> {
  const { armor } = await import('age-encryption');
  try {
    return Buffer.from(armor.decode(content.toString('latin1')));
  } catch {
    throw damaged('ARCHIVE_CORRUPT', name, 'it is no armored file of age, or was altered');
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
