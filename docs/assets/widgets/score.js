/** The score of a page of practice: kept in this browser alone, shown above the pieces. */
import { announce, h } from "./dom.js";
import { pageName } from "./progress.js";
import { clean, isNew, statusOf, sumOf } from "./score/model.js";
import { remember, remembered } from "./state.js";

/** @typedef {import("./score/model.js").Entry} Entry */
/** @typedef {import("./score/model.js").Words} Words */
/** @typedef {{id: string, title: string}} Piece With the id of an element to go to. */
/** @typedef {{get: (id: string) => Entry, set: (id: string, entry: Entry) => void}} Score */

const SIGNS = { first: "✓", done: "✓", shown: "→", open: "…", new: "" };

/** @param {() => void} action */
const call = (action) => action();

/**
 * A heading without the sign of its link.
 * @param {Element} heading
 */
export function headingText(heading) {
  const copy = /** @type {Element} */ (heading.cloneNode(true));
  for (const link of copy.querySelectorAll(".headerlink")) link.remove();
  return copy.textContent.trim();
}

/**
 * The heading above a part of the page.
 * @param {Element} element
 */
export function headingOf(element) {
  let before = element.previousElementSibling;
  while (before && !before.matches("h2, h3")) before = before.previousElementSibling;
  if (!before) throw new Error("A part of the page has no heading above it.");
  return before;
}

/**
 * @param {HTMLElement[]} links
 * @param {HTMLElement} sum
 * @param {HTMLElement} again
 */
function section(links, sum, again) {
  const list = links.map((link) => h("li", {}, link));
  return h(
    "section",
    { class: "score", "aria-label": "Your score" },
    h("ol", { class: "score-pieces" }, list),
    h("div", { class: "score-line" }, sum, again),
  );
}

/**
 * Shows the score at the top of the host, where its note was, and keeps it.
 *
 * @param {HTMLElement} host
 * @param {string} name Under which the browser keeps it.
 * @param {Piece[]} pieces
 * @param {Words} words
 * @param {(() => void)[]} redraws For each piece: is called when its entry has changed, but not by
 *   `set`. A piece whose entry is new again is as it was at first.
 * @returns {Score}
 */
export function keepScore(host, name, pieces, words, redraws) {
  let entries = read();
  const links = pieces.map(({ id }) => h("a", { href: `#${id}` }));
  const sum = h("p", { class: "score-sum" });
  const again = h("button", { type: "button", class: "quiet", onclick: clear }, "Start over");
  // replaces the note for readers without scripts in one change, which costs only one layout
  host.querySelector(":scope > .widget-note")?.replaceWith(section(links, sum, again));
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
    const text = [before, entries].map((all) =>
      pieces.map(({ id }) => JSON.stringify(all.get(id))),
    );
    const changed = pieces.map((_, n) => text[0][n] !== text[1][n]);
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
    sum.textContent = sumOf(words, all);
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
    get: (id) => entries.get(id) ?? clean(null),
    set(id, entry) {
      entries.set(id, entry);
      keep();
      draw();
    },
  };
}
