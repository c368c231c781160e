// Tar headers (ustar, POSIX.1-1988) of regular files and nothing else: writing them so that they depend on name and size alone, and
// reading them without trust. Bodies and padding are moved elsewhere.

/** Everything in a tar is a whole number of these, in bytes. */
export const tarBlock = 512;
/** Two blocks of zeros end a tar. */
export const tarEndBytes = 2 * tarBlock;

/** Field: [offset, length]. */
const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  magic: [257, 6],
  version: [263, 2],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const;

/** Sizes from here on do not fit into eleven octal digits and are written in base 256, which GNU and BSD tar read. */
const octalLimit = 8 ** 11;

/** Zero bytes that fill up a body to a whole block. */
export function paddingOf(bytes: number): number {
  return (tarBlock - (bytes % tarBlock)) % tarBlock;
}

/** Bytes that a member takes in a tar: header, body, padding. */
export function tarBytes(bodyBytes: number): number {
  return tarBlock + bodyBytes + paddingOf(bodyBytes);
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(name) || name.length > 100)
    throw new RangeError(`the name ${JSON.stringify(name)} is not safe`);
  if (name.split('/').some((part) => part === '.' || part === '..')) throw new RangeError(`the name ${name} leaves its directory`);
}

/** All bytes of the header with the checksum's own field taken as spaces. */
function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < tarBlock; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum;
}

/** Whether a header can be written of it. Throws RangeError as `tarHeader` does. */
export function checkTarMember(name: string, bytes: number): void {
  checkName(name);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`a tar member cannot have ${bytes} bytes`);
}

/**
 * The header of a regular file: mode 0600, uid and gid 0, mtime 0, no user names, so that it depends on nothing but name and size.
 * Throws RangeError for a name that is not relative, safe ASCII of up to 100 bytes, or a size past 2^53.
 */
export function tarHeader(name: string, bytes: number): Buffer {
  const block = Buffer.alloc(tarBlock);
  writeTarHeader(block, name, bytes);
  return block;
}

/** As `tarHeader`, into the first 512 bytes of `target`. */
export function writeTarHeader(target: Uint8Array, name: string, bytes: number): void {
  checkTarMember(name, bytes);
  const block = Buffer.from(target.buffer, target.byteOffset, tarBlock).fill(0);
  const octal = ([offset, length]: readonly [number, number], value: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  };
  block.write(name, field.name[0], 'latin1');
  octal(field.mode, 0o600);
  octal(field.uid, 0);
  octal(field.gid, 0);
  if (bytes < octalLimit) octal(field.size, bytes);
  else {
    block[field.size[0]] = 0x80;
    block.writeBigUInt64BE(BigInt(bytes), field.size[0] + 4);
  }
  octal(field.mtime, 0);
  block.write('0', field.typeflag[0], 'latin1');
  block.write('ustar\0', field.magic[0], 'latin1');
  block.write('00', field.version[0], 'latin1');
  octal(field.devmajor, 0);
  octal(field.devminor, 0);
  // Six digits, a zero byte and a space: the one field that every tar writes so.
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, field.checksum[0], 'latin1');
}

function text(block: Buffer, [offset, length]: readonly [number, number]): string {
  const bytes = block.subarray(offset, offset + length);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? length : end);
}

function octalOf(block: Buffer, [offset, length]: readonly [number, number], what: string): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', offset, offset + length))?.[1];
  if (digits === undefined) throw new RangeError(`its ${what} is not a number`);
  return Number.parseInt(digits, 8);
}

function sizeOf(block: Buffer): number {
  const [offset] = field.size;
  if (block[offset] !== 0x80) return octalOf(block, field.size, 'size');
  const high = block.readUIntBE(offset + 1, 3);
  const low = block.readBigUInt64BE(offset + 4);
  if (high !== 0 || low > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('its size passes 2^53');
  return Number(low);
}

/**
 * Name and body size of a regular file's header. Throws RangeError for anything else: wrong checksum, not ustar, links, directories,
 * pax and GNU extensions, names that are absolute, climb out of their directory or are not plain ASCII.
 */
export function parseTarHeader(bytes: Uint8Array): { readonly name: string; readonly bytes: number } {
  if (bytes.length < tarBlock) throw new RangeError('the tar header ends too early');
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, tarBlock);
  if (octalOf(block, field.checksum, 'checksum') !== checksumOf(block)) throw new RangeError('the checksum of the tar header is wrong');
  if (block.toString('latin1', 257, 265) !== 'ustar\x0000') throw new RangeError('the tar header is not ustar');
  const type = text(block, field.typeflag);
  if (type !== '0') throw new RangeError(`the tar member is not a regular file (type ${JSON.stringify(type)})`);
  const prefix = text(block, field.prefix);
  const name = prefix === '' ? text(block, field.name) : `${prefix}/${text(block, field.name)}`;
  checkName(name);
  return { name, bytes: sizeOf(block) };
}
