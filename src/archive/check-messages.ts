// What the main thread and a checking thread say to each other: plain data only.
import type { PackedError } from '../model/thread-error.js';
import type { MemberTask } from './check-member.js';

/** The memory of the frames goes to the thread, and comes back. */
export interface CheckRequest {
  readonly task: MemberTask;
  readonly memory: ArrayBuffer;
  /** Of the frames, at the beginning of the memory. */
  readonly bytes: number;
}

/** One for each request, in their order. */
export type CheckReply =
  | { readonly memory: ArrayBuffer; readonly problem: string | undefined }
  /** The archive is not to blame. */
  | { readonly error: PackedError };
