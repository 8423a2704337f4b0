/**
 * Reads a safetensors file: eight bytes for the length of a JSON header, the header, the numbers.
 *
 * Format: https://github.com/huggingface/safetensors. Half and single precision are read; both
 * come out as Float32Array.
 */

/** The file is not what it should be; the message says how. */
export class FileError extends Error {}

/**
 * @param {ArrayBuffer} buffer The whole file.
 * @returns {{tensors: Map<string, {shape: number[], data: Float32Array}>, metadata: object}}
 * @throws {FileError} If the file is cut off or damaged.
 */
export function parseSafetensors(buffer) {
  const { header, end } = readHeader(buffer);
  const tensors = new Map();
  for (const [name, about] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [from, to] } = about;
    const size = shape.reduce((product, axis) => product * axis, 1);
    const bytes = { F16: 2, F32: 4 }[dtype];
    if (!bytes) throw new FileError(`${name} is ${dtype}, expected F16 or F32`);
    if (to - from !== size * bytes) throw new FileError(`${name} has not as many numbers as it says`);
    if (end + to > buffer.byteLength) throw new FileError("it is cut off");
    // a copy, since a view would have to begin at a multiple of its numbers' size
    const raw = buffer.slice(end + from, end + to);
    const data = dtype === "F32" ? new Float32Array(raw) : fromHalf(new Uint16Array(raw));
    tensors.set(name, { shape, data });
  }
  return { tensors, metadata: header.__metadata__ ?? {} };
}

/**
 * The header, and where it ends: the tensors' places are counted from there.
 * @param {ArrayBuffer} buffer The file, or as much of it as holds the header.
 * @throws {FileError} If the header is cut off or damaged.
 */
export function readHeader(buffer) {
  if (buffer.byteLength < 8) throw new FileError(`it has ${buffer.byteLength} bytes, expected more`);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > buffer.byteLength - 8) throw new FileError("its header is cut off, or damaged");
  let header;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length));
    header = JSON.parse(text);
  } catch {
    throw new FileError("its header is damaged");
  }
  return { header, end: 8 + length };
}

// --8<-- [start:half-precision]
/** Half precision: 1 bit for the sign, 5 for the exponent, 10 for the fraction. */
function fromHalf(halves) {
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const sign = halves[i] & 0x8000 ? -1 : 1;
    const exponent = (halves[i] >> 10) & 0x1f;
    const fraction = halves[i] & 0x3ff;
    numbers[i] = exponent
      ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
      : sign * 2 ** -14 * (fraction / 1024); // so close to zero that it has no leading one
  }
  return numbers;
}
// --8<-- [end:half-precision]
