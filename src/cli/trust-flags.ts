// The options that say whose archives are accepted, and what is told of a signature.
import type { Command } from 'commander';
import type { CheckedSignature } from '../app/seal/check-signature.js';
import type { TrustOptions } from '../app/seal/open-sealed.js';
import { printable } from '../model/printable.js';
import { collect } from './arguments.js';
import { given } from './given.js';

export interface TrustFlags {
  readonly verifyKey?: readonly string[];
  readonly identity?: readonly string[];
}

export function addTrust(command: Command): Command {
  return command
    .option(
      '--verify-key <key>',
      'refuse it unless this public key, a file or the key itself, has signed it (repeatable; default: TIDEMARK_VERIFY_KEYS)',
      collect,
    )
    .option('--identity <file>', 'decrypt it with the age identities in this file (repeatable; default: TIDEMARK_IDENTITIES)', collect);
}

export function trustOptions(flags: TrustFlags): TrustOptions {
  return { ...given('verifyKeys', flags.verifyKey), ...given('identities', flags.identity) };
}

/** `signed by the key BE6BA0320A7A722B at 2026-01-31T23:59:59.000Z` */
export function describeSignature({ keyId, signedAt, trustedComment }: CheckedSignature): string {
  return `signed by the key ${keyId}${signedAt === undefined ? `: ${printable(trustedComment)}` : ` at ${signedAt.toISOString()}`}`;
}
