// What a name of an archive means, and that nothing secret of it is ever said again.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseArchiveName } from '#dist/app/archive/name.js';
import { TidemarkError } from '#dist/model/errors.js';

test.each([
  ['x.tar.zst', 'x.tar.zst'],
  ['/var/lib/snapshots', '/var/lib/snapshots'],
  ['c:/snapshots/x.tar.zst', 'c:/snapshots/x.tar.zst'],
  ['backup:1.tar.zst', 'backup:1.tar.zst'],
  ['10:30:00.tar.zst', '10:30:00.tar.zst'],
  ['-', '-'],
  ['file:///var/a%20b/x.tar.zst', '/var/a b/x.tar.zst'],
  ['FILE:///var/x.tar.zst', '/var/x.tar.zst'],
  ['?#%', '?#%'],
])('%s is a path', (text, path) => {
  expect(parseArchiveName(text)).toEqual({ kind: 'path', path, shown: path });
});

test.each([
  ['s3://bucket/dir/x.tar.zst', 's3://bucket/dir', 'x.tar.zst'],
  ['s3://bucket/x.tar.zst.age', 's3://bucket', 'x.tar.zst.age'],
  [
    's3://bucket/a/b/x%20y.tar.zst?endpoint=http://127.0.0.1:9000&region=us-east-1',
    's3://bucket/a/b?endpoint=http://127.0.0.1:9000&region=us-east-1',
    'x y.tar.zst',
  ],
  ['https://host/path/x.tar.zst', 'https://host/path', 'x.tar.zst'],
  ['https://user:secret@host/x.tar.zst?token=secret', 'https://user:secret@host/?token=secret', 'x.tar.zst'],
  ['HTTPS://host/../x.tar.zst', 'https://host/', 'x.tar.zst'],
])('%s is an object in a store', (text, store, key) => {
  const parsed = parseArchiveName(text);
  expect(parsed).toMatchObject({ kind: 'object', store, key });
  expect(parsed.shown).not.toContain('secret');
});

test.each([
  ['s3://bucket', 's3://bucket'],
  ['s3://bucket/prefix?region=eu-central-1', 's3://bucket/prefix?region=eu-central-1'],
  ['https://user:secret@host/snapshots/?token=secret', 'https://host/snapshots/'],
  ['https://host/x.tar.zst/', 'https://host/x.tar.zst/'],
  ['https://host/x.tar.zst.manifest.json', 'https://host/x.tar.zst.manifest.json'],
])('%s is a store', (text, shown) => {
  expect(parseArchiveName(text)).toMatchObject({ kind: 'store', shown });
});

test.each([
  ['', 'it is empty'],
  ['ftp://user:secret@host/x.tar.zst', 'its scheme is none that there is'],
  ['postgres://user:secret@host/db', 'its scheme is none that there is'],
  ['https://', 'it is no valid URL of https:'],
  ['https://user:secret@host:99999/x.tar.zst', 'it is no valid URL of https:'],
  ['file://secret.example/x.tar.zst', 'it names no file of this machine'],
  ['file:///a%2fsecret/x.tar.zst', 'it names no file of this machine'],
  ['https://host/secret%zz.tar.zst', 'its path has a "%" that means nothing'],
  ['https://host/secret%2fx.tar.zst', 'the name of the archive has a "/" in it'],
  ['https://host/x.tar.zst#secret', 'it has a "#"'],
  ['s3://bucket/x.tar.zst#', 'it has a "#"'],
  ['s3://key:secret@bucket/x.tar.zst', 'credentials do not belong in the URL of S3'],
])('%s is refused', (text, problem) => {
  let thrown: unknown;
  try {
    parseArchiveName(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TidemarkError);
  const { code, message, hint, details } = thrown as TidemarkError;
  expect({ code, message }).toEqual({ code: 'USAGE', message: `open an archive by its name: ${problem}` });
  expect(JSON.stringify([message, hint, details])).not.toContain('secret');
});

test('any text is a name or a wrong use, and nothing that is secret is shown', () => {
  const part = fc.stringMatching(/^[a-z0-9%./@:?&=\\ é-]{0,12}$/);
  fc.assert(
    fc.property(fc.constantFrom('s3', 'https', 'http', 'file', 'ftp', 'x'), part, part, (scheme, host, path) => {
      const text = `${scheme}://user:pa55word@${host}/${path}.tar.zst?token=pa55word`;
      try {
        expect(parseArchiveName(text).shown).not.toContain('pa55word');
      } catch (error) {
        expect(error).toMatchObject({ code: 'USAGE' });
        expect((error as Error).message).not.toContain('pa55word');
      }
    }),
  );
});
