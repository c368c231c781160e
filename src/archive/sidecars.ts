// The files that lie beside an archive: its manifest, to be read without the archive, its SHA-256, to be checked without tidemark, and the
// signature of the manifest. Names and texts only; who writes and reads the files is elsewhere.

export function manifestSidecar(path: string): string {
  return `${path}.manifest.json`;
}

/** Of the manifest's text, which is the same in the archive. */
export function signatureSidecar(path: string): string {
  return `${path}.manifest.json.minisig`;
}

/** The manifest of an archive that is encrypted, encrypted, too: it has the names of tables and columns. */
export function encryptedManifestSidecar(path: string): string {
  return `${path}.manifest.json.age`;
}

export function checksumSidecar(path: string): string {
  return `${path}.sha256`;
}

/** Where what has this ending may lie beside an archive, by its path or key: a folder that is one snapshot's own gives the files in it shorter
 *  names, `manifest.json` and `snapshot.sha256`. */
export function besideNames(path: string, ending: string): readonly string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const names = [`${path}${ending}`];
  if (!/^snapshot\.tar\.zst(\.age)?$/.test(path.slice(folder.length))) return names;
  return [...names, ending === checksumSidecar('') ? `${folder}snapshot${ending}` : `${folder}${ending.slice(1)}`];
}

const mebi = 1024 * 1024;

/** Bytes that what has this ending is read up to, for it may be anybody's: a manifest is as large as the member that it is, and armored by a third larger. */
export function sidecarLimit(ending: string): number {
  return [manifestSidecar(''), encryptedManifestSidecar('')].includes(ending) ? 256 * mebi : mebi;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/** The line that `sha256sum` prints for a file of this name, without directories. A name with line breaks or backslashes is marked and escaped. */
export function checksumText(sha256: string, basename: string): string {
  const escaped = basename.replace(/[\\\n\r]/g, (character) => escapes[character] ?? character);
  return `${escaped === basename ? '' : '\\'}${sha256}  ${escaped}\n`;
}

/** The hash in such a line, in text or binary mode; undefined where it is none. */
export function parseChecksumText(text: string): { readonly sha256: string; readonly basename: string } | undefined {
  const match = /^(\\?)([0-9a-f]{64}) [ *]([^\n]+)\n?$/.exec(text);
  const [, marked, sha256, name] = match ?? [];
  if (sha256 === undefined || name === undefined) return undefined;
  const unescaped = name.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? letter);
  return { sha256, basename: marked === '' ? name : unescaped };
}
