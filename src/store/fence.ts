// The fencing token of a folder: of several processes that each take themselves for the one that may publish, only the last to have taken
// over can. Temporary files carry the token of their holder; a take-over removes those of smaller tokens, and as publishing is a link or a
// rename of such a file, a holder that was stopped meanwhile fails at it, whenever it goes on. The lock that elects a holder is elsewhere.
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { fenceEntries, temporaryName, tokenName } from './fence-names.js';
import { makeDirectory, syncDirectory } from './sync-directory.js';

/** The right to publish in a folder, until somebody else takes over. */
export interface Fence {
  readonly token: bigint;
  /** Name of a temporary file that nobody else has. What lies beside it while it is written (sidecars, spooled rows) must have a name that
   *  begins with it: then a take-over removes that, too. */
  temporaryName(): string;
  /** Call it after the temporary file was made, and before it is published: a file made before a check that passed is removed by whoever
   *  takes over after it. @throws TidemarkError LOCK_LOST when another process has taken over, FILE_ERROR */
  check(): Promise<void>;
}

/** Calls to the file system; tests interleave those of several holders. */
export interface FenceFiles {
  /** Makes a directory that may be there, durably. */
  readonly makeDirectory: (directory: string) => Promise<void>;
  /** Makes durable what was done in a directory. */
  readonly sync: (directory: string) => Promise<void>;
  readonly list: (directory: string) => Promise<readonly string[]>;
  /** Makes a file that must not be there. */
  readonly create: (path: string, content: string) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
  /** Removes a file that may be gone. */
  readonly remove: (path: string) => Promise<void>;
}

const realFiles: FenceFiles = {
  makeDirectory,
  sync: syncDirectory,
  list: (directory) => readdir(directory),
  create: (path, content) => writeFile(path, content, { flag: 'wx', mode: 0o600 }),
  read: (path) => readFile(path, 'utf8'),
  remove: (path) => rm(path, { force: true }),
};

/** A folder and the prefix of its snapshots. */
interface Place {
  readonly directory: string;
  readonly prefix: string;
  readonly files: FenceFiles;
}

/** A token as its holder knows it: a token's file that went and came again with the same number is another's. */
interface Token {
  readonly token: bigint;
  readonly secret: string;
}

/** Takes over a folder: once this has resolved, no holder of an earlier token can publish any more, whatever it did before. The directory
 *  is made where it is missing. A crash in the middle leaves files that the next take-over clears away; foreign files are never touched.
 *  @param prefix of the snapshots' names; each prefix has tokens of its own
 *  @throws TidemarkError FILE_ERROR, DISK_FULL */
export async function takeOver(directory: string, prefix: string, files: FenceFiles = realFiles): Promise<Fence> {
  const place: Place = { directory, prefix, files };
  try {
    await files.makeDirectory(directory);
    const mine = await takeToken(place);
    await files.sync(directory);
    await removeOlder(place, mine.token);
    return fence(place, mine);
  } catch (error) {
    throw fileError(error, `take over the snapshots ${prefix} in ${directory}`);
  }
}

/** Makes the file of the next token. Somebody who was stopped here makes one that was the next long ago, and sees so: among the files
 *  there is always the one with the greatest token, as only a holder of a greater one removes it. */
async function takeToken(place: Place): Promise<Token> {
  const { directory, prefix, files } = place;
  for (let least = 1n; ; least += 1n) {
    const greatest = fenceEntries(await files.list(directory), prefix).tokens.at(-1)?.token ?? 0n;
    const token = greatest >= least ? greatest + 1n : least;
    least = token;
    const mine = { token, secret: randomUUID() };
    const path = join(directory, tokenName(prefix, token));
    try {
      await files.create(path, mine.secret);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    if (await isNewest(place, mine)) return mine;
    await files.remove(path);
  }
}

/** True while nobody has taken over since. A directory that is being changed may be listed without a file that has gone meanwhile *and*
 *  without the one that its remover made before; but that remover has removed this token first, so it is read after the listing. */
async function isNewest({ directory, prefix, files }: Place, { token, secret }: Token): Promise<boolean> {
  const { tokens } = fenceEntries(await files.list(directory), prefix);
  if (tokens.at(-1)?.token !== token) return false;
  const found = await files.read(join(directory, tokenName(prefix, token))).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found === secret;
}

/** Tokens in ascending order, which `isNewest` relies on. A temporary file that this listing misses was made after the token, so that its
 *  holder's check fails. */
async function removeOlder({ directory, prefix, files }: Place, than: bigint): Promise<void> {
  const { tokens, temporaries } = fenceEntries(await files.list(directory), prefix);
  for (const { name, token } of [...tokens, ...temporaries]) if (token < than) await files.remove(join(directory, name));
  await files.sync(directory);
}

let counter = 0;

function fence(place: Place, mine: Token): Fence {
  const { directory, prefix } = place;
  return {
    token: mine.token,
    temporaryName: () => {
      counter += 1;
      return temporaryName(prefix, mine.token, counter);
    },
    check: async () => {
      const holds = await isNewest(place, mine).catch((error: unknown) => {
        throw fileError(error, `look who may publish in ${directory}`);
      });
      if (!holds) throw lockLost(`publish in ${directory}: another process has taken over since`);
    },
  };
}

/** What a holder is told that is one no more. */
export function lockLost(message: string): TidemarkError {
  return new TidemarkError('LOCK_LOST', message, {
    hint: 'nothing was published by this one; see what the other process has done, it works with the same store',
  });
}
