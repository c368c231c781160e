// The use case "make keys": a pair of files in the forms of minisign, or of age. Nothing is ever overwritten: an old key may be the only one
// that checks, or opens, what there is.
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import { fileError } from '../../model/file-error.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { generateAgeKey } from '../../seal/age-keys.js';
import { generateKeyFiles } from '../../seal/key-files.js';
import { syncDirectory } from '../../store/sync-directory.js';

export interface KeygenOptions {
  /** Path of the files, without their endings. Default `tidemark`. */
  readonly name?: string;
  /** Keys for encryption, in the form of age-keygen, not for signatures. */
  readonly age?: boolean;
}

const optionNames: OptionNames<KeygenOptions> = { name: true, age: true };

export interface MadeKeys {
  /** Path of the secret part, readable by its owner alone. */
  readonly secretFile: string;
  readonly publicFile: string;
  /** 16 hexadecimal digits, as minisign prints them. Keys of age have none. */
  readonly keyId?: string;
  /** The public part as one line. */
  readonly publicKey: string;
}

/** Makes a pair of keys: for signatures `<name>.key` and `<name>.pub`; for encryption `<name>.age-identity`, and `<name>.age-recipient`, which is
 *  a file of recipients. @throws TidemarkError FILE_ERROR, also where one of the files is there */
export async function generateKeys(options: KeygenOptions = {}): Promise<MadeKeys> {
  refuseUnknownOptions(options, optionNames, 'make keys');
  const { name = 'tidemark', age = false } = options;
  return age ? ageKeys(name) : signatureKeys(name);
}

async function ageKeys(name: string): Promise<MadeKeys> {
  const { identity, recipient } = await generateAgeKey();
  const [secretFile, publicFile] = [`${name}.age-identity`, `${name}.age-recipient`];
  const created = new Date().toISOString().replace(/\.\d+/, '');
  await writeNew([
    { path: secretFile, mode: 0o600, text: `# created: ${created}\n# public key: ${recipient}\n${identity}\n` },
    { path: publicFile, mode: 0o644, text: `${recipient}\n` },
  ]);
  return { secretFile, publicFile, publicKey: recipient };
}

async function signatureKeys(name: string): Promise<MadeKeys> {
  const { id, secret, public: publicText, publicLine } = generateKeyFiles();
  const [secretFile, publicFile] = [`${name}.key`, `${name}.pub`];
  await writeNew([
    { path: secretFile, mode: 0o600, text: secret },
    { path: publicFile, mode: 0o644, text: publicText },
  ]);
  return { secretFile, publicFile, keyId: id, publicKey: publicLine };
}

interface NewFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** All of the files or none, durably. */
export async function writeNew(files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path, mode, text } of files) {
      const handle = await create(path, mode);
      made.push(path);
      try {
        // The mode of open() is subject to the umask, which may take away more, and leaves nothing readable in between.
        await handle.writeFile(text);
        await handle.sync();
      } catch (error) {
        throw fileError(error, `write the key ${path}`);
      } finally {
        await handle.close();
      }
    }
    for (const directory of new Set(made.map(dirname))) await syncDirectory(directory);
  } catch (error) {
    for (const path of made) await rm(path, { force: true });
    throw error;
  }
}

async function create(path: string, mode: number) {
  try {
    return await open(path, 'wx', mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new TidemarkError('FILE_ERROR', `write the key ${path}: there is a file of that name`, {
        hint: 'keys are never overwritten: give another name with -o',
        details: { path },
        cause: error,
      });
    }
    throw fileError(error, `write the key ${path}`);
  }
}
