// Steps in their order, of which each waits for those that it needs: who is next is known without a look at all that wait. Pure.
import type { Step } from '../model/catalog.js';

export class ReadySteps {
  readonly #places: ReadonlyMap<Step, number>;
  /** Steps that need a step, by its id. */
  readonly #dependents = new Map<number, Step[]>();
  /** How many of the steps that it needs are not done. */
  readonly #open = new Map<Step, number>();
  readonly #allowed = new Set<Step>();
  /** Those that may run, in their order. */
  #ready: Step[] = [];
  #waiting: number;

  /** @param order needs outside of these steps are met
   *  @param isAllowed false for steps that wait until `allow` */
  constructor(order: readonly Step[], isAllowed: (step: Step) => boolean) {
    this.#places = new Map(order.map((step, place) => [step, place]));
    this.#waiting = order.length;
    const ids = new Set(order.map(({ id }) => id));
    for (const step of order) {
      const needs = new Set(step.needs.filter((need) => ids.has(need)));
      this.#open.set(step, needs.size);
      for (const need of needs) {
        const others = this.#dependents.get(need);
        if (others) others.push(step);
        else this.#dependents.set(need, [step]);
      }
      if (isAllowed(step)) this.#allowed.add(step);
    }
    this.#ready = order.filter((step) => this.#isReady(step));
  }

  /** Steps that were not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Those that may run, in their order. */
  steps(): readonly Step[] {
    return this.#ready;
  }

  take(taken: readonly Step[]): void {
    if (taken.length === 0) return;
    const gone = new Set(taken);
    this.#ready = this.#ready.filter((step) => !gone.has(step));
    this.#waiting -= taken.length;
  }

  finish({ id }: Step): void {
    for (const step of this.#dependents.get(id) ?? []) {
      this.#open.set(step, (this.#open.get(step) as number) - 1);
      this.#addIfReady(step);
    }
  }

  allow(step: Step): void {
    this.#allowed.add(step);
    this.#addIfReady(step);
  }

  #isReady(step: Step): boolean {
    return this.#allowed.has(step) && this.#open.get(step) === 0;
  }

  #addIfReady(step: Step): void {
    if (!this.#isReady(step)) return;
    const place = this.#placeOf(step);
    let [low, high] = [0, this.#ready.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#placeOf(this.#ready[middle] as Step) < place) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, step);
  }

  #placeOf(step: Step): number {
    return this.#places.get(step) as number;
  }
}
