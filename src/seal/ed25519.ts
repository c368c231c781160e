// Ed25519 keys as raw bytes, which is what minisign's files hold, to and from the key objects of node:crypto, which takes DER. The prefixes
// are those of RFC 8410, with the algorithm 1.3.101.112 and no parameters.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** @param seed the 32 bytes that all of the key comes from */
export function privateKeyOf(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
}

/** @param raw 32 bytes */
export function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' });
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length);
}
