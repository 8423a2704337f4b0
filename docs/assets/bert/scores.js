/** What scores say: as probabilities, and as a loss. Widgets use it before any model has come. */

/**
 * Turns scores into probabilities, which add up to 1.
 * @template {Float32Array | number[]} Scores
 * @param {Scores} scores
 * @returns {Scores}
 */
export function softmax(scores) {
  const numbers = /** @type {number[]} */ (scores); // both kinds have what is used here
  const highest = Math.max(...numbers); // so that no exp overflows
  const exps = numbers.map((score) => Math.exp(score - highest));
  const sum = exps.reduce((a, b) => a + b, 0);
  return /** @type {Scores} */ (exps.map((number) => number / sum));
}

/**
 * The log of the sum of all exp(score): the cross-entropy of one is this, minus its score.
 * @param {Float32Array | number[]} scores
 */
export function logSumExp(scores) {
  const highest = Math.max(...scores); // so that no exp overflows, and no loss is infinite
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - highest);
  return highest + Math.log(sum);
}
