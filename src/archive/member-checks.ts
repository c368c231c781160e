// Where members are checked: in threads, or here where there is little to check. Both say of each member what is wrong with it.
import type { Codec } from '../frame/codec.js';
import { fitsWhole } from '../frame/decode.js';
import type { StoredMember } from '../model/manifest.js';
import { checkHeld, type MemberTask, problemOf } from './check-member.js';
import { ReusedMemory } from './reused-memory.js';

/** What becomes of a member that is being checked. */
export interface Outcome {
  /** True once `problem` is what it will be. */
  readonly settled: boolean;
  /** What is wrong with the member. */
  readonly problem: string | undefined;
  /** Resolves when it is settled. Rejects where the check failed, which says nothing of the member. */
  readonly ended: Promise<void>;
}

/** Of a member that was checked already. */
export function settled(problem?: string): Outcome {
  return { settled: true, problem, ended: Promise.resolve() };
}

export interface MemberChecks extends AsyncDisposable {
  /** True for a member that can be given; false for one that has too many bytes to be held. */
  takes(member: StoredMember): boolean;
  /** Resolves when a member of so many compressed bytes can be given. Rejects where none can be checked any more. */
  room(bytes: number): Promise<void>;
  /** Memory for the frames of the member that is given next. */
  memory(bytes: number): ArrayBuffer;
  /** @param frames of the member, all of them; they belong to the check from then on */
  check(task: MemberTask, frames: Buffer): Promise<Outcome>;
}

/** Checks each member while it is given, in this thread. */
export class ChecksHere implements MemberChecks {
  readonly #codec: Codec;
  readonly #frames = new ReusedMemory();
  readonly #content = new ReusedMemory();

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  takes(member: StoredMember): boolean {
    return fitsWhole(member);
  }

  async room(): Promise<void> {}

  memory(bytes: number): ArrayBuffer {
    return this.#frames.take(bytes).buffer as ArrayBuffer;
  }

  async check(task: MemberTask, frames: Buffer): Promise<Outcome> {
    return settled(await problemOf(checkHeld(this.#codec, frames, task, (bytes) => this.#content.take(bytes))));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
