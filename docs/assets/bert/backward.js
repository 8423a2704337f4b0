/**
 * The gradient of each function in `layers.js`.
 *
 * The backward pass goes through the layers in reverse. Each function is told how the loss changes
 * with every number that its layer made (`dMade`, of the same shape), and works out how the loss
 * changes with every number that the layer was given. Gradients of weights are added to what is
 * there, since a weight is used for many tokens; `dVectors` is added to where that is said.
 */
import { Buffers } from "./buffers.js";
import { cut, moments, normal, put } from "./layers.js";
import { addProduct, addTurnedProduct, transpose } from "./products.js";

/** @typedef {import("./layers.js").Vectors} Vectors */

const scratch = new Buffers();

/**
 * For made = x Wᵀ + b.
 * @param {Vectors} dMade `(length, outputs)`
 * @param {Vectors} vectors `(length, width)`: what the layer was given
 * @param {Float32Array} weight `(outputs, width)`
 * @param {Vectors | null} dVectors `(length, width)`, added to; null if nobody needs it
 * @param {Float32Array} dWeight `(outputs, width)`, added to
 * @param {Float32Array} dBias `(outputs)`, added to
 */
// --8<-- [start:linear]
export function linearBackward(
  dMade,
  vectors,
  weight,
  dVectors,
  dWeight,
  dBias,
) {
  const outputs = dBias.length;
  const width = weight.length / outputs;
  // made[i, o] has x[i, k] in it W[o, k] times ...
  if (dVectors) addProduct(dVectors, dMade, weight, width);
  // ... and W[o, k] x[i, k] times, for each token i
  addTurnedProduct(dWeight, dMade, vectors, width);
  for (let at = 0; at < dMade.length; at += outputs) {
    for (let o = 0; o < outputs; o++) dBias[o] += dMade[at + o];
  }
}
// --8<-- [end:linear]

/**
 * For made = (x − mean) / deviation · scale + shift.
 * @param {Vectors} dMade `(length, width)`
 * @param {Vectors} vectors `(length, width)`
 * @param {Float32Array} scale `(width)`
 * @param {number} epsilon
 * @param {Vectors} dVectors `(length, width)`, overwritten; may be `dMade`
 * @param {Float32Array} dScale `(width)`, added to
 * @param {Float32Array} dShift `(width)`, added to
 */
export function layerNormBackward(
  dMade,
  vectors,
  scale,
  epsilon,
  dVectors,
  dScale,
  dShift,
) {
  const width = scale.length;
  const normed = scratch.take("normed", width); // the vector before scale and shift
  for (let begin = 0; begin < vectors.length; begin += width) {
    const { mean, unit } = moments(vectors, begin, width, epsilon);
    // --8<-- [start:layer-norm]
    let along = 0; // how much the gradient points along the vector of ones,
    let onto = 0; // and how much along the normed vector itself
    for (let k = 0; k < width; k++) {
      normed[k] = (vectors[begin + k] - mean) * unit;
      dScale[k] += dMade[begin + k] * normed[k];
      dShift[k] += dMade[begin + k];
      const dNormed = dMade[begin + k] * scale[k];
      along += dNormed / width;
      onto += (dNormed * normed[k]) / width;
    }
    // neither direction survives the norm, so neither may change the vector
    for (let k = 0; k < width; k++) {
      const dNormed = dMade[begin + k] * scale[k];
      dVectors[begin + k] = unit * (dNormed - along - normed[k] * onto);
    }
    // --8<-- [end:layer-norm]
  }
}

/**
 * For made = x Φ(x): the slope is Φ(x) + x φ(x), where φ is the normal distribution's density.
 * @param {Float32Array} dMade Is overwritten with the gradient of x.
 * @param {Float32Array} vector The x.
 */
// --8<-- [start:gelu]
export function geluBackward(dMade, vector) {
  const highest = 1 / Math.sqrt(2 * Math.PI);
  for (let k = 0; k < vector.length; k++) {
    const x = vector[k];
    dMade[k] *= normal(x) + x * highest * Math.exp(-0.5 * x * x);
  }
}
// --8<-- [end:gelu]

/**
 * For made = tanh(x), whose slope is 1 − made².
 * @param {Float32Array} dMade Is overwritten with the gradient of x.
 * @param {Float32Array} made
 */
export function tanhBackward(dMade, made) {
  for (let k = 0; k < made.length; k++) dMade[k] *= 1 - made[k] ** 2;
}

/**
 * For `attend`.
 * @param {Vectors} dContext `(length, width)`
 * @param {Vectors[]} given Query, key and value, each `(length, width)`
 * @param {Float32Array} shares `(heads, length, length)`, as `attend` has left them
 * @param {number} width
 * @param {number} heads
 * @param {Vectors[]} dGiven Their gradients, each `(length, width)`, overwritten
 */
export function attendBackward(dContext, given, shares, width, heads, dGiven) {
  const length = dContext.length / width;
  const size = width / heads;
  const [area, square] = [length * size, length * length];
  // --8<-- [start:attention]
  for (let head = 0; head < heads; head++) {
    // this head's part of each vector, (length, size)
    const [q, k, v] = given.map((vectors, n) =>
      cut(vectors, width, head, size, scratch.take(`part ${n}`, area)),
    );
    const [dQ, dK, dV] = dGiven.map((_, n) =>
      scratch.zeros(`d part ${n}`, area),
    );
    const dCollected = cut(
      dContext,
      width,
      head,
      size,
      scratch.take("dCollected", area),
    );
    // (length, length)
    const taken = shares.subarray(head * square, (head + 1) * square);
    // collected = taken v
    addTurnedProduct(dV, taken, dCollected, size);
    const dFits = scratch.zeros("dFits", square);
    addProduct(
      dFits,
      dCollected,
      transpose(v, size, scratch.take("vT", area)),
      length,
    );
    softmaxBackward(dFits, taken, length);
    for (let n = 0; n < square; n++) dFits[n] /= Math.sqrt(size);
    // fits = q kᵀ
    addProduct(dQ, dFits, k, size);
    addTurnedProduct(dK, dFits, q, size);
    for (const [n, part] of [dQ, dK, dV].entries())
      put(part, width, head, size, dGiven[n]);
  }
  // --8<-- [end:attention]
}

/**
 * For softmax: a score raises its own share at the cost of all others, so what counts is how much
 * more its share matters than the shares matter on average.
 * @param {Float32Array} dShares `(rows, width)`, overwritten with the gradient of the scores
 * @param {Float32Array} shares `(rows, width)`
 * @param {number} width
 */
// --8<-- [start:softmax]
export function softmaxBackward(dShares, shares, width) {
  for (let begin = 0; begin < shares.length; begin += width) {
    let average = 0;
    for (let k = begin; k < begin + width; k++)
      average += shares[k] * dShares[k];
    for (let k = begin; k < begin + width; k++) {
      dShares[k] = shares[k] * (dShares[k] - average);
    }
  }
}
// --8<-- [end:softmax]

/**
 * For the sum of a row of each table: the gradient goes to the rows that were taken.
 * @param {Vectors} dVectors `(length, width)`
 * @param {ArrayLike<number>} rows For each vector the row, `(length)`.
 * @param {number} width
 * @param {Float32Array} dTable `(rows of the table, width)`, added to
 */
export function tableBackward(dVectors, rows, width, dTable) {
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++)
      dTable[rows[i] * width + k] += dVectors[i * width + k];
  }
}

/**
 * The mean cross-entropy over the labels that are not -100, in nats, and its gradient.
 * @param {Float32Array} scores `(rows, classes)`, overwritten with their gradient
 * @param {number} classes
 * @param {ArrayLike<number>} labels `(rows)`: class numbers, -100 where there is nothing to learn
 * @returns {{loss: number, right: number, count: number}} Also how many of the labels have the
 *   highest score, and how many labels there are. Without any, the loss is 0, like its gradient.
 */
export function crossEntropy(scores, classes, labels) {
  let [total, right, count] = [0, 0, 0];
  for (let row = 0; row < labels.length; row++)
    if (labels[row] !== IGNORED) count++;
  // --8<-- [start:cross-entropy]
  for (let row = 0; row < labels.length; row++) {
    const own = scores.subarray(row * classes, (row + 1) * classes);
    const label = labels[row];
    if (label === IGNORED) {
      own.fill(0);
      continue;
    }
    if (!(label >= 0 && label < classes)) {
      throw new Error(
        `label ${label} of ${classes} classes; expected 0 to ${classes - 1} or -100`,
      );
    }
    let highest = 0;
    for (let k = 1; k < classes; k++) if (own[k] > own[highest]) highest = k;
    if (highest === label) right++;
    const [top, score] = [own[highest], own[label]];
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += own[k] = Math.exp(own[k] - top);
    total += Math.log(sum) + top - score;
    // the gradient: the probabilities, minus 1 for the class that is right
    for (let k = 0; k < classes; k++) own[k] /= sum * count;
    own[label] -= 1 / count;
  }
  // --8<-- [end:cross-entropy]
  return { loss: total / Math.max(1, count), right, count };
}

export const IGNORED = -100;
