// What the README's recipes call, in JavaScript, for machines without these programs: as much of psql, zstd and sha256sum as the recipes use.
// Run as `node stand-in.mjs PROGRAM ARGUMENTS`, by scripts that have the programs' names.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { decompressed } from '#dist/frame/decompressed.js';
import { loadCodec } from '#dist/frame/zstd.js';

const [program, ...args] = process.argv.slice(2);

/** `psql -d DATABASE -v ON_ERROR_STOP=1 -f FILE`, `psql -d DATABASE -c "\copy TABLE from ['FILE' | program 'COMMAND'] [with (...)]"` */
async function psql([d, database, ...rest]) {
  const stops = rest[0] === '-v' && rest[1] === 'ON_ERROR_STOP=1';
  const [option, text] = stops ? rest.slice(2) : rest;
  if (d !== '-d' || option !== (stops ? '-f' : '-c')) throw new Error(`psql: ${args.join(' ')}`);
  const client = new pg.Client({ database });
  await client.connect();
  try {
    if (option === '-f') {
      await client.query(readFileSync(text, 'utf8'));
      return;
    }
    const [, table, isProgram, source, options = ''] = /^\\copy (\S+) from (program )?'([^']*)'(.*)$/.exec(text) ?? [];
    if (table === undefined) throw new Error(`psql: ${text}`);
    const child = isProgram && spawn('sh', ['-c', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    const rows = child ? child.stdout : createReadStream(source);
    await pipeline(rows, client.query(from(`COPY ${table} FROM STDIN${options}`)));
  } finally {
    await client.end();
  }
}

/** `zstd -dc FILE` */
async function zstd([dc, file]) {
  if (dc !== '-dc') throw new Error(`zstd: ${args.join(' ')}`);
  await pipeline(decompressed(await loadCodec(), createReadStream(file)), process.stdout);
}

/** `sha256sum -c FILE` */
function sha256sum([c, file]) {
  if (c !== '-c') throw new Error(`sha256sum: ${args.join(' ')}`);
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
    const found = createHash('sha256')
      .update(readFileSync(join(dirname(file), name)))
      .digest('hex');
    if (found !== sum) throw new Error(`${name}: FAILED`);
    console.log(`${name}: OK`);
  }
}

await { psql, zstd, sha256sum }[program](args);
