// The register: every kind of object that tidemark knows. The order here does not matter; priority.ts has the order of emission.
import type { Kind } from '../kind.js';

export const kinds: readonly Kind<unknown>[] = [];
