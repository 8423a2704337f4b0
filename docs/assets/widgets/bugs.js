// @ts-nocheck: its types are still to be written
/** Find the bug: the lines of the code are buttons, and one of them is the faulty one. */
import { announce, breath, h } from "./dom.js";
import { cutIntoLines } from "./lines.js";
import { atTry, headingOf, headingText, isNew, keepScore, triesInAll } from "./score.js";

const WORDS = {
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

export async function mount(host) {
  const parts = [...host.querySelectorAll(".piece")];
  const headings = parts.map(headingOf);
  const pieces = headings.map((heading) => ({ id: heading.id, title: headingText(heading) }));
  const redraws = [];
  const score = keepScore(host, "bugs", pieces, WORDS, redraws);
  for (const [n, part] of parts.entries()) {
    redraws.push(search(part, pieces[n], score));
    await breath(); // preparing all pieces at once would block scrolling on a phone
  }
}

/** One piece: its code as buttons, with messages above it. */
function search(piece, { id, title }, score) {
  const blocks = [...piece.querySelectorAll(":scope > .highlight")];
  const hints = [...piece.querySelectorAll(":scope > details.hint")];
  const answer = piece.querySelector(":scope > details.question");
  const says = h("p", {});
  const act = h("button", { type: "button", class: "quiet", hidden: true });
  const area = h("div", { class: "bug-code" }, h("div", { class: "bug-says" }, says, act));
  const lines = []; // the buttons, of all blocks

  // the message stays in view as long as the code does: both share a box
  blocks[0].before(area);
  while (area.nextSibling !== blocks.at(-1)) area.append(area.nextSibling);
  area.append(blocks.at(-1));

  for (const block of blocks) {
    const code = block.querySelector("code");
    const parts = cutIntoLines(code).map((line) => {
      if (!line.textContent.trim()) return line.textContent;
      const n = lines.length;
      const press = (event) => event.detail < 2 && choose(n); // a double click counts once
      const button = h("button", { type: "button", onclick: press, onkeydown: walk });
      button.append(...line.childNodes);
      lines.push(button);
      return button;
    });
    code.replaceChildren(...parts.flatMap((part, n) => (n ? ["\n", part] : [part])));
    code.setAttribute("role", "group");
    code.setAttribute("aria-label", `${title}: use the arrow keys to move between lines`);
  }
  const faulty = lines.findIndex((line) => line.textContent.includes(piece.dataset.line));
  answer.querySelector("summary").addEventListener("click", lookUp);
  const kept = score.get(id);
  // opened before the buttons were there
  if (answer.open && !kept.done) score.set(id, { ...kept, shown: true });
  draw();
  say();

  function choose(n) {
    const { chosen, done, shown } = score.get(id);
    if (done || shown) return;
    if (!chosen.includes(n)) {
      score.set(id, { chosen: [...chosen, n], done: n === faulty, shown });
    }
    if (n === faulty) answer.open = true;
    draw();
    say(n);
    announce(says.textContent);
  }

  /** The reader opened the answer without finding the line. */
  function lookUp() {
    const { chosen, done, shown } = score.get(id);
    if (done || shown || answer.open) return;
    score.set(id, { chosen, done, shown: true });
    draw();
    say();
  }

  function say(n) {
    const { chosen, done, shown } = score.get(id);
    const tries = chosen.length;
    let text = "Which line is wrong? Click it.";
    let next = null;
    if (done) {
      text = `✓ Found ${atTry(tries)}.`;
      next = ["Why?", answer];
    } else if (shown) {
      text = "→ This is the line.";
      next = ["Why?", answer];
    } else if (n !== undefined) {
      text = "✗ Not this one: it does what it should.";
      if (Math.abs(n - faulty) === 1) text = "✗ Not this one, but you are very close.";
      const hint = hints.find((one) => !one.open);
      next = hint ? ["A hint", hint] : ["Show me", answer];
    }
    says.textContent = text;
    act.hidden = !next;
    if (!next) return;
    act.textContent = next[0];
    act.onclick = () => {
      const summary = next[1].querySelector("summary");
      if (!next[1].open) summary.click(); // as if the reader had opened it
      summary.focus();
    };
  }

  function draw() {
    const { chosen, done, shown } = score.get(id);
    const over = done || shown;
    let stop = over ? faulty : lines.indexOf(document.activeElement);
    if (stop < 0)
      stop = Math.max(
        0,
        lines.findIndex((line) => line.tabIndex === 0),
      );
    lines.forEach((line, n) => {
      const wrong = n !== faulty && chosen.includes(n);
      line.tabIndex = n === stop ? 0 : -1;
      line.className = over && n === faulty ? "faulty" : wrong ? "innocent" : "";
      line.setAttribute("aria-disabled", over);
      const verdict = { faulty: "the faulty line: ", innocent: "not this one: " }[line.className];
      line.setAttribute("aria-label", `line ${n + 1}, ${verdict ?? ""}${line.textContent.trim()}`);
    });
  }

  /** One line can be reached with the tab key, the others from it with the arrow keys. */
  function walk(event) {
    const here = lines.indexOf(event.currentTarget);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: lines.length - 1 }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    const line = lines[Math.max(0, Math.min(lines.length - 1, to))];
    for (const other of lines) other.tabIndex = other === line ? 0 : -1;
    line.focus();
  }

  return function redraw() {
    if (isNew(score.get(id))) {
      for (const details of [answer, ...hints]) details.open = false;
      for (const line of lines) line.tabIndex = -1;
      lines[0].tabIndex = 0;
    }
    draw();
    say();
  };
}
