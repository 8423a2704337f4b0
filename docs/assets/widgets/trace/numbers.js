/** Numbers as Python prints them, but with a proper minus sign. */

/**
 * With a fixed number of digits.
 * @param {number} x
 */
export const decimal = (x, digits = 5) => x.toFixed(digits).replace("-", "−");

/**
 * As `:.9e`. Exactly between two digits, Python takes the even one; JavaScript goes up.
 * @param {number} x
 */
export function scientific(x, digits = 9) {
  const [all, exponent] = Math.abs(x).toExponential(100).split("e");
  const [kept, rest] = [all.slice(0, digits + 2), all.slice(digits + 2)];
  const isEven = /^50*$/.test(rest) && Number(kept.at(-1)) % 2 === 0;
  const rounded = Math.abs(x).toExponential(digits).split("e");
  const [mantissa, power] = isEven ? [kept, exponent] : rounded;
  const sign = x < 0 ? "−" : "";
  return `${sign}${mantissa}e${power[0].replace("-", "−")}${power.slice(1).padStart(2, "0")}`;
}

/**
 * Without digits of its own: 0.0001, 5e−05.
 * @param {number} x
 */
export const plain = (x) =>
  x >= 1e-4
    ? String(x)
    : x.toExponential().replace(/e-(\d+)$/, (_, power) => `e−${power.padStart(2, "0")}`);
