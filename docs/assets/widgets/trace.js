// @ts-nocheck: its types are still to be written
/** The walked trace, step by step: with the page's numbers, or with the reader's own sentences. */
import { fetchJSON } from "../bert/model.js";
import { announce, h, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { codeBlock } from "./trace/code.js";
import { caption } from "./trace/pictures.js";
import { steps } from "./trace/steps.js";
import { classScores, walkOf } from "./trace/walk.js";

const NAME = "trace";
const EXAMPLE =
  "Thea loved the museum for its splendid guide. At the museum, Albert praised the statue.";
const LONGEST_LINK = 2000; // characters of text; the model reads 64 tokens
const SWIPE = 40; // pixels to the side, and more so than up or down
const STAGES = { 1: "Stage one: pretraining", 2: "Stage two: fine-tuning" };

export async function mount(host) {
  const trace = await fetchJSON("trace.json");
  trace.heads = [{ name: "", logits: trace.class_logits }];

  let at = 0; // the step that is shown
  const own = { on: false, text: EXAMPLE, seed: 1, walk: null };

  const back = h("button", { type: "button", onclick: () => go(at - 1) }, arrow("← "), "Back");
  const next = h(
    "button",
    { type: "button", class: "main", onclick: () => go(at + 1) },
    "Next",
    arrow(" →"),
  );
  const where = h("p", { class: "where" });
  const dots = steps.map((step, n) => {
    const label = `Step ${n + 1}: ${step.name}`;
    const last = steps[n + 1]?.stage !== step.stage;
    const attributes = { type: "button", "aria-label": label, title: label, onclick: () => go(n) };
    return h("li", { class: last && "last" }, h("button", attributes));
  });
  const stage = h("div", { class: "stage" });

  const walked = h("button", { type: "button", onclick: () => choose(false) }, "The walked input");
  const yours = h("button", { type: "button", onclick: () => choose(true) }, "Your own");
  const field = h("textarea", {
    id: "trace-text",
    rows: 2,
    dir: "auto",
    oninput: whenQuiet(read),
  });
  const drawn = h("span", { class: "drawn" });
  const slot = h("p", { class: "slot" });
  const panel = h(
    "div",
    { class: "own" },
    h("label", { for: "trace-text" }, "One sentence, or two in a row"),
    field,
    h(
      "div",
      { class: "widget-buttons" },
      h("button", { type: "button", class: "quiet", onclick: drawAgain }, "Draw again"),
      drawn,
    ),
    slot,
  );

  const walk = () => (own.on ? own.walk : trace);

  function go(n) {
    if (n < 0 || n >= steps.length) return;
    const before = at;
    at = n;
    show();
    if (before !== n) announce(`Step ${n + 1} of ${steps.length}: ${steps[n].name}`);
  }

  function show() {
    const step = steps[at];
    back.setAttribute("aria-disabled", at === 0); // not disabled: it would lose the focus
    next.setAttribute("aria-disabled", at === steps.length - 1);
    where.replaceChildren(h("b", {}, `Step ${at + 1} of ${steps.length}`), " ", STAGES[step.stage]);
    dots.forEach((dot, n) => {
      const button = dot.firstElementChild;
      // one of them is reached with the tab key, the others from there with the arrow keys
      button.tabIndex = n === at ? 0 : -1;
      button.className = own.on && steps[n].gradient ? "dot walked-only" : "dot";
      if (n === at) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    stage.replaceChildren(h("p", { class: "name-of-step" }, step.name), ...contentOf(step));
    if (own.on && step.classes) fetchClasses();
  }

  /** The picture of a step, its words, its code; a sentence where there is no picture. */
  function contentOf(step) {
    const borrowed = own.on && step.gradient;
    const shown = borrowed ? trace : walk();
    if (!shown) return [caption(own.text.trim() ? "One moment …" : "Write a sentence first.")];
    if (step.classes && !shown.heads) return [caption("One moment …")];
    const note =
      "This step needs the gradient, which the page does not compute for your sentences. " +
      "The numbers are those of the walked input.";
    return [
      h("p", {}, step.words(shown)),
      borrowed ? h("p", { class: "borrowed" }, note) : null,
      h("figure", { role: "group", "aria-label": step.alt(shown) }, step.picture(shown)),
      codeBlock(step),
    ].filter(Boolean);
  }

  function choose(mine) {
    own.on = mine;
    walked.setAttribute("aria-pressed", !mine);
    yours.setAttribute("aria-pressed", mine);
    panel.hidden = !mine;
    show();
    if (mine && !own.walk) measure();
  }

  function read() {
    if (own.text === field.value) return;
    own.text = field.value;
    measure();
  }

  function drawAgain() {
    own.text = field.value;
    own.seed += 1;
    measure();
  }

  /** Make the walk of the reader's text, fetching the model the first time. */
  async function measure() {
    const { text, seed } = own;
    own.walk = null;
    if (text.trim()) {
      const [model] = await fetchModels(["pretrained"]);
      if (text !== own.text || seed !== own.seed) return; // a newer one is on its way
      own.walk = walkOf(model, text, seed);
    }
    drawn.textContent = own.walk ? inWords(own.walk, seed) : "";
    if (own.walk) announce(drawn.textContent);
    show();
  }

  async function fetchModels(names) {
    const models = await getModels(slot, names);
    if (slot.contains(document.activeElement)) field.focus(); // an empty slot loses it
    return models;
  }

  async function fetchClasses() {
    const { walk: asked } = own;
    if (!asked || asked.heads) return;
    const [pretrained, tuned] = await fetchModels(["pretrained", "sentiment"]);
    asked.heads = classScores(asked, pretrained, tuned);
    asked.classes = tuned.labels;
    if (own.walk === asked) show();
  }

  function onKey(event) {
    if (event.target === field || event.altKey || event.ctrlKey || event.metaKey) return;
    const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const onDots = event.target.matches(".dot");
    go(target);
    if (onDots) dots[at].firstElementChild.focus();
  }

  let touch = null; // where a finger came down
  const onDown = (event) => {
    touch = event.pointerType === "touch" && event.isPrimary ? event : null;
  };
  const onUp = (event) => {
    if (!touch || event.pointerId !== touch.pointerId) return;
    const [x, y] = [event.clientX - touch.clientX, event.clientY - touch.clientY];
    touch = null;
    if (Math.abs(x) > SWIPE && Math.abs(x) > 1.5 * Math.abs(y)) go(at - Math.sign(x));
  };

  /** What a link brings, as far as it makes sense. */
  function follow(state) {
    whole.open = true;
    const step = Number(state.get("step"));
    if (Number.isInteger(step) && step >= 1 && step <= steps.length) at = step - 1;
    if (state.has("text")) {
      const seed = Number(state.get("seed"));
      own.text = field.value = state.get("text");
      own.seed = Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? seed : 1;
      own.walk = null;
    }
    choose(state.has("text"));
  }

  const link = linkButton(NAME, () => ({
    step: at + 1,
    ...(own.on && { text: own.text.slice(0, LONGEST_LINK), seed: own.seed }),
  }));
  const whole = h(
    "details",
    { class: "trace", open: true, onkeydown: onKey },
    h("summary", {}, "Step by step"),
    h(
      "div",
      { class: "widget-buttons", role: "group", "aria-label": "Which input" },
      walked,
      yours,
    ),
    panel,
    h("ol", { class: "dots", "aria-label": "Steps" }, dots),
    h("div", { class: "moves" }, back, where, next),
    stage,
    h("div", { class: "widget-buttons" }, link),
  );
  stage.addEventListener("pointerdown", onDown);
  stage.addEventListener("pointerup", onUp);
  stage.addEventListener("pointercancel", () => (touch = null)); // the page scrolls instead

  field.value = own.text;
  if (!followAddress(host, NAME, follow)) choose(false);
  host.append(whole); // once a damaged trace would have shown
}

const arrow = (text) => h("span", { "aria-hidden": "true" }, text);

function inWords({ fates, selectable }, seed) {
  const selected = fates.filter(Boolean).length;
  return `Draw ${seed}: selected ${selected} of ${selectable.filter(Boolean).length}.`;
}
