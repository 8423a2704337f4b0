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
 * @returns {Float64Array} The weights, `(classes, width)`.
 */
export function fitProbe(vectors, width, numbers, classes) {
  const weights = new Float64Array(classes * width);
  const slopes = new Float64Array(classes * width);
  const shares = new Float64Array(classes);
  const bound = inverse(boundOf(vectors, width), width);
  for (let step = 0; step < STEPS; step++) {
    for (let k = 0; k < slopes.length; k++) slopes[k] = -DECAY * weights[k];
    for (let word = 0; word < numbers.length; word++) {
      const begin = word * width;
      softmax(score(vectors, begin, width, weights, shares));
      for (let c = 0; c < classes; c++) {
        const missing = (c === numbers[word] ? 1 : 0) - shares[c];
        for (let i = 0; i < width; i++) slopes[c * width + i] += missing * vectors[begin + i];
      }
    }
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < width; i++) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += bound[i * width + j] * slopes[c * width + j];
        weights[c * width + i] += sum;
      }
    }
  }
  return weights;
}

/**
 * The scores of one vector.
 * @param {Float64Array} vectors
 * @param {number} begin Where it is.
 * @param {number} width
 * @param {Float64Array} weights `(classes, width)`
 * @param {Float64Array} made `(classes)`, overwritten
 */
export function score(vectors, begin, width, weights, made) {
  for (let c = 0; c < made.length; c++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += vectors[begin + i] * weights[c * width + i];
    made[c] = sum;
  }
  return made;
}

/** @param {Float64Array} scores Are overwritten with shares that add up to 1. */
function softmax(scores) {
  let [highest, sum] = [-Infinity, 0];
  for (let c = 0; c < scores.length; c++) if (scores[c] > highest) highest = scores[c];
  for (let c = 0; c < scores.length; c++) sum += scores[c] = Math.exp(scores[c] - highest);
  for (let c = 0; c < scores.length; c++) scores[c] /= sum;
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
