import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headroom } from '#dist/frame/encode.js';
import { type BuiltChunk, ChunkBuilder } from '#dist/snapshot/chunk-builder.js';

const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);
const tuple = Buffer.from([0, 1, 0, 0, 0, 2, 0x41, 0x42]);
const chunkBytes = 1000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chunk-builder-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function build(format: 'text' | 'binary', messages: readonly Buffer[], end = true) {
  const bodies: { rows: bigint; body: Buffer; spooled: boolean }[] = [];
  const take = ({ rows, bodyBytes, buffer, spooled }: BuiltChunk): void => {
    const body = spooled === undefined ? Buffer.from(buffer.subarray(headroom, headroom + bodyBytes)) : readFileSync(spooled);
    expect(body.length).toBe(bodyBytes);
    if (spooled !== undefined) rmSync(spooled);
    // The encoder pads behind the body and writes a header before it.
    buffer.fill(0xee, headroom + (spooled === undefined ? bodyBytes : 0));
    buffer.fill(0xee, 0, headroom);
    bodies.push({ rows, body, spooled: spooled !== undefined });
  };
  let files = 0;
  const builder = new ChunkBuilder(
    { format, chunkBytes, spoolPath: () => join(directory, `spool-${files++}`), take },
    ChunkBuilder.allocate(chunkBytes),
  );
  for (const message of messages) {
    for (let at = 0; at < message.length; at += 65_536) {
      const piece = message.subarray(at, at + 65_536);
      builder.room(piece.length);
      builder.offset += piece.copy(builder.buffer, builder.offset);
    }
    builder.message(message.length);
  }
  if (end) builder.end();
  return { bodies, builder };
}

describe('ChunkBuilder', () => {
  it('closes text chunks at the first row end past the limit', () => {
    const rows = Array.from({ length: 50 }, (_, i) => Buffer.from(`${'x'.repeat(90)}${i}\n`));
    const { bodies, builder } = build('text', rows);
    expect(Buffer.concat(bodies.map(({ body }) => body))).toEqual(Buffer.concat(rows));
    expect(builder.rows).toBe(50n);
    for (const { body } of bodies.slice(0, -1)) {
      expect(body.length).toBeGreaterThanOrEqual(chunkBytes);
      expect(body.lastIndexOf('\n', -2)).toBeLessThan(chunkBytes - 1);
    }
  });

  it('makes every binary chunk a file of its own', () => {
    const { bodies, builder } = build('binary', [Buffer.concat([header, tuple]), ...Array.from({ length: 299 }, () => tuple), trailer]);
    expect(bodies.length).toBeGreaterThan(1);
    expect(builder.rows).toBe(300n);
    for (const { body, rows } of bodies) {
      expect(body).toEqual(Buffer.concat([header, ...Array.from({ length: Number(rows) }, () => tuple), trailer]));
    }
  });

  it('has no chunk for no rows', () => {
    expect(build('text', []).bodies).toEqual([]);
    expect(build('binary', [Buffer.concat([header, trailer])]).bodies).toEqual([]);
  });

  it('counts rows without columns', () => {
    const { bodies } = build('binary', [Buffer.concat([header, Buffer.from([0, 0])]), Buffer.from([0, 0]), trailer]);
    expect(bodies.map(({ rows }) => rows)).toEqual([2n]);
  });

  it.each(['text', 'binary'] as const)('spools a %s row that does not fit, and goes on in memory', (format) => {
    const text = format === 'text';
    const giant = Buffer.alloc(5_000_000, 0x61);
    if (text) giant[giant.length - 1] = 0x0a;
    const small = text ? Buffer.from('a\n') : tuple;
    const first = text ? small : Buffer.concat([header, small]);
    const { bodies } = build(format, [first, giant, small, ...(text ? [] : [trailer])]);
    expect(bodies.map(({ rows, spooled }) => ({ rows, spooled }))).toEqual([
      { rows: 2n, spooled: true },
      { rows: 1n, spooled: false },
    ]);
    const whole = text ? [small, giant] : [header, small, giant, trailer];
    expect(bodies[0]?.body.equals(Buffer.concat(whole))).toBe(true);
    expect(bodies[1]?.body).toEqual(text ? small : Buffer.concat([header, small, trailer]));
  });

  it('leaves no file when it is discarded in the middle of a row', () => {
    const { builder } = build('text', [], false);
    builder.offset += 10;
    builder.room(builder.buffer.length);
    expect(readdirSync(directory)).toHaveLength(1);
    builder.discard();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says that the disk is the trouble where a row cannot be spooled', () => {
    const { builder } = build('text', [], false);
    rmSync(directory, { recursive: true });
    builder.offset += 10;
    expect(() => builder.room(builder.buffer.length)).toThrow(expect.objectContaining({ code: 'FILE_ERROR' }));
    builder.discard();
    mkdirSync(directory);
  });

  it('refuses a text row that goes on in the next message, and binary rows without a trailer', () => {
    expect(() => build('text', [Buffer.from('half')])).toThrow(expect.objectContaining({ code: 'COPY_INCOMPLETE' }));
    expect(() => build('binary', [Buffer.concat([header, tuple])])).toThrow(expect.objectContaining({ code: 'COPY_INCOMPLETE' }));
  });
});
