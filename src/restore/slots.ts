// How much is done at once, whichever kind of work it is: as many pieces as there are jobs.

export class Slots {
  readonly count: number;
  #free: number;
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  constructor(count: number) {
    this.count = count;
    this.#free = count;
  }

  /** Waits for a slot, which is free again once it is disposed of. Those who wait get theirs in the order in which they came.
   *  @param urgent before all who are not */
  async take(urgent: boolean): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#others).push(resolve));
    return { [Symbol.dispose]: () => this.#release() };
  }

  #release(): void {
    const next = this.#urgent.shift() ?? this.#others.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
