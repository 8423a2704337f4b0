/** Numbers as the page writes them. */

/**
 * A number with a fixed count of decimals: 0.31, 2.40.
 * @param {number} number
 */
export const fixed = (number, digits = 2) => number.toFixed(digits);

/**
 * A probability in percent; none is shown as impossible or certain.
 * @param {number} share
 */
export function probability(share, digits = 1) {
  const least = 10 ** -digits;
  if (100 * share < least / 2) return `<${least}%`;
  return 100 * (1 - share) < least / 2 ? `>${100 - least}%` : percent(share, digits);
}

/** @param {number} share */
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;
