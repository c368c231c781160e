// The keys that the environment names. They are asked for where no option says anything, by programs as by commands: what must be signed
// has to be so for everything that runs beside the variable.
import { TidemarkError } from '../model/errors.js';

export const keyVariables = {
  signKey: 'TIDEMARK_SIGN_KEY',
  verifyKeys: 'TIDEMARK_VERIFY_KEYS',
  encryptTo: 'TIDEMARK_ENCRYPT_TO',
  identities: 'TIDEMARK_IDENTITIES',
} as const;

/** Names that somebody might take for those above. A slip would leave everything unsigned, and nobody would see it. */
const slips: Readonly<Record<string, string>> = {
  TIDEMARK_SIGN_KEYS: keyVariables.signKey,
  TIDEMARK_SIGN: keyVariables.signKey,
  TIDEMARK_VERIFY_KEY: keyVariables.verifyKeys,
  TIDEMARK_ENCRYPT: keyVariables.encryptTo,
  TIDEMARK_IDENTITY: keyVariables.identities,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** One value; an empty one counts as none. @throws TidemarkError USAGE for a variable whose name is a slip */
export function variable(key: keyof typeof keyVariables, env: Environment = process.env): string | undefined {
  for (const [slip, meant] of Object.entries(slips)) {
    if (meant === keyVariables[key] && env[slip]) {
      throw new TidemarkError('USAGE', `read the environment: there is no variable ${slip}`, { hint: `it is called ${meant}` });
    }
  }
  return env[keyVariables[key]]?.trim() || undefined;
}

/** A list: with commas, or as JSON. @throws TidemarkError USAGE */
export function listVariable(key: keyof typeof keyVariables, env: Environment = process.env): readonly string[] | undefined {
  const text = variable(key, env);
  if (text === undefined) return undefined;
  return text.startsWith('[') ? jsonList(keyVariables[key], text) : text.split(',').map((part) => part.trim());
}

function jsonList(name: string, text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  } catch {
    // Told below: what stands there may be a secret.
  }
  throw new TidemarkError('USAGE', `read the environment: ${name} is no list of texts`, {
    hint: 'write the items with commas between them, or as JSON: ["one", "two"]',
  });
}
