import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyDataDecoder, type CopyTarget } from '#dist/pg/copy-data-decoder.js';

/** Gathers messages in a small buffer that is emptied at every message end, as a builder of tiny chunks would. */
class Gathering implements CopyTarget {
  buffer = Buffer.alloc(64);
  offset = 8;
  full = false;
  onRoom: (() => void) | undefined;
  readonly messages: string[] = [];
  readonly #limit: number;
  #start = 8;
  #large: Buffer[] = [];

  /** @param limit buffer bytes after which the target begins anew, so that the decoder meets a moved offset */
  constructor(limit: number) {
    this.#limit = limit;
  }

  room(bytes: number): void {
    if (this.offset + bytes <= this.buffer.length) return;
    this.#large.push(Buffer.from(this.buffer.subarray(this.#start, this.offset)));
    this.buffer = Buffer.alloc(Math.max(64, 8 + bytes));
    this.offset = this.#start = 8;
  }

  message(bytes: number): void {
    const body = Buffer.concat([...this.#large, this.buffer.subarray(this.#start, this.offset)]);
    this.#large = [];
    expect(body.length).toBe(bytes);
    this.messages.push(body.toString('latin1'));
    this.#start = this.offset;
    if (this.offset < this.#limit) return;
    // What a builder does with a full buffer: padding behind the body, and a start from the front.
    this.buffer.fill(0xaa, this.offset);
    this.offset = this.#start = 8;
  }
}

function message(type: string, body: Uint8Array | string = ''): Buffer {
  const content = Buffer.from(body as string, 'latin1');
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([header, content]);
}

const start = message('H', '\0\0\0');

function decode(bytes: Buffer, cuts: readonly number[] = [], limit = 40) {
  const target = new Gathering(limit);
  const decoder = new CopyDataDecoder(target);
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let end: ReturnType<CopyDataDecoder['feed']>;
  for (let i = 1; i < edges.length && !end; i += 1) end = decoder.feed(Buffer.from(bytes.subarray(edges[i - 1], edges[i])));
  return { messages: target.messages, end };
}

describe('CopyDataDecoder', () => {
  it('gives every row whole, wherever the socket reads are cut and whatever comes between', () => {
    const row = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 90 });
    const aside = fc.constantFrom('N', 'S', 'A');
    fc.assert(
      fc.property(fc.array(fc.tuple(row, fc.option(aside))), fc.array(fc.nat()), fc.integer({ min: 9, max: 60 }), (rows, cuts, limit) => {
        const parts = rows.flatMap(([text, extra]) => [message('d', text), ...(extra ? [message(extra, 'aside')] : [])]);
        const after = message('Z', 'T');
        const ending = [message('c'), message('N', 'aside'), message('C', 'COPY 18446744073709551615\0')];
        const { messages, end } = decode(Buffer.concat([start, ...parts, ...ending, after]), cuts, limit);
        expect(messages).toEqual(rows.map(([text]) => text));
        expect(end).toMatchObject({ reason: 'done', rows: 18446744073709551615n });
        expect(after.subarray(0, end?.rest.length)).toEqual(end?.rest);
      }),
      { numRuns: 500 },
    );
  });

  it.each([251, 252, 65_531, 65_532, 70_000, 16_777_211, 16_777_212, 20_000_000])(
    'gives a row of %i bytes whole, and the one after it',
    (bytes) => {
      const [row, next] = ['r'.repeat(bytes), 'next'];
      const ending = [message('c'), message('C', 'COPY 2\0')];
      const { messages, end } = decode(Buffer.concat([start, message('d', row), message('d', next), ...ending]));
      expect(messages.map(({ length }) => length)).toEqual([bytes, next.length]);
      expect(messages[0] === row && messages[1] === next).toBe(true);
      expect(end).toMatchObject({ reason: 'done', rows: 2n });
    },
  );

  it('hands an error back whole, with the bytes of its header', () => {
    const error = message('E', 'SERROR\0');
    for (let cut = 0; cut <= start.length + 9; cut += 1) {
      const { end } = decode(Buffer.concat([start, message('d', 'row\n'), error]), [cut]);
      expect(end?.reason).toBe('error');
      expect(error.subarray(0, end?.rest.length)).toEqual(end?.rest);
      expect(end?.rest.length).toBeGreaterThanOrEqual(5);
    }
  });

  it.each([
    ['the command tag without CopyDone', [start, message('d', 'row\n'), message('C', 'COPY 1\0')]],
    ['ready for query without CopyDone', [start, message('Z', 'I')]],
    ['rows before the start', [message('d', 'row\n')]],
    ['CopyDone before the start', [message('c')]],
    ['a second start', [start, start]],
    ['rows of a query', [start, message('D', 'row')]],
    ['CopyDone with a body', [start, message('c', 'x')]],
    ['a second CopyDone', [start, message('c'), message('c')]],
    ['rows after CopyDone', [start, message('c'), message('d', 'row\n')]],
    ['ready for query without a command tag', [start, message('c'), message('Z', 'I')]],
    ['the tag of another command', [start, message('c'), message('C', 'SELECT 1\0')]],
    ['a tag without a count', [start, message('c'), message('C', 'COPY\0')]],
    ['a tag that has no end', [start, message('c'), message('C', `COPY ${'1'.repeat(99)}\0`)]],
    ['a length below four', [start, Buffer.from([0x64, 0, 0, 0, 3])]],
  ])('refuses %s', (_, parts) => {
    expect(() => decode(Buffer.concat(parts))).toThrow(expect.objectContaining({ code: 'COPY_INCOMPLETE' }));
  });

  it('has no end while the command tag has not come', () => {
    const ending = Buffer.concat([message('c'), message('C', 'COPY 1\0')]);
    for (let missing = ending.length; missing > 0; missing -= 1)
      expect(decode(Buffer.concat([start, message('d', 'row\n'), ending.subarray(0, -missing)])).end).toBeUndefined();
  });
});
