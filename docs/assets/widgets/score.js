// @ts-nocheck: its types are still to be written
/** The score of a page of practice: kept in this browser alone, shown above the pieces. */
import { announce, h } from "./dom.js";
import { pageName } from "./progress.js";
import { remember, remembered } from "./state.js";

const SIGNS = { first: "✓", done: "✓", shown: "→", open: "…", new: "" };

/**
 * What has become of one piece.
 * @typedef {object} Entry
 * @property {number[]} chosen What was tried, in this order, until it was right.
 * @property {boolean} done It was solved.
 * @property {boolean} shown The answer was looked up instead.
 */

/** An entry, whatever the browser has kept under its name. */
const clean = (entry) => ({
  chosen: Array.isArray(entry?.chosen) ? entry.chosen.filter(Number.isInteger).slice(0, 100) : [],
  done: entry?.done === true,
  shown: entry?.shown === true,
});

/** Nothing was tried, or it was forgotten. */
export const isNew = (entry) => statusOf(entry) === "new";

/** "first" (solved at once), "done", "shown", "open" (tried, not solved), or "new". */
function statusOf({ chosen, done, shown }) {
  if (done) return chosen.length <= 1 ? "first" : "done";
  if (shown) return "shown";
  return chosen.length ? "open" : "new";
}

/** "1 try in all", "2 tries in all", … */
export function triesInAll(entries) {
  const tries = entries.reduce((sum, { chosen }) => sum + chosen.length, 0);
  return `${tries} ${tries === 1 ? "try" : "tries"} in all`;
}

/** "at the first try", "at the second try", … */
export function atTry(number) {
  const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth"];
  return `at the ${ordinals[number - 1] ?? `${number}th`} try`;
}

/** @param {() => void} action */
const call = (action) => action();

/** A heading without the sign of its link. */
export function headingText(heading) {
  const copy = heading.cloneNode(true);
  for (const link of copy.querySelectorAll(".headerlink")) link.remove();
  return copy.textContent.trim();
}

/** The heading above a part of the page. */
export function headingOf(element) {
  let before = element.previousElementSibling;
  while (before && !before.matches("h2, h3")) before = before.previousElementSibling;
  return before;
}

/**
 * Shows the score at the top of the host, where its note was, and keeps it.
 *
 * @param {HTMLElement} host
 * @param {string} name Under which the browser keeps it.
 * @param {{id: string, title: string}[]} pieces Each with the id of an element to go to.
 * @param {object} words
 * @param {Record<string, string>} words.status What a status is called.
 * @param {(entries: Entry[], count: (status: string) => number) => string} words.sum
 * @param {(() => void)[]} redraws For each piece: is called when its entry has changed, but not by
 *   `set`. A piece whose entry is new again is as it was at first.
 * @returns {{get: (id: string) => Entry, set: (id: string, entry: Entry) => void}}
 */
export function keepScore(host, name, pieces, words, redraws) {
  let entries = read();
  const links = pieces.map(({ id }) => h("a", { href: `#${id}` }));
  const sum = h("p", { class: "score-sum" });
  const again = h("button", { type: "button", class: "quiet", onclick: clear }, "Start over");
  const list = links.map((link) => h("li", {}, link));
  const section = h(
    "section",
    { class: "score", "aria-label": "Your score" },
    h("ol", { class: "score-pieces" }, list),
    h("div", { class: "score-line" }, sum, again),
  );
  // replaces the note for readers without scripts in one change, which costs only one layout
  host.querySelector(":scope > .widget-note").replaceWith(section);
  draw();
  addEventListener("storage", readAgain); // another window may have changed it
  addEventListener("pageshow", ({ persisted }) => persisted && readAgain());

  function read() {
    const kept = Object(remembered(name, {}));
    return new Map(pieces.map(({ id }) => [id, clean(kept[id])]));
  }

  function readAgain() {
    const before = entries;
    entries = read();
    const text = (entry) => JSON.stringify(entry);
    const changed = pieces.map(({ id }) => text(entries.get(id)) !== text(before.get(id)));
    if (!changed.includes(true)) return;
    draw();
    redraws.filter((_, n) => changed[n]).forEach(call);
  }

  function draw() {
    const all = [...entries.values()];
    pieces.forEach(({ title }, n) => {
      const status = statusOf(all[n]);
      links[n].className = status;
      links[n].setAttribute("aria-label", `${title}: ${words.status[status]}`);
      links[n].title = `${title}: ${words.status[status]}`;
      links[n].replaceChildren(`${n + 1}`, h("i", {}, SIGNS[status]));
    });
    sum.textContent = words.sum(all, (status) => all.filter((e) => statusOf(e) === status).length);
    again.hidden = all.every(isNew);
  }

  function keep() {
    const begun = [...entries].filter(([, entry]) => !isNew(entry));
    const over = begun.filter(([, { done, shown }]) => done || shown);
    remember(name, Object.fromEntries(begun));
    remember(`done:${pageName()}`, { done: over.length, of: pieces.length });
  }

  function clear() {
    entries = new Map(pieces.map(({ id }) => [id, clean(null)]));
    keep();
    draw();
    redraws.forEach(call);
    links[0].focus(); // the button has gone
    announce("Your score on this page was cleared.");
  }

  return {
    get: (id) => entries.get(id),
    set(id, entry) {
      entries.set(id, entry);
      keep();
      draw();
    },
  };
}
