// Which memory compressed chunks get.
import { expect, test } from 'vitest';
import { FrameMemory } from '#dist/snapshot/frame-memory.js';

const mebi = 1 << 20;

test('what is small, or does not come back, gets memory of its own', () => {
  expect(new FrameMemory(true).take(mebi)).toBeUndefined();
  expect(new FrameMemory(false).take(8 * mebi)).toBeUndefined();
});

test('what is handed over is not much larger than what a frame can be: it counts as garbage of its size', () => {
  const memory = new FrameMemory(true);
  expect(memory.take(mebi + 1)?.byteLength).toBe(2 * mebi);
  expect(memory.take(4 * mebi + 17_000)?.byteLength).toBe(5 * mebi);
});

test('memory that came back is used again where it is large enough', () => {
  const memory = new FrameMemory(true);
  const [small, large] = [memory.take(2 * mebi), memory.take(5 * mebi)];
  memory.give(small);
  memory.give(large);
  memory.give(undefined);
  expect(memory.take(4 * mebi)).toBe(large);
  expect(memory.take(2 * mebi)).toBe(small);
  expect(memory.take(2 * mebi)).not.toBe(small);
});

test('where what came back is too small, it makes room: there is never more than is on its way', () => {
  const memory = new FrameMemory(true);
  const small = memory.take(2 * mebi);
  memory.give(small);
  const large = memory.take(5 * mebi);
  memory.give(large);
  expect(memory.take(2 * mebi)).toBe(large);
});
