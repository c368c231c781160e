// Names of a fence's files. The prefix is spelled without a dot, so that the files of no prefix look like those of another one that begins
// with it; and the names are none that publish-file.ts gives or clears away. Pure.

/** `.<prefix>.token-<n>.tidemark`: token n was taken. */
export function tokenName(prefix: string, token: bigint): string {
  return `.${spell(prefix)}.token-${token}.tidemark`;
}

/** `.<prefix>.t<n>.p<process>-<number>.tidemark`: what the holder of token n is about to publish. Other temporary files that belong to it
 *  have names that begin with this one. */
export function temporaryName(prefix: string, token: bigint, unique: number): string {
  return `.${spell(prefix)}.t${token}.p${process.pid}-${unique}.tidemark`;
}

/** What a directory holds of a prefix. */
export interface FenceEntries {
  readonly tokens: readonly { readonly name: string; readonly token: bigint }[];
  readonly temporaries: readonly { readonly name: string; readonly token: bigint }[];
}

/** Picks the files of one prefix out of a directory's names; tokens in ascending order. */
export function fenceEntries(names: readonly string[], prefix: string): FenceEntries {
  const start = `.${spell(prefix)}.`;
  const found = names.flatMap((name) => {
    const match = name.startsWith(start) ? pattern.exec(name.slice(start.length)) : null;
    if (match === null) return [];
    const [, taken, begun] = match;
    return [{ name, token: BigInt(taken ?? begun ?? 0), isToken: taken !== undefined }];
  });
  return {
    tokens: found.filter(({ isToken }) => isToken).sort((a, b) => (a.token < b.token ? -1 : 1)),
    temporaries: found.filter(({ isToken }) => !isToken),
  };
}

const pattern = /^(?:token-([1-9]\d*)\.tidemark$|t([1-9]\d*)\.p\d+-\d+\.tidemark)/;

function spell(prefix: string): string {
  return encodeURIComponent(prefix).replaceAll('.', '%2E');
}
