/**
 * The product of two matrices, which takes most of a model's time: here in plain JavaScript, in
 * `simd.js` as WebAssembly. A matrix is a Float32Array, row by row.
 */

/**
 * Adds a product to `made`, `(rows, columns)`. Row i of the first matrix has at inner k the number
 * `a[i * perRow + k * perStep]`, so one loop reads a matrix or its transpose.
 * @typedef {(
 *   made: Float32Array, a: Float32Array, b: Float32Array,
 *   rows: number, columns: number, inner: number, perRow: number, perStep: number,
 * ) => void} Product
 */

const LEAST = 4096; // multiplications that are worth the copies into WebAssembly's memory
/** @type {Product} */
let large = addPlain;

/**
 * From now on, large products run as WebAssembly, if the browser allows it.
 * @returns {Promise<boolean>} Whether it does. A strict Content-Security-Policy does not.
 */
export async function useSimd() {
  try {
    const { makeProduct } = await import("./simd.js");
    large = makeProduct();
  } catch {
    large = addPlain;
  }
  return large !== addPlain;
}

/** From now on, all products are plain JavaScript. */
export function usePlain() {
  large = addPlain;
}

/**
 * made += a b.
 * @param {Float32Array} made `(rows, columns)`
 * @param {Float32Array} a `(rows, inner)`
 * @param {Float32Array} b `(inner, columns)`
 * @param {number} columns The other sizes follow from it.
 */
export function addProduct(made, a, b, columns) {
  const [rows, inner] = sizes(made, a, b, columns);
  choose(rows, columns, inner)(made, a, b, rows, columns, inner, inner, 1);
}

/**
 * made += aᵀ b.
 * @param {Float32Array} made `(rows, columns)`
 * @param {Float32Array} a `(inner, rows)`
 * @param {Float32Array} b `(inner, columns)`
 * @param {number} columns The other sizes follow from it.
 */
export function addTurnedProduct(made, a, b, columns) {
  const [rows, inner] = sizes(made, a, b, columns);
  choose(rows, columns, inner)(made, a, b, rows, columns, inner, 1, rows);
}

/**
 * The transpose of a matrix.
 * @param {Float32Array} matrix `(rows, columns)`
 * @param {number} columns
 * @param {Float32Array} made `(columns, rows)`
 */
export function transpose(
  matrix,
  columns,
  made = new Float32Array(matrix.length),
) {
  const rows = matrix.length / columns;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      made[column * rows + row] = matrix[row * columns + column];
    }
  }
  return made;
}

/**
 * @param {Float32Array} made
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} columns
 */
function sizes(made, a, b, columns) {
  const [rows, inner] = [made.length / columns, b.length / columns];
  if (a.length !== rows * inner) {
    throw new Error(
      `${a.length} numbers in the first matrix, expected ${rows} × ${inner}`,
    );
  }
  return [rows, inner];
}

/**
 * @param {number} rows
 * @param {number} columns
 * @param {number} inner
 */
const choose = (rows, columns, inner) =>
  columns < 4 || rows * columns * inner < LEAST ? addPlain : large;

/** @type {Product} */
function addPlain(made, a, b, rows, columns, inner, perRow, perStep) {
  const [evenRows, fourColumns] = [rows - (rows % 2), columns - (columns % 4)];
  for (let j = 0; j < fourColumns; j += 4) {
    for (let i = 0; i < evenRows; i += 2) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      let above = i * perRow;
      let below = above + perRow;
      // --8<-- [start:two-by-four]
      // six numbers are read for eight multiplications,
      // and the eight sums stay in registers
      for (let k = 0, at = j; k < inner; k++, at += columns) {
        const x = a[above];
        const y = a[below];
        const b0 = b[at];
        const b1 = b[at + 1];
        const b2 = b[at + 2];
        const b3 = b[at + 3];
        s0 += x * b0;
        s1 += x * b1;
        s2 += x * b2;
        s3 += x * b3;
        t0 += y * b0;
        t1 += y * b1;
        t2 += y * b2;
        t3 += y * b3;
        above += perStep;
        below += perStep;
      }
      // --8<-- [end:two-by-four]
      const s = i * columns + j;
      const t = s + columns;
      made[s] += s0;
      made[s + 1] += s1;
      made[s + 2] += s2;
      made[s + 3] += s3;
      made[t] += t0;
      made[t + 1] += t1;
      made[t + 2] += t2;
      made[t + 3] += t3;
    }
  }
  for (let i = 0; i < rows; i++) {
    // what no tile covers: the last columns, and all of an odd last row
    for (let j = i < evenRows ? fourColumns : 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum += a[i * perRow + k * perStep] * b[k * columns + j];
      }
      made[i * columns + j] += sum;
    }
  }
}
