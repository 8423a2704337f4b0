/** What has become of the pieces of a page of practice, and that in words. No page is needed. */

/** @typedef {"first" | "done" | "shown" | "open" | "new"} Status */

/**
 * @typedef {object} Words
 * @property {Partial<Record<Status, string>>} status What a status is called.
 * @property {(entries: Entry[], count: (status: Status) => number) => string} sum
 */

/**
 * What has become of one piece.
 * @typedef {object} Entry
 * @property {number[]} chosen What was tried, in this order, until it was right.
 * @property {boolean} done It was solved.
 * @property {boolean} shown The answer was looked up instead.
 */

/**
 * An entry, whatever the browser has kept under its name.
 * @param {unknown} kept
 * @returns {Entry}
 */
export function clean(kept) {
  const { chosen, done, shown } = Object(kept);
  return {
    chosen: Array.isArray(chosen) ? chosen.filter(Number.isInteger).slice(0, 100) : [],
    done: done === true,
    shown: shown === true,
  };
}

/**
 * Nothing was tried, or it was forgotten.
 * @param {Entry} entry
 */
export const isNew = (entry) => statusOf(entry) === "new";

/**
 * "first" (solved at once), "done", "shown", "open" (tried, not solved), or "new".
 * @param {Entry} entry
 * @returns {Status}
 */
export function statusOf({ chosen, done, shown }) {
  if (done) return chosen.length <= 1 ? "first" : "done";
  if (shown) return "shown";
  return chosen.length ? "open" : "new";
}

/**
 * "1 try in all", "2 tries in all", …
 * @param {Entry[]} entries
 */
export function triesInAll(entries) {
  const tries = entries.reduce((sum, { chosen }) => sum + chosen.length, 0);
  return `${tries} ${tries === 1 ? "try" : "tries"} in all`;
}

/**
 * "at the first try", "at the second try", …
 * @param {number} number
 */
export function atTry(number) {
  const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth"];
  return `at the ${ordinals[number - 1] ?? `${number}th`} try`;
}

/**
 * The whole score in words.
 * @param {Words} words
 * @param {Entry[]} entries
 */
export const sumOf = (words, entries) =>
  words.sum(entries, (status) => entries.filter((entry) => statusOf(entry) === status).length);
