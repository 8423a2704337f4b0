/** Self-check: below each answer, the reader notes whether they knew it. */
import { announce, h } from "./dom.js";
import { headingText, keepScore } from "./score.js";

/** @type {import("./score/model.js").Words} */
const WORDS = {
  status: { new: "not answered yet", open: "not yet", first: "you knew it", done: "you knew it" },
  sum(entries, count) {
    const had = count("first") + count("done");
    if (!had && !count("open")) {
      return "Mark below each answer whether you knew it. That is kept only in this browser.";
    }
    const open = count("open") ? `; ${count("open")} to read again (…)` : "";
    return `You knew ${had} of ${entries.length}${open}.`;
  },
};

/** @param {HTMLElement} host */
export function mount(host) {
  const answers = [...host.querySelectorAll("details.question")];
  const pieces = answers.map((answer, n) => {
    const question = answer.previousElementSibling;
    if (!question) throw new Error("An answer has no question above it.");
    question.id ||= `question-${n + 1}`;
    return { id: question.id, title: headingText(question) };
  });
  /** @type {(() => void)[]} */
  const redraws = [];
  const score = keepScore(host, "self-check", pieces, WORDS, redraws);
  redraws.push(...answers.map((answer, n) => ask(answer, pieces[n], score)));
}

/**
 * @param {Element} answer
 * @param {import("./score.js").Piece} piece
 * @param {import("./score.js").Score} score
 */
function ask(answer, { id }, score) {
  const said = h("span", { class: "check-said" });
  /** @type {(text: string, had: boolean) => HTMLButtonElement} */
  const button = (text, had) => h("button", { type: "button", onclick: () => note(had) }, text);
  const yes = button("I knew it", true);
  const no = button("Not yet", false);
  answer.querySelector("summary")?.append(said);
  answer.append(
    h("div", { class: "check", role: "group", "aria-label": "Did you know it?" }, yes, no),
  );
  draw();

  /** @param {boolean} had */
  function note(had) {
    score.set(id, { chosen: had ? [] : [0], done: had, shown: false });
    draw();
    announce(had ? "Noted: you knew it." : "Noted: not yet.");
  }

  function draw() {
    const { chosen, done } = score.get(id);
    yes.setAttribute("aria-pressed", String(done));
    no.setAttribute("aria-pressed", String(!done && chosen.length > 0));
    said.textContent = done ? " ✓ you knew it" : chosen.length ? " … not yet" : "";
  }

  return draw;
}
