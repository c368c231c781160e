// One memory that is used again and again: new memory would be paged in by the kernel, and collected as garbage, for each member.

export class ReusedMemory {
  #whole: Buffer = Buffer.alloc(0);

  /** So many bytes, which are no longer those that were taken before. */
  take(bytes: number): Buffer {
    if (this.#whole.length < bytes) this.#whole = Buffer.allocUnsafeSlow(bytes);
    return this.#whole.subarray(0, bytes);
  }
}
