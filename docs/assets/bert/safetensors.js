/**
 * Reads a safetensors file: eight bytes for the length of a JSON header, the header, the numbers.
 *
 * Format: https://github.com/huggingface/safetensors. Half and single precision are read; both
 * come out as Float32Array.
 */

/** @typedef {{shape: number[], data: Float32Array}} Tensor */

/** The file is not what it should be; the message says how. */
export class FileError extends Error {}

/** @type {Map<unknown, number>} Of one number. */
const BYTES = new Map([
  ["F16", 2],
  ["F32", 4],
]);

/**
 * @param {ArrayBuffer} buffer The whole file.
 * @returns {{tensors: Map<string, Tensor>, metadata: Record<string, string>}}
 * @throws {FileError} If the file is cut off or damaged.
 */
export function parseSafetensors(buffer) {
  const { header, end } = readHeader(buffer);
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const [name, about] of Object.entries(header)) {
    if (name !== "__metadata__")
      tensors.set(name, readTensor(buffer, end, name, about));
  }
  const metadata = /** @type {Record<string, string>} */ (
    header.__metadata__ ?? {}
  );
  return { tensors, metadata };
}

/**
 * The header, and where it ends: the tensors' offsets are counted from there.
 * @param {ArrayBuffer} buffer The file, or as much of it as holds the header.
 * @returns {{header: Record<string, unknown>, end: number}}
 * @throws {FileError} If the header is cut off or damaged.
 */
export function readHeader(buffer) {
  const bytes = buffer.byteLength;
  if (bytes < 8) throw new FileError(`it has ${bytes} bytes, expected more`);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > bytes - 8)
    throw new FileError("its header is cut off, or damaged");
  let header;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    header = JSON.parse(decoder.decode(new Uint8Array(buffer, 8, length)));
  } catch {
    throw new FileError("its header is damaged");
  }
  if (!(header instanceof Object)) throw new FileError("its header is damaged");
  return { header, end: 8 + length };
}

/**
 * One tensor, as the header describes it.
 * @param {ArrayBuffer} buffer
 * @param {number} begin Where the header ends.
 * @param {string} name
 * @param {unknown} about Its entry in the header, whatever that is.
 * @returns {Tensor}
 */
function readTensor(buffer, begin, name, about) {
  const {
    dtype,
    shape,
    data_offsets: places,
  } = /** @type {Record<string, unknown>} */ (about ?? {});
  const bytes = BYTES.get(dtype);
  if (!bytes) {
    throw new FileError(
      `${name} is ${JSON.stringify(dtype)}, expected F16 or F32`,
    );
  }
  if (!areCounts(shape) || !areCounts(places) || places.length !== 2) {
    throw new FileError(`it does not say where ${name} is`);
  }
  const [from, to] = places;
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (to - from !== size * bytes) {
    throw new FileError(
      `${name} does not have as many numbers as its shape says`,
    );
  }
  if (begin + to > buffer.byteLength) throw new FileError("it is cut off");
  // a copy, since a view would have to begin at a multiple of its numbers' size
  const raw = buffer.slice(begin + from, begin + to);
  const data =
    dtype === "F32" ? new Float32Array(raw) : fromHalf(new Uint16Array(raw));
  if (!data.every(Number.isFinite))
    throw new FileError(`${name} has values that are not finite`);
  return { shape, data };
}

/**
 * @param {unknown} list
 * @returns {list is number[]}
 */
function areCounts(list) {
  return (
    Array.isArray(list) &&
    list.every((number) => Number.isSafeInteger(number) && number >= 0)
  );
}

/** @param {ArrayLike<number>} halves */
// --8<-- [start:half-precision]
// Half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
export function fromHalf(halves) {
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const sign = halves[i] & 0x8000 ? -1 : 1;
    const exponent = (halves[i] >> 10) & 0x1f;
    const fraction = halves[i] & 0x3ff;
    let size = 2 ** (exponent - 15) * (1 + fraction / 1024);
    // the smallest numbers have no leading one
    if (exponent === 0) size = 2 ** -14 * (fraction / 1024);
    if (exponent === 31) size = fraction ? NaN : Infinity;
    numbers[i] = sign * size;
  }
  return numbers;
}
// --8<-- [end:half-precision]
