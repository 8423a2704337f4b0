/**
 * The functions that BERT's layers are made of, forward. `backward.js` has the gradient of each.
 *
 * Each takes, last, the array that it fills, so that training can use the same ones in each step.
 */
import { addProduct, transpose } from "./products.js";

/** @typedef {Float32Array} Vectors One after the other, `(length, width)`. */

let room = new Float32Array(0); // for the parts of a head, used again and again

/**
 * x Wᵀ + b for each vector x.
 * @param {Vectors} vectors `(length, width)`
 * @param {Float32Array} turned Wᵀ, `(width, outputs)`: PyTorch keeps W, `(outputs, width)`.
 * @param {Float32Array} bias `(outputs)`
 * @param {Vectors} [made] `(length, outputs)`
 */
export function linear(vectors, turned, bias, made) {
  const outputs = bias.length;
  const width = turned.length / outputs;
  made ??= new Float32Array((vectors.length / width) * outputs);
  for (let at = 0; at < made.length; at += outputs) made.set(bias, at);
  addProduct(made, vectors, turned, outputs);
  return made;
}

/**
 * The mean of a vector, and what its numbers are multiplied by to have variance 1.
 * @param {Vectors} vectors
 * @param {number} begin Where the vector is.
 * @param {number} width
 * @param {number} epsilon Is added to the variance, which may be 0.
 */
export function moments(vectors, begin, width, epsilon) {
  let mean = 0;
  let variance = 0;
  for (let k = 0; k < width; k++) mean += vectors[begin + k];
  mean /= width;
  for (let k = 0; k < width; k++) variance += (vectors[begin + k] - mean) ** 2;
  return { mean, unit: 1 / Math.sqrt(variance / width + epsilon) };
}

/**
 * Each vector is shifted to mean 0 and scaled to variance 1, then by learned numbers.
 * @param {Vectors} vectors `(length, width)`
 * @param {Float32Array} scale `(width)`
 * @param {Float32Array} shift `(width)`
 * @param {number} epsilon See `moments`.
 * @param {Vectors} [made] `(length, width)`
 */
export function layerNorm(
  vectors,
  scale,
  shift,
  epsilon,
  made = new Float32Array(vectors.length),
) {
  const width = scale.length;
  for (let begin = 0; begin < vectors.length; begin += width) {
    const { mean, unit } = moments(vectors, begin, width, epsilon);
    for (let k = 0; k < width; k++) {
      made[begin + k] =
        (vectors[begin + k] - mean) * unit * scale[k] + shift[k];
    }
  }
  return made;
}

/**
 * Each token attends to all tokens, on both sides: no mask hides what comes later.
 * @param {Vectors} query `(length, width)`, like the next two
 * @param {Vectors} key
 * @param {Vectors} value
 * @param {number} width Of all heads together.
 * @param {number} heads
 * @param {Vectors} context `(length, width)`: what the heads have collected for each token
 * @param {Float32Array} shares `(heads, length, length)`: how much of each token they took
 */
export function attend(query, key, value, width, heads, context, shares) {
  const length = query.length / width;
  const size = width / heads;
  const [area, square] = [length * size, length * length];
  if (room.length < 5 * area) room = new Float32Array(5 * area);
  const [q, k, v, turned, collected] = [0, 1, 2, 3, 4].map((n) =>
    room.subarray(n * area, (n + 1) * area),
  );
  // --8<-- [start:all-to-all]
  for (let head = 0; head < heads; head++) {
    // this head's part of each vector, (length, size)
    cut(query, width, head, size, q);
    cut(key, width, head, size, k);
    cut(value, width, head, size, v);
    // how well the query of token i fits the key of token j
    const fits = shares.subarray(head * square, (head + 1) * square).fill(0);
    addProduct(fits, q, transpose(k, size, turned), length);
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) fits[i * length + j] /= Math.sqrt(size);
    }
    softmaxRows(fits, length);
    // each token collects the values of all tokens, by their shares
    addProduct(collected.fill(0), fits, v, size);
    put(collected, width, head, size, context);
  }
  // --8<-- [end:all-to-all]
}

/**
 * One head's columns of all vectors: `(length, size)` of `(length, width)`.
 * @param {Vectors} vectors
 * @param {number} width
 * @param {number} head
 * @param {number} size Of a head.
 * @param {Vectors} made
 */
export function cut(vectors, width, head, size, made) {
  for (
    let to = 0, from = head * size;
    to < made.length;
    to += size, from += width
  ) {
    for (let k = 0; k < size; k++) made[to + k] = vectors[from + k];
  }
  return made;
}

/**
 * The opposite of `cut`.
 * @param {Vectors} part
 * @param {number} width
 * @param {number} head
 * @param {number} size
 * @param {Vectors} vectors
 */
export function put(part, width, head, size, vectors) {
  for (
    let from = 0, to = head * size;
    from < part.length;
    from += size, to += width
  ) {
    for (let k = 0; k < size; k++) vectors[to + k] = part[from + k];
  }
}

/**
 * The sum, number by number.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {Float32Array} [made] May be one of them.
 */
export function add(a, b, made = new Float32Array(a.length)) {
  for (let k = 0; k < made.length; k++) made[k] = a[k] + b[k];
  return made;
}

/**
 * x Φ(x), where Φ is the normal distribution: 0 for very negative x, x for very positive ones.
 * @param {Float32Array} vector
 * @param {Float32Array} [made]
 */
export function gelu(vector, made = new Float32Array(vector.length)) {
  for (let k = 0; k < made.length; k++) made[k] = vector[k] * normal(vector[k]);
  return made;
}

/**
 * Φ(x), the share of the normal distribution that is below x.
 * @param {number} x
 */
export const normal = (x) => 0.5 * (1 + erf(x * Math.SQRT1_2));

/**
 * The error function to 1.5e-7 (Abramowitz and Stegun, formula 7.1.26).
 * @param {number} x
 */
function erf(x) {
  const size = Math.abs(x);
  const t = 1 / (1 + 0.3275911 * size);
  const tail = t * (-1.453152027 + t * 1.061405429);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + tail)));
  const made = 1 - series * Math.exp(-size * size);
  return x < 0 ? -made : made;
}

/**
 * Turns each row of scores into shares that add up to 1, in place.
 * @param {Float32Array} scores `(rows, width)`
 * @param {number} width
 */
export function softmaxRows(scores, width) {
  for (let begin = 0; begin < scores.length; begin += width) {
    let highest = -Infinity; // so that no exp overflows
    let sum = 0;
    for (let k = begin; k < begin + width; k++)
      if (scores[k] > highest) highest = scores[k];
    for (let k = begin; k < begin + width; k++)
      sum += scores[k] = Math.exp(scores[k] - highest);
    for (let k = begin; k < begin + width; k++) scores[k] /= sum;
  }
  return scores;
}
