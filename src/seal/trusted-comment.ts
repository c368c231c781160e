// What tidemark says in the trusted comment of a signature, in the form that minisign itself uses: fields with tabs between them. The manifest
// says all of the members; this adds when it was signed, under which name, and the SHA-256 of the whole archive.

export interface SignedFacts {
  readonly signedAt: Date;
  /** Names, without directories. */
  readonly archive: string;
  /** Of the archive as it is before it is encrypted, in hex. */
  readonly sha256: string;
}

/** Tabs and line breaks would be other fields and lines. */
function escaped(name: string): string {
  return Buffer.from(name)
    .toString()
    .replace(/[\p{Cc}%]/gu, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function trustedComment({ signedAt, archive, sha256 }: SignedFacts): string {
  return `timestamp:${Math.floor(signedAt.getTime() / 1000)}\tarchive:${escaped(archive)}\tsha256:${sha256}`;
}

/** What a comment says. Anybody who has the key may write other ones, so every field may be missing. */
export function parseTrustedComment(comment: string): Partial<SignedFacts> {
  const fields = new Map(comment.split('\t').map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1)]));
  const seconds = /^\d{1,12}$/.exec(fields.get('timestamp') ?? '')?.[0];
  const sha256 = /^[0-9a-f]{64}$/.exec(fields.get('sha256') ?? '')?.[0];
  const archive = fields.get('archive')?.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return {
    ...(seconds === undefined ? {} : { signedAt: new Date(Number(seconds) * 1000) }),
    ...(archive === undefined ? {} : { archive }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}
