// What must hold between a manifest and the frames of the file around it: every byte belongs to exactly one member, in the order of the
// format, and all sums are right. Pure; the writer checks itself with it, and every reader trusts sizes only after it.
import { catalogMember, globalsMember, manifestMember, postDataMember, preDataMember } from '../frame/member-names.js';
import { checkTarMember, tarBytes } from '../frame/tar.js';
import { isTable } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { FrameSize, Manifest, StoredMember, TableEntry } from '../model/manifest.js';

function corrupt(what: string, member?: StoredMember): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `check the archive against its manifest: ${what}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
    details: member === undefined ? {} : { member: member.member, offset: member.offset },
  });
}

/** Raw bytes of one frame at most: what other readers of the seekable format take. */
export const frameLimit = 1024 ** 3;

/** The members that this archive has, by its manifest, in the order of their offsets. */
export function membersOf(manifest: Manifest): readonly StoredMember[] {
  const members: StoredMember[] = [...manifest.schema, ...manifest.tables.flatMap((table) => (table.in === undefined ? table.chunks : []))];
  return members.sort((a, b) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0));
}

/** Compressed data hardly grows: a frame that claims more than this is not one that any compressor made. */
export function compressedLimit(raw: number): number {
  return raw + Math.ceil(raw / 64) + 1024;
}

/** Sizes of one member among themselves, and its name. Throws ARCHIVE_CORRUPT. */
export function checkMember(member: StoredMember): void {
  const { member: name, frames, rawBytes, length } = member;
  if (rawBytes > BigInt(Number.MAX_SAFE_INTEGER) || length > BigInt(Number.MAX_SAFE_INTEGER))
    throw corrupt(`the sizes of ${name} cannot be`, member);
  try {
    checkTarMember(name, Number(rawBytes));
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error), member);
  }
  let compressed = 0;
  let raw = 0;
  for (const frame of frames) {
    if (frame.raw === 0 || frame.raw > frameLimit) throw corrupt(`a frame of ${name} cannot hold ${frame.raw} bytes`, member);
    if (frame.compressed > compressedLimit(frame.raw)) throw corrupt(`a frame of ${name} is larger than its content`, member);
    compressed += frame.compressed;
    raw += frame.raw;
  }
  if (BigInt(compressed) !== length) throw corrupt(`the frames of ${name} have ${compressed} bytes, not ${length}`, member);
  if (raw !== tarBytes(Number(rawBytes))) throw corrupt(`the frames of ${name} hold ${raw} bytes of tar for a body of ${rawBytes}`, member);
}

/** Members that are not rows, in the order of the format; rows come in the place of the hole. */
const schemaOrder: readonly (string | undefined)[] = [
  catalogMember,
  globalsMember,
  preDataMember,
  undefined,
  postDataMember,
  manifestMember,
];
const dataRank = schemaOrder.indexOf(undefined);

/** A member's place in the order of the format. */
function rankOf(name: string): number {
  const place = schemaOrder.indexOf(name);
  return place < 0 ? dataRank : place;
}

function checkTable(table: TableEntry): void {
  const name = JSON.stringify(`${table.schema}.${table.name}`);
  let rows = 0n;
  let rawBytes = 0n;
  const extension = table.format === 'binary' ? '.bin' : '.copy';
  for (const chunk of table.chunks) {
    rows += chunk.rows;
    rawBytes += chunk.rawBytes;
    if (!chunk.member.startsWith(`${table.directory}/`) || !chunk.member.endsWith(extension)) {
      throw corrupt(`member ${chunk.member} is not one of table ${name}`, chunk);
    }
  }
  if (!/^data\/[^/]+$/.test(table.directory)) throw corrupt(`the directory of table ${name} is ${table.directory}`);
  if (table.withoutData !== undefined && table.chunks.length > 0) throw corrupt(`table ${name} is without data and has chunks`);
  if (rows !== table.rows) throw corrupt(`the chunks of table ${name} have ${rows} rows, not ${table.rows}`);
  if (rawBytes !== table.rawBytes) throw corrupt(`the chunks of table ${name} have ${rawBytes} bytes, not ${table.rawBytes}`);
}

/** The totals that belong to these tables: raw and compressed bytes are those of their chunks, compressed ones only of those in this archive. Large objects are
 *  no tables, but count with their pieces as rows; statistics with their bytes alone. */
export function totalsOf(tables: readonly TableEntry[]): Manifest['totals'] {
  let rows = 0n;
  let rawBytes = 0n;
  let compressedBytes = 0n;
  for (const table of tables) {
    if (!table.statistics) rows += table.rows;
    rawBytes += table.rawBytes;
    if (table.in === undefined) for (const chunk of table.chunks) compressedBytes += chunk.length;
  }
  return { tables: tables.filter(isTable).length, rows, rawBytes, compressedBytes };
}

/** What other archives hold: each is needed, and the chunks lie within it, one behind the other or apart. */
function checkOthers({ archives = [], tables }: Manifest): void {
  const ends = archives.map(() => 0n);
  const parts = tables.flatMap((table) => (table.in === undefined ? [] : table.chunks.map((chunk) => ({ at: table.in as number, chunk }))));
  for (const table of tables) {
    if (table.in === undefined) continue;
    if (table.chunks.length === 0) throw corrupt(`table ${table.schema}.${table.name} has nothing in another archive`);
    if (archives[table.in] === undefined)
      throw corrupt(`table ${table.schema}.${table.name} is in archive ${table.in}, which is not listed`);
  }
  for (const { at, chunk } of parts.sort((a, b) => a.at - b.at || (a.chunk.offset < b.chunk.offset ? -1 : 1))) {
    checkMember(chunk);
    if (chunk.offset < (ends[at] ?? 0n)) throw corrupt(`member ${chunk.member} overlaps another one`, chunk);
    ends[at] = chunk.offset + chunk.length;
    if (chunk.offset + chunk.length > (archives[at]?.bytes ?? 0n))
      throw corrupt(`member ${chunk.member} is past the end of its archive`, chunk);
  }
  for (const [at, { file }] of archives.entries()) {
    if (ends[at] === 0n) throw corrupt(`nothing is in archive ${file}`);
    if (archives.findIndex((other) => other.file === file) !== at) throw corrupt(`archive ${file} is listed twice`);
  }
}

/**
 * Checks a manifest on its own: members follow each other without gap or overlap from offset 0, in the order of the format, with names
 * that are safe and occur once; sums are right. Gives the members in order, and where the last of them ends.
 * Throws ARCHIVE_CORRUPT.
 */
export function checkManifest(manifest: Manifest): { readonly members: readonly StoredMember[]; readonly end: bigint } {
  const members = membersOf(manifest);
  const names = new Set<string>([manifestMember]);
  let end = 0n;
  let rank = 0;
  for (const member of members) {
    checkMember(member);
    if (names.has(member.member)) throw corrupt(`member ${member.member} is there twice`, member);
    names.add(member.member);
    if (member.offset !== end)
      throw corrupt(`member ${member.member} is at offset ${member.offset}, and the one before it ends at ${end}`, member);
    end += member.length;
    if (rankOf(member.member) < rank) throw corrupt(`member ${member.member} is out of order`, member);
    rank = rankOf(member.member);
  }
  if (members[0]?.member !== catalogMember) throw corrupt(`its first member is not ${catalogMember}`);
  for (const { member } of manifest.schema) if (rankOf(member) === dataRank) throw corrupt(`member ${member} is none of the schema`);
  const directories = new Set<string>();
  for (const table of manifest.tables) {
    checkTable(table);
    if (directories.has(table.directory)) throw corrupt(`the directory ${table.directory} is of two tables`);
    directories.add(table.directory);
  }
  checkOthers(manifest);
  checkTotals(manifest);
  return { members, end };
}

function checkTotals({ tables, totals: told }: Manifest): void {
  const totals = totalsOf(tables);
  // Archives of before have statistics among their rows.
  const statistics = tables.reduce((sum, table) => (table.statistics ? sum + table.rows : sum), 0n);
  for (const key of ['tables', 'rows', 'rawBytes', 'compressedBytes'] as const) {
    const before = key === 'rows' && told.rows === totals.rows + statistics;
    if (totals[key] !== told[key] && !before) throw corrupt(`its total of ${key} is ${told[key]}, and the tables have ${totals[key]}`);
  }
}

/**
 * Checks a manifest against the frames that precede its own. Throws ARCHIVE_CORRUPT.
 * `frames`: of the whole file before the manifest's, by its seek table or by walking it.
 */
export function checkLayout(manifest: Manifest, frames: readonly FrameSize[]): readonly StoredMember[] {
  const { members } = checkManifest(manifest);
  let at = 0;
  for (const member of members) {
    for (const { compressed, raw } of member.frames) {
      const frame = frames[at++];
      if (frame?.compressed !== compressed || frame.raw !== raw)
        throw corrupt(`the frames of ${member.member} are not those of the file`, member);
    }
  }
  if (at !== frames.length) throw corrupt(`the file has ${frames.length} frames before the manifest's, not ${at}`);
  return members;
}
