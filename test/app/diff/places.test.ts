// Rows that are the same wherever they lie: in other partitions, in other archives; and archives that are encrypted or signed.
import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffSnapshots } from '#dist/app/diff/diff-snapshots.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { addThousand, makeIndexer, take } from '../snapshot/completed-partitions-sample.js';
import { diffAndCount, Snapshots, tableNamed } from './snapshots.js';

let snapshots: Snapshots;
beforeAll(async () => {
  snapshots = await Snapshots.make();
});
afterAll(async () => {
  await snapshots[Symbol.asyncDispose]();
});

describe('partitions', () => {
  const make = (values: string): string => `${values}
    CREATE TABLE p (m mood, n int) PARTITION BY HASH (m);
    CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 0); CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    INSERT INTO p SELECT (enum_range(NULL::mood))[1 + n % 26], n FROM generate_series(1, 600) n`;

  const placesOf = (db: TestDatabase): Promise<unknown> =>
    db.query('SELECT tableoid::regclass::text AS place, m::text FROM p GROUP BY 1, 2 ORDER BY 2');

  test('by the hash of an enum are compared as a whole: which one has a row depends on OIDs', async () => {
    const labels = Array.from('abcdefghijklmnopqrstuvwxyz', (label) => `'${label}'`);
    await using db = await createDatabase();
    await db.run(make(`CREATE TYPE mood AS ENUM (${labels.join(', ')});`));
    const a = await snapshots.of(db);
    await using restored = await createDatabase();
    await restored.run(`CREATE TYPE gone AS ENUM ('x', 'y', 'z')`);
    await restoreSnapshot({ file: a, database: restored.url, schemas: ['public'], create: false, clean: true, ifExists: true });
    const b = await snapshots.of(restored);
    // That the labels' OIDs put all of 26 where they were before does not happen.
    expect(await placesOf(restored)).not.toEqual(await placesOf(db));
    const diff = await diffSnapshots({ a, b });
    expect(diff.tables).toEqual([{ schema: 'public', name: 'p', rowsBefore: 600n, rowsAfter: 600n, added: 0n, removed: 0n, equal: true }]);
    await restored.run(`DELETE FROM p WHERE n = 17`);
    const less = await diffSnapshots({ a, b: await snapshots.of(restored), rows: 5 });
    expect(less.tables).toMatchObject([{ name: 'p', added: 0n, removed: 1n, samples: { removed: ['r\t17'] } }]);
  });

  test('that rows are loaded through in one of the archives only', async () => {
    await using db = await createDatabase();
    await db.run(`CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (n);
      CREATE TABLE q0 PARTITION OF q FOR VALUES FROM (0) TO (50); INSERT INTO p VALUES (1), (2); CREATE TABLE alone (n int)`);
    const [a, b] = [await snapshots.of(db), await snapshots.of(db, { loadViaPartitionRoot: true })];
    for (const files of [
      { a, b },
      { a: b, b: a },
    ]) {
      const diff = await diffSnapshots(files);
      expect(diff.tables.map(({ name, rowsBefore, rowsAfter, equal }) => [name, rowsBefore, rowsAfter, equal])).toEqual([
        ['alone', 0n, 0n, true],
        ['p', 2n, 2n, true],
      ]);
    }
  });
});

describe('rows in another archive', () => {
  test('are compared by their chunks, and read there where these differ', async () => {
    await using db = await makeIndexer();
    const first = await take(db, snapshots.newFile());
    await db.run(addThousand(2000));
    const second = await take(db, snapshots.newFile(), first.file);
    const diff = await diffAndCount({ a: first.file, b: second.file });
    expect(tableNamed(diff, 'events_0')).toMatchObject({ rowsBefore: 4000n, rowsAfter: 4000n, added: 0n, removed: 0n, equal: true });
    expect(tableNamed(diff, 'events_2000')).toMatchObject({ rowsAfter: 4000n, added: 4000n });
    await db.run('UPDATE moves SET payload = NULL WHERE height = 4');
    const third = await take(db, snapshots.newFile());
    const changed = await diffSnapshots({ a: second.file, b: third.file, rows: 3 });
    expect(changed.tables.filter(({ equal }) => !equal)).toMatchObject([
      { name: 'moves_0_a', added: 1n, removed: 1n, samples: { removed: [expect.stringMatching(/^4\ta\t\\\\x/)], added: ['4\ta\t\\N'] } },
    ]);
    await rename(first.file, `${first.file}.away`);
    await expect(diffSnapshots({ a: second.file, b: third.file })).rejects.toMatchObject({ code: 'ARCHIVE_MISSING_PART' });
    // Nothing of it is needed where the chunks are the same.
    expect(await diffSnapshots({ a: second.file, b: second.file })).toMatchObject({ equal: true });
  });
});

describe('archives that are sealed', () => {
  test('are opened by identities, and refused without the signature that is asked for', async () => {
    const [name, theirs] = [snapshots.newFile(''), snapshots.newFile('')];
    await generateKeys({ name });
    await generateKeys({ name: theirs });
    await generateKeys({ name, age: true });
    await using db = await createDatabase();
    await db.run('CREATE TABLE t (n int); INSERT INTO t VALUES (1)');
    const plain = await snapshots.of(db);
    await db.run('INSERT INTO t VALUES (2)');
    const sealed = await snapshots.of(db, { signKey: `${name}.key`, encryptTo: [`@${name}.age-recipient`] });
    const trust = { identities: [`${name}.age-identity`], verifyKeys: [`${name}.pub`] };
    const diff = await diffSnapshots({ a: sealed, b: sealed, ...trust });
    expect(diff).toMatchObject({ equal: true, a: { signature: { keyId: expect.any(String) } } });
    await expect(diffSnapshots({ a: plain, b: sealed })).rejects.toMatchObject({ code: 'IDENTITY_MISSING' });
    const opened = { a: plain, b: sealed, identities: trust.identities };
    expect((await diffSnapshots({ ...opened, rows: 1 })).tables).toMatchObject([{ added: 1n, samples: { added: ['2'] } }]);
    await expect(diffSnapshots({ ...opened, ...trust })).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
    await expect(diffSnapshots({ a: sealed, b: sealed, ...trust, verifyKeys: [`${theirs}.pub`] })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });

  test('options that cannot be, and a signal', async () => {
    const file = await snapshots.after('CREATE TABLE t (n int)');
    for (const options of [{ rows: -1 }, { rows: 1.5 }, { rows: 10_001 }, { rows: 1, schemaOnly: true }]) {
      await expect(diffSnapshots({ a: file, b: file, ...options })).rejects.toMatchObject({ code: 'USAGE' });
    }
    const other = await snapshots.after('CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)');
    const third = await snapshots.after('CREATE TABLE t (n int); INSERT INTO t VALUES (2), (3)');
    const stop = new AbortController();
    const onEvent = ({ type }: { readonly type: string }): void => {
      if (type === 'progress') stop.abort();
    };
    await expect(diffSnapshots({ a: other, b: third, signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(diffSnapshots({ a: file, b: `${file}.none` })).rejects.toMatchObject({ code: 'FILE_ERROR' });
  });
});
