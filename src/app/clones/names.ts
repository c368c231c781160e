// Names of the databases that tests get: what each is, and whose. Pure. Whatever is called otherwise is somebody else's, and left alone.
import { createHash } from 'node:crypto';

/** How templates are made: another number makes them anew. */
const form = 1;

/** 96 bits of a hash: names have 63 bytes, of which a restore needs some. */
const hexDigits = 24;

/** What a template is made of, beside the archive. */
export interface Preparation {
  /** Stands for what is done to the database after the restore: another one is another template. */
  readonly key: string;
}

/** The template of an archive: the same for everybody who asks for the same contents.
 *  @param sha256 of the archive, in hex */
export function templateName(sha256: string, preparation?: Preparation): string {
  const hash = createHash('sha256').update(JSON.stringify([form, sha256, preparation?.key ?? null]));
  return `tidemark_template_${hash.digest('hex').slice(0, hexDigits)}`;
}

export function isTemplateName(name: string): boolean {
  return /^tidemark_template_[0-9a-f]{24}$/.test(name);
}

/** @param run of `newRun`
 *  @param number of the clone in its run */
export function cloneName(run: string, number: number): string {
  return `tidemark_clone_${run}_${number}`;
}

/** The run that a clone belongs to; undefined where the database is no clone. */
export function runOf(name: string): string | undefined {
  return /^tidemark_clone_([0-9a-f]{12})_\d+$/.exec(name)?.[1];
}
