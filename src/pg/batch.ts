// Statements that go to the server on end and are answered together: one transaction, or part of the one that is open. Each goes through the
// extended protocol, in which the server refuses a text that holds two, and one Sync comes after the last.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
import type { Socket } from 'node:net';
import { TidemarkError } from '../model/errors.js';

/** What is needed of pg's Connection, which its types leave out. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  sync(): void;
  sendCopyFail(reason: string): void;
  readonly stream: Socket;
}

/** Given to `client.query`, which calls `submit` and the `handle...` methods. */
export class Batch {
  /** Resolves when all have been done; rejects with what the server, or pg, says of the first that failed. */
  readonly done: Promise<void>;
  readonly #texts: readonly string[];
  #completed = 0;
  #finish: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.done.catch(() => undefined);
  }

  submit(connection: unknown): void {
    const wire = connection as Wire;
    wire.stream.cork();
    for (const text of this.#texts) {
      wire.parse({ text });
      wire.bind({});
      wire.execute({});
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleCommandComplete(): void {
    this.#completed += 1;
  }

  handleEmptyQuery(): void {
    this.#completed += 1;
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  /** No statement of ours is a COPY. The next statement is none of the rows that the server waits for, and ends it; the Sync does not. */
  handleCopyInResponse(wire: Wire): void {
    if (this.#completed < this.#texts.length - 1) return;
    wire.sendCopyFail('there are no rows');
    wire.sync();
  }

  handleCopyData(): void {}

  /** After it the server does nothing up to the Sync, and pg waits for its answer to that by itself. */
  handleError(error: Error): void {
    this.#fail(error);
  }

  handleReadyForQuery(): void {
    if (this.#completed === this.#texts.length) this.#finish();
    else this.#fail(new TidemarkError('INTERNAL', `run ${this.#texts.length} statements: the server says that it did ${this.#completed}`));
  }
}
