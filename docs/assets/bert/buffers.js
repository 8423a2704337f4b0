/** Arrays that are used again from step to step, so that memory does not grow while training. */

export class Buffers {
  /** @type {Map<string, Float32Array>} By name; each as large as the largest so far. */
  #kept = new Map();

  /**
   * An array with whatever numbers were left in it.
   * @param {string} name
   * @param {number} size
   */
  take(name, size) {
    let kept = this.#kept.get(name);
    if (!kept || kept.length < size) {
      kept = new Float32Array(size);
      this.#kept.set(name, kept);
    }
    return kept.length === size ? kept : kept.subarray(0, size);
  }

  /**
   * An array of zeros.
   * @param {string} name
   * @param {number} size
   */
  zeros(name, size) {
    return this.take(name, size).fill(0);
  }

  /** How many bytes all arrays take. */
  get bytes() {
    let sum = 0;
    for (const { byteLength } of this.#kept.values()) sum += byteLength;
    return sum;
  }
}
