// The options that say whose archives are accepted, and what is told of a signature.
import type { Command } from 'commander';
import type { CheckedSignature } from '../app/seal/check-signature.js';
import type { TrustOptions } from '../app/seal/open-sealed.js';
import { printable } from '../model/printable.js';
import { collect } from './arguments.js';
import { given } from './given.js';

export interface TrustFlags {
  readonly prefix?: string;
  readonly verifyKey?: readonly string[];
  readonly identity?: readonly string[];
}

/** For commands that take the name of an archive. */
export function addTrust(command: Command): Command {
  return addKeys(command.option('--prefix <name>', 'of a store that several series share: the newest of those whose names begin so'));
}

/** For commands that have a store. */
export function addKeys(command: Command): Command {
  return command
    .option(
      '--verify-key <key>',
      'refuse it unless this public key, a file or the key itself, has signed it (repeatable; default: TIDEMARK_VERIFY_KEYS)',
      collect,
    )
    .option('--identity <file>', 'decrypt it with the age identities in this file (repeatable; default: TIDEMARK_IDENTITIES)', collect);
}

/** Which archive of a store is meant, and whose is accepted. @param config what is said where the options say nothing */
export function trustOptions(flags: TrustFlags, config: TrustOptions = {}): TrustOptions & { readonly prefix?: string } {
  return {
    ...given('verifyKeys', flags.verifyKey ?? config.verifyKeys),
    ...given('identities', flags.identity ?? config.identities),
    ...given('prefix', flags.prefix),
  };
}

/** `signed by the key BE6BA0320A7A722B at 2026-01-31T23:59:59.000Z` */
export function describeSignature({ keyId, signedAt, trustedComment }: CheckedSignature): string {
  return `signed by the key ${keyId}${signedAt === undefined ? `: ${printable(trustedComment)}` : ` at ${signedAt.toISOString()}`}`;
}
