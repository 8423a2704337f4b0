/**
 * The product of two matrices in WebAssembly, four numbers at once (SIMD).
 *
 * Nothing here was compiled elsewhere: the functions below put the module together from the
 * numbers of its instructions, as https://webassembly.github.io/spec/core/binary/ lists them.
 * A tile of four rows and eight columns is summed at once, so that of each 16 operations on four
 * numbers only six read memory.
 */

const [ROWS, COLUMNS] = [4, 8]; // of a tile
const PAGE = 65_536; // bytes; memory grows in pages
const BYTES = 4; // of a number

// The instructions that are used, with their numbers.

/** @typedef {number[]} Code Bytes, in the order in which they are run. */

/**
 * Seven bits a byte, the lowest first; the highest bit says that more follow (LEB128).
 * @param {number} number Not negative.
 * @returns {Code}
 */
const leb = (number) => (number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...leb(number >>> 7)]);
/** @param {number} number Below 64, since the seventh bit is the sign. */
const constant = (number) => [0x41, number]; // i32.const
const [ADD, SUB, MUL, LESS] = [[0x6a], [0x6b], [0x6c], [0x49]]; // i32, LESS is unsigned
const END = [0x0b];
/** @param {number} local */
const get = (local) => [0x20, ...leb(local)];
/** @param {number} local */
const set = (local) => [0x21, ...leb(local)];
/** @param {number} local Is set, and stays on the stack. */
const tee = (local) => [0x22, ...leb(local)];
/** @param {Code} body Ends with what says whether to go round again. */
const loop = (body) => [0x03, 0x40, ...body, 0x0d, 0, ...END]; // loop … br_if 0 end
/**
 * @param {number} instruction Of those on vectors of four numbers.
 * @param {Code} rest
 */
const simd = (instruction, ...rest) => [0xfd, ...leb(instruction), ...rest];
/** @param {number} offset In bytes; 2 says that addresses are multiples of 2². */
const load = (offset) => simd(0, 2, offset);
/** @param {number} offset */
const store = (offset) => simd(11, 2, offset);
const SPREAD = simd(9, 2, 0); // v128.load32_splat: one number, four times
const [ADD4, MUL4] = [simd(0xe4), simd(0xe6)];

// The parameters and the other locals, by their numbers. All strides and places are in bytes.

const [A, PER_ROW, PER_STEP, B, MADE, M, N, K] = [0, 1, 2, 3, 4, 5, 6, 7];
const [COLUMN, ROW, STEP, AT_A, AT_B, AT_MADE, TILE_A, WIDTH] = [8, 9, 10, 11, 12, 13, 14, 15];
const INTEGERS = 8; // of the locals that are no parameters
const FIRST_SUM = 16;
const [B_LEFT, B_RIGHT, FROM_A] = [24, 25, 26];
const VECTORS = 11;
/**
 * The local that holds four sums of a tile.
 * @param {number} row
 * @param {number} half
 */
const sum = (row, half) => FIRST_SUM + 2 * row + half;

/** @type {(make: (row: number) => Code) => Code} */
const eachRow = (make) => Array.from({ length: ROWS }, (_, row) => make(row)).flat();
/**
 * local += the number that the code leaves on the stack.
 * @param {number} local
 * @param {Code} code
 */
const advance = (local, code) => [...get(local), ...code, ...ADD, ...set(local)];
/**
 * The address of a row of a tile.
 * @param {number} local
 * @param {number} stride
 * @param {number} row
 */
const below = (local, stride, row) => [
  ...get(local),
  ...get(stride),
  ...constant(row),
  ...MUL,
  ...ADD,
];

/** One step of a tile: from each of four rows a number, times eight numbers of the other matrix. */
function step() {
  /** @type {(row: number, half: number, numbers: number) => Code} */
  const addTo = (row, half, numbers) => [
    ...[...get(sum(row, half)), ...get(FROM_A), ...get(numbers)],
    ...[...MUL4, ...ADD4, ...set(sum(row, half))],
  ];
  return [
    ...[...get(AT_B), ...load(0), ...set(B_LEFT)],
    ...[...get(AT_B), ...load(16), ...set(B_RIGHT)],
    ...eachRow((row) => [
      ...[...below(AT_A, PER_ROW, row), ...SPREAD, ...set(FROM_A)],
      ...[...addTo(row, 0, B_LEFT), ...addTo(row, 1, B_RIGHT)],
    ]),
    ...advance(AT_A, get(PER_STEP)),
    ...advance(AT_B, get(WIDTH)),
    ...[...get(STEP), ...constant(1), ...SUB, ...tee(STEP)],
  ];
}

/** A tile: read what is there, add all steps, write it, and go on to the four rows below. */
function tile() {
  return [
    ...eachRow((row) => [
      ...[...below(AT_MADE, WIDTH, row), ...load(0), ...set(sum(row, 0))],
      ...[...below(AT_MADE, WIDTH, row), ...load(16), ...set(sum(row, 1))],
    ]),
    ...[...get(TILE_A), ...set(AT_A), ...get(K), ...set(STEP)],
    ...[...get(B), ...get(COLUMN), ...ADD, ...set(AT_B)],
    ...loop(step()),
    ...eachRow((row) => [
      ...[...below(AT_MADE, WIDTH, row), ...get(sum(row, 0)), ...store(0)],
      ...[...below(AT_MADE, WIDTH, row), ...get(sum(row, 1)), ...store(16)],
    ]),
    ...advance(AT_MADE, [...get(WIDTH), ...constant(ROWS), ...MUL]),
    ...advance(TILE_A, [...get(PER_ROW), ...constant(ROWS), ...MUL]),
    ...[...get(ROW), ...constant(ROWS), ...SUB, ...tee(ROW)],
  ];
}

/** All tiles, eight columns after eight columns: those of `b` stay in the nearest cache. */
function product() {
  return [
    ...[...get(N), ...constant(BYTES), ...MUL, ...set(WIDTH)],
    ...loop([
      ...[...get(M), ...set(ROW), ...get(A), ...set(TILE_A)],
      ...[...get(MADE), ...get(COLUMN), ...ADD, ...set(AT_MADE)],
      ...loop(tile()),
      ...[...get(COLUMN), ...constant(COLUMNS * BYTES), ...ADD, ...tee(COLUMN)],
      ...[...get(WIDTH), ...LESS],
    ]),
    ...END,
  ];
}

/** @param {Code} bytes */
const sized = (bytes) => [...leb(bytes.length), ...bytes];
/** @param {string} name */
const text = (name) => sized([...new TextEncoder().encode(name)]);
const [INTEGER, VECTOR] = [0x7f, 0x7b]; // the types i32 and v128

/** The module: it takes its memory from outside, and gives one function, `product`. */
export function moduleBytes() {
  const body = [2, INTEGERS, INTEGER, VECTORS, VECTOR, ...product()];
  return Uint8Array.from([
    ...[0, ...new TextEncoder().encode("asm"), 1, 0, 0, 0],
    ...[1, ...sized([1, 0x60, 8, ...new Array(8).fill(INTEGER), 0])], // a type: 8 integers, nothing back
    ...[2, ...sized([1, ...text("page"), ...text("memory"), 2, 0, 1])],
    ...[3, ...sized([1, 0])], // one function, of that type
    ...[7, ...sized([1, ...text("product"), 0, 0])],
    ...[10, ...sized([1, ...sized(body)])],
  ]);
}

/**
 * The product as `products.js` calls it.
 * @returns {import("./products.js").Product}
 * @throws {Error} If the browser has no WebAssembly or no SIMD, or a policy refuses it.
 */
export function makeProduct() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(moduleBytes());
  const { exports } = new WebAssembly.Instance(module, { page: { memory } });
  const run = /** @type {(...numbers: number[]) => void} */ (exports.product);
  let numbers = new Float32Array(memory.buffer);

  return (made, a, b, rows, columns, inner, perRow, perStep) => {
    if (inner === 0) return;
    // whole tiles; what is computed beyond the matrix is not copied back
    const height = Math.ceil(rows / ROWS) * ROWS;
    const width = Math.ceil(columns / COLUMNS) * COLUMNS;
    const [atMade, atA] = [inner * width, (inner + height) * width];
    const needed = (atA + height * inner) * BYTES;
    if (needed > memory.buffer.byteLength) {
      memory.grow(Math.ceil((needed - memory.buffer.byteLength) / PAGE));
      numbers = new Float32Array(memory.buffer);
    }
    copy(b, columns, numbers, width, 0, inner);
    copy(made, columns, numbers, width, atMade, rows);
    numbers.set(a, atA);
    const bytes = [atA, perRow, perStep, 0, atMade].map((place) => place * BYTES);
    run(...bytes, height, width, inner);
    if (width === columns) made.set(numbers.subarray(atMade, atMade + rows * columns));
    else {
      for (let row = 0; row < rows; row++) {
        const begin = atMade + row * width;
        made.set(numbers.subarray(begin, begin + columns), row * columns);
      }
    }
  };
}

/**
 * Copies a matrix into a place with wider rows.
 * @param {Float32Array} from
 * @param {number} columns
 * @param {Float32Array} to
 * @param {number} width
 * @param {number} begin
 * @param {number} rows
 */
function copy(from, columns, to, width, begin, rows) {
  if (columns === width) to.set(from, begin);
  else {
    for (let row = 0; row < rows; row++) {
      to.set(from.subarray(row * columns, (row + 1) * columns), begin + row * width);
    }
  }
}
