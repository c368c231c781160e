// The first of many texts in their order, without keeping the others.
import { compareText } from './pair-tables.js';

export class SmallestTexts {
  readonly #most: number;
  readonly #texts: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(text: string): void {
    const last = this.#texts.at(-1);
    const isFull = this.#texts.length === this.#most;
    if (isFull && last !== undefined && compareText(text, last) >= 0) return;
    this.#texts.splice(this.#placeOf(text), 0, text);
    if (isFull) this.#texts.pop();
  }

  /** In order. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  #placeOf(text: string): number {
    let [from, to] = [0, this.#texts.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareText(this.#texts[middle] as string, text) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
