import { expect, test } from 'vitest';
import { parseTrustedComment, trustedComment } from '#dist/seal/trusted-comment.js';

const sha256 = 'a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447';
const signedAt = new Date('2026-01-31T23:59:59.000Z');

test.each(['x.tar.zst', 'tab\there', 'line\nbreak', '100%09', 'ünd', '\x7f\x85'])('%j is said and read', (archive) => {
  const comment = trustedComment({ signedAt, archive, sha256 });
  expect(comment.split('\t')).toHaveLength(3);
  expect(comment).not.toMatch(/\n/);
  expect(parseTrustedComment(comment)).toEqual({ signedAt, archive, sha256 });
});

test("minisign's own comment, and others, say what they say", () => {
  expect(parseTrustedComment('timestamp:1769903999\tfile:x.json\thashed')).toEqual({ signedAt });
  expect(parseTrustedComment('')).toEqual({});
  expect(parseTrustedComment('released by me')).toEqual({});
  expect(parseTrustedComment(`timestamp:soon\tsha256:${sha256.slice(1)}`)).toEqual({});
});
