/** Match the head: choose, see why it is right or wrong, and try again until it is right. */
import { announce, h } from "./dom.js";
import { atTry, isNew, triesInAll } from "./score/model.js";
import { headingOf, headingText, keepScore } from "./score.js";

/** @typedef {HTMLDetailsElement} Choice A folded answer of the page. */

/** @type {import("./score/model.js").Words} */
const WORDS = {
  status: {
    new: "not tried yet",
    open: "tried, not solved yet",
    first: "right at the first try",
    done: "solved",
  },
  sum(entries, count) {
    const solved = count("first") + count("done");
    if (count("new") === entries.length) {
      return "Choose, and see why it is right or wrong. Your score is kept only in this browser.";
    }
    return (
      `Solved ${solved} of ${entries.length}, ${count("first")} at the first try; ` +
      `${triesInAll(entries)}.`
    );
  },
};

/**
 * The page's folded answers say themselves which choice is right, and why.
 * @param {Choice} choice
 */
const answerOf = (choice) => [...choice.children].filter((part) => !part.matches("summary"));
/** @param {Choice} choice */
const isRight = (choice) => answerOf(choice)[0].textContent.trim().startsWith("✓");

/** @param {HTMLElement} host */
export function mount(host) {
  /** @type {Choice[][]} For each: its choices. */
  const scenarios = [];
  /** @type {NodeListOf<Choice>} */
  const all = host.querySelectorAll("details.choice");
  for (const choice of all) {
    if (choice.previousElementSibling?.matches("details.choice")) scenarios.at(-1)?.push(choice);
    else scenarios.push([choice]);
  }
  const headings = scenarios.map(([first]) => headingOf(first));
  const pieces = headings.map((heading) => ({ id: heading.id, title: headingText(heading) }));
  /** @type {(() => void)[]} */
  const redraws = [];
  const score = keepScore(host, "match", pieces, WORDS, redraws);
  redraws.push(...scenarios.map((choices, n) => ask(choices, pieces[n], score)));
}

/**
 * One scenario: a button for each choice, and beneath them why the pressed one is right or not.
 * @param {Choice[]} choices
 * @param {import("./score.js").Piece} piece
 * @param {import("./score.js").Score} score
 */
function ask(choices, { id, title }, score) {
  let pressed = -1;
  const looked = new Set(); // at other choices, after the right one
  const panel = h("div", { class: "match-answer", hidden: true });
  const buttons = choices.map((choice, n) => {
    const label = choice.querySelector("summary")?.textContent.trim() ?? "";
    const sign = h("i", { "aria-hidden": "true" });
    const press = () => choose(n);
    const button = h("button", { type: "button", onclick: press }, sign, label);
    return { button, sign, label };
  });
  const group = h(
    "div",
    { class: "match", role: "group", "aria-label": title },
    buttons.map(({ button }) => button),
    panel,
  );
  choices[choices.length - 1].after(group);
  for (const choice of choices) choice.hidden = true;
  draw();

  /** @param {number} n */
  function choose(n) {
    const right = isRight(choices[n]);
    const { chosen, done } = score.get(id);
    const counts = !done && !chosen.includes(n);
    if (counts) score.set(id, { chosen: [...chosen, n], done: right, shown: false });
    looked.add(n);
    pressed = n;
    const tries = score.get(id).chosen.length;
    let then = "";
    if (counts && right) then = `Right ${atTry(tries)}.`;
    else if (!score.get(id).done) then = "Choose again.";
    panel.replaceChildren(...answerOf(choices[n]).map((part) => part.cloneNode(true)));
    if (then) panel.append(h("p", { class: "match-then" }, then));
    panel.classList.toggle("right", right);
    panel.hidden = false;
    announce(panel.textContent.replace(/\s+/g, " "));
    draw();
  }

  function draw() {
    const { chosen, done } = score.get(id);
    buttons.forEach(({ button, sign, label }, n) => {
      const right = isRight(choices[n]);
      const known = right ? done : chosen.includes(n) || looked.has(n);
      button.className = known ? (right ? "right" : "wrong") : "";
      button.setAttribute("aria-pressed", String(n === pressed));
      sign.textContent = known ? (right ? "✓" : "✗") : "";
      const verdict = right ? "right" : "not this one";
      button.setAttribute("aria-label", known ? `${label}: ${verdict}` : label);
    });
  }

  return function redraw() {
    if (isNew(score.get(id))) {
      pressed = -1;
      looked.clear();
      panel.hidden = true;
    }
    draw();
  };
}
