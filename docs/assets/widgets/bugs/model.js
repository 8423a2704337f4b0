/** What "find the bug" says of a line, and of a piece. No page is needed. */
import { atTry, triesInAll } from "../score/model.js";

/** @typedef {import("../score/model.js").Entry} Entry */

/** @typedef {"" | "faulty" | "innocent"} Verdict "" as long as it is not known. */

/**
 * The message above the code, and where the button beside it leads.
 * @typedef {object} Advice
 * @property {string} text
 * @property {{label: string, to: "hint" | "answer"} | null} next
 */

/** @type {import("../score/model.js").Words} */
export const WORDS = {
  status: {
    new: "not tried yet",
    open: "tried, not found yet",
    first: "found at the first try",
    done: "found",
    shown: "looked up",
  },
  sum(entries, count) {
    const found = count("first") + count("done");
    if (count("new") === entries.length) {
      return "Click the line that is wrong. Your score is kept only in this browser.";
    }
    const shown = count("shown") ? `, ${count("shown")} looked up` : "";
    return (
      `Found ${found} of ${entries.length}, ${count("first")} at the first try${shown}; ` +
      `${triesInAll(entries)}.`
    );
  },
};

/**
 * The line was found or looked up.
 * @param {Entry} entry
 */
export const isOver = ({ done, shown }) => done || shown;

/**
 * What has become of a piece when a line is chosen; the same line once more is no other try.
 * @param {Entry} entry Of a piece that is not over.
 * @param {number} line
 * @param {number} faulty
 * @returns {Entry}
 */
export function afterChoice(entry, line, faulty) {
  if (entry.chosen.includes(line)) return entry;
  return { ...entry, chosen: [...entry.chosen, line], done: line === faulty };
}

/**
 * @param {Entry} entry
 * @param {number} line
 * @param {number} faulty
 * @returns {Verdict}
 */
export function verdictOn(entry, line, faulty) {
  if (line === faulty) return isOver(entry) ? "faulty" : "";
  return entry.chosen.includes(line) ? "innocent" : "";
}

/**
 * The name of a line, for readers who do not see it.
 * @param {number} line
 * @param {Verdict} verdict
 * @param {string} code
 */
export function nameOf(line, verdict, code) {
  const said = { faulty: "the faulty line: ", innocent: "not this one: ", "": "" }[verdict];
  return `line ${line + 1}, ${said}${code.trim()}`;
}

/**
 * @param {Entry} entry
 * @param {number} faulty
 * @param {number | null} line That was chosen just before; null if none was.
 * @param {boolean} hasHint Whether there is one that was not opened.
 * @returns {Advice}
 */
export function adviceOn({ chosen, done, shown }, faulty, line, hasHint) {
  if (done) {
    return { text: `✓ Found ${atTry(chosen.length)}.`, next: { label: "Why?", to: "answer" } };
  }
  if (shown) return { text: "→ This is the line.", next: { label: "Why?", to: "answer" } };
  if (line === null) return { text: "Which line is wrong? Click it.", next: null };
  const isNear = Math.abs(line - faulty) === 1;
  return {
    text: isNear
      ? "✗ Not this one, but you are very close."
      : "✗ Not this one: it does what it should.",
    next: hasHint ? { label: "A hint", to: "hint" } : { label: "Show me", to: "answer" },
  };
}

/**
 * The line that a key leads to; undefined if it leads nowhere.
 * @param {string} key
 * @param {number} line
 * @param {number} count
 * @returns {number | undefined}
 */
export function lineAfterKey(key, line, count) {
  /** @type {Record<string, number>} */
  const targets = {
    ArrowDown: Math.min(line + 1, count - 1),
    ArrowUp: Math.max(line - 1, 0),
    Home: 0,
    End: count - 1,
  };
  return targets[key];
}
