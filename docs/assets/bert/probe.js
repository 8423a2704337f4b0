/**
 * A linear layer on vectors that stay as they are, fitted by its cross-entropy.
 *
 * Follows `fit_probe` of `bertlesson.lesson.small_mix`: each step minimizes a parabola that touches
 * the loss and lies above it (Böhning 1992), so the loss falls in every step.
 */

const STEPS = 100;
const DECAY = 1;

/**
 * @param {Float64Array} vectors `(words, width)`
 * @param {number} width
 * @param {number[]} numbers The class of each, `(words)`.
 * @param {number} classes How many there are.
 * @returns {Float64Array} The weights, `(width, classes)`.
 */
export function fitProbe(vectors, width, numbers, classes) {
  const weights = new Float64Array(width * classes);
  const slopes = new Float64Array(width * classes);
  const bound = inverse(boundOf(vectors, width), width);
  for (let step = 0; step < STEPS; step++) {
    for (let k = 0; k < slopes.length; k++) slopes[k] = -DECAY * weights[k];
    for (const [word, number] of numbers.entries()) {
      const missing = sharesOf(vectors, word * width, width, weights, classes).map(
        (share) => -share,
      );
      missing[number] += 1;
      for (let i = 0; i < width; i++) {
        const x = vectors[word * width + i];
        for (let c = 0; c < classes; c++) slopes[i * classes + c] += x * missing[c];
      }
    }
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        const share = bound[i * width + j];
        for (let c = 0; c < classes; c++)
          weights[i * classes + c] += share * slopes[j * classes + c];
      }
    }
  }
  return weights;
}

/**
 * The scores of one vector, `(classes)`.
 * @param {Float64Array} vectors
 * @param {number} begin Where it is.
 * @param {number} width
 * @param {Float64Array} weights
 * @param {number} classes
 */
export function scoresOf(vectors, begin, width, weights, classes) {
  /** @type {number[]} */
  const scores = new Array(classes).fill(0);
  for (let i = 0; i < width; i++) {
    const x = vectors[begin + i];
    for (let c = 0; c < classes; c++) scores[c] += x * weights[i * classes + c];
  }
  return scores;
}

/** @type {typeof scoresOf} */
function sharesOf(...given) {
  const scores = scoresOf(...given);
  const highest = Math.max(...scores);
  const exps = scores.map((score) => Math.exp(score - highest));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((number) => number / sum);
}

/**
 * How steep the loss can be at most: XᵀX / 2, and the decay.
 * @param {Float64Array} vectors
 * @param {number} width
 */
function boundOf(vectors, width) {
  const made = new Float64Array(width * width);
  for (let begin = 0; begin < vectors.length; begin += width) {
    for (let i = 0; i < width; i++) {
      const half = vectors[begin + i] / 2;
      for (let j = 0; j < width; j++) made[i * width + j] += half * vectors[begin + j];
    }
  }
  for (let i = 0; i < width; i++) made[i * width + i] += DECAY;
  return made;
}

/**
 * The inverse of a matrix that is symmetric and positive, by Gauss and Jordan; it is overwritten.
 * @param {Float64Array} matrix
 * @param {number} width
 */
function inverse(matrix, width) {
  for (let pivot = 0; pivot < width; pivot++) {
    const row = matrix.subarray(pivot * width, (pivot + 1) * width);
    const unit = 1 / row[pivot];
    row[pivot] = 1;
    for (let j = 0; j < width; j++) row[j] *= unit;
    for (let i = 0; i < width; i++) {
      if (i === pivot) continue;
      const other = matrix.subarray(i * width, (i + 1) * width);
      const factor = other[pivot];
      other[pivot] = 0;
      for (let j = 0; j < width; j++) other[j] -= factor * row[j];
    }
  }
  return matrix;
}
