// Puts snapshots into a folder as the repository sees them: files of the right size with records of their verification. What is in them
// matters to nobody who lists, judges and removes them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verificationText } from '#dist/app/repository/records.js';
import type { Position } from '#dist/model/position.js';
import type { Verification } from '#dist/model/stored-snapshot.js';

export const bytes = 1234n;

/** @param names ids with the positions of their data
 *  @param more what their records say besides */
export async function fillStore(
  store: string,
  names: Readonly<Record<string, Partial<Position>>>,
  more: Readonly<Record<string, Partial<Verification>>> = {},
): Promise<void> {
  await mkdir(store, { recursive: true });
  for (const [id, some] of Object.entries(names)) {
    const archive = join(store, `${id}.tar.zst`);
    await writeFile(archive, Buffer.alloc(Number(bytes)));
    const position = { at: new Date('2026-03-01T00:00:00Z'), lsn: 1000n, ...some };
    await writeFile(
      `${archive}.verified.json`,
      verificationText({
        verifiedAt: new Date('2026-03-01T00:00:00Z'),
        sha256: 'ab'.repeat(32),
        bytes,
        position,
        system: '7000000000000000001',
        database: 'indexer',
        serverVersion: 180_004,
        toolVersion: '0.1.0',
        tables: 3,
        rows: 5000n,
        rawBytes: 99_000n,
        durationMs: 1500,
        ...more[id],
      }),
    );
  }
}
